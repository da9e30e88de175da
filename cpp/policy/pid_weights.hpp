#pragma once
#include <limits>

#include "bits/fields.hpp"
#include "policy/parts/per_place.hpp"
#include "policy/parts/steered_weight.hpp"
#include "policy/parts/stride.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Dropbox's Robinhood ("What's new with Robinhood, our in-house load balancing service", dropbox.tech, 2024): a
// controller an endpoint pulls its utilization towards the mean of all; what it says is the change of the endpoint's
// weight; weights are scaled to a common mean; who does not report keeps its weight; turns go by weight. No constants
// are published. Ours: the error is relative to the mean and within +-1, the change relative to the weight and within a
// half and twice, a weight within 0.01 and 100 of the mean; it multiplies the one joined with. As the change adds up in
// the weight, kp alone leaves no offset: ki and kd are 0, for they made it slower and more sensitive to noise. Cost:
// Stride's; a few passes over all each update_s.
class PidWeights {
 public:
  static constexpr std::string_view name = "pid_weights";
  static constexpr std::string_view goes_by = "its turn, by steered weight";
  static constexpr bool weighs = true;
  struct Settings : PolicySettings {
    Real kp{0.1, 0, 10}, ki{0, 0, 10}, kd{0, 0, 10}, update_s{1, 0.1, 1e6};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("kp", kp);
      visit("ki", ki);
      visit("kd", kd);
      visit("update_s", update_s);
    }
  };
  using Shared = NothingShared;

  explicit PidWeights(const Settings& settings, Shared&) : settings_(settings) {}

  void room(std::uint32_t places) {
    steered_.room(places);
    stride_.room(places);
  }

  template <class Report>
  void reported(Place place, const Report& report, double now) {
    steered_[place].reported(report, now, settings_.update_s);
  }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const bool due = candidates.now() >= due_;
    if (due) steer(candidates);
    if (due || candidates.version() != version_) {
      version_ = candidates.version();
      const auto weigh = [&](std::uint32_t i) { return candidates.weight(i) * steered_[candidates.place(i)].value(); };
      stride_.set(candidates.size(), weigh);
    }
    return stride_.pick(candidates, rng);
  }

 private:
  template <class Candidates>
  void steer(const Candidates& candidates) {
    due_ = candidates.now() + settings_.update_s;
    const auto each = [&](auto&& act) {
      for (std::uint32_t i = 0; i < candidates.size(); ++i) act(steered_[candidates.place(i)]);
    };
    double utilization = 0;
    double known = 0;
    each([&](const SteeredWeight& steered) {
      if (!steered.known()) return;
      utilization += steered.utilization();
      known += 1;
    });
    const double mean = known == 0 ? 0 : utilization / known;
    double weight = 0;
    each([&](SteeredWeight& steered) {
      steered.steer(mean, settings_);
      weight += steered.value();
    });
    each([&](SteeredWeight& steered) { steered.scale(candidates.size() / weight); });
  }

  const Settings settings_;
  PerPlace<SteeredWeight> steered_;
  Stride stride_;
  std::uint64_t version_ = 0;
  double due_ = -std::numeric_limits<double>::infinity();
};

}  // namespace lbsuite
