#pragma once
#include <array>
#include <limits>

#include "bits/fields.hpp"
#include "policy/parts/per_place.hpp"
#include "policy/parts/reported_weight.hpp"
#include "policy/parts/stride.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Turns in proportion to weights, by a static stride. weights=given: as endpoints joined with. weights=reports: as their
// reports earn them (gRFC A58); not known: the mean. Cost: Stride's; with reports a pass over all each update_s.
class WeightedRoundRobin {
 public:
  static constexpr std::string_view name = "weighted_round_robin";
  static constexpr std::string_view goes_by = "its turn, by weight";
  static constexpr bool weighs = true;
  static constexpr std::array<std::string_view, 2> kWeights = {"given", "reports"};
  struct Settings : PolicySettings {
    OneOf weights{kWeights};
    Real blackout_s{10, 0, 1e6}, expiry_s{180, 0, 1e6}, update_s{1, 0.1, 1e6}, penalty{1, 0, 1e6};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("weights", weights);
      visit("blackout_s", blackout_s);
      visit("expiry_s", expiry_s);
      visit("update_s", update_s);
      visit("penalty", penalty);
    }
  };
  using Shared = NothingShared;

  explicit WeightedRoundRobin(const Settings& settings, Shared&)
      : settings_(settings), given_(settings.weights.chosen() == 0) {}

  void room(std::uint32_t places) {
    earned_.room(places);
    stride_.room(places);
  }

  template <class Report>
  void reported(Place place, const Report& report, double now) {
    earned_[place].reported(report, now, settings_);
  }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    if (candidates.version() != version_ || candidates.now() >= due_) update(candidates);
    return stride_.pick(candidates, rng);
  }

 private:
  template <class Candidates>
  void update(const Candidates& candidates) {
    ++looks_;
    version_ = candidates.version();
    due_ = candidates.now() + (given_ ? std::numeric_limits<double>::infinity() : settings_.update_s);
    stride_.set(candidates.size(), [&](std::uint32_t i) {
      if (given_) return candidates.weight(i);
      return earned_[candidates.place(i)].value(looks_, candidates.now(), settings_);
    });
  }

  const Settings settings_;
  const bool given_;
  PerPlace<ReportedWeight> earned_;
  Stride stride_;
  std::uint64_t version_ = 0;
  std::uint64_t looks_ = 0;
  double due_ = -std::numeric_limits<double>::infinity();
};

}  // namespace lbsuite
