#pragma once
#include <algorithm>
#include <string_view>

#include "policy/parts/per_place.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Who keeps failing is not picked for a while, longer each time (Envoy, outlier_detection.proto; gRPC A50).
class OutlierEjection {
 public:
  static constexpr std::string_view name = "outlier_ejection";
  struct Settings : StageSettings {
    Whole consecutive{5, 0, 1'000'000};  // failures in a row; 0: not looked at
    Real base_s{30, 0.001, 1e6};
    Real max_s{300, 0.001, 1e6};
    Real max_share{0.1, 0, 1};  // of all that may be ejected at once, at least one
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("consecutive", consecutive);
      visit("base_s", base_s);
      visit("max_s", max_s);
      visit("max_share", max_share);
    }
  };

  explicit OutlierEjection(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    for (auto* member : members) {
      if (kept(*member).until < kNever) member->ejected_by = name;
    }
  }

  template <class Model>
  bool ended(Endpoint<Model>& endpoint, const Endings&, double) {
    return failing(endpoint);
  }

  template <class Model>
  bool review(Members<Model> members, double now) {
    bool changed = false;
    std::size_t out = 0;
    for (auto* member : members) {
      Kept& state = kept(*member);
      if (state.until < kNever && now >= state.until) {
        state.until = kNever;
        member->outcomes.end_row();
        changed = true;
      }
      out += state.until < kNever;
    }
    for (auto* member : members) {
      Kept& state = kept(*member);
      if (state.until < kNever || !failing(*member)) continue;
      member->outcomes.end_row();
      if (out > 0 && static_cast<double>(out) >= settings_.max_share * static_cast<double>(members.size())) continue;
      ++out;
      state.until = now + std::min<double>(settings_.base_s * ++state.times, settings_.max_s);
      changed = true;
    }
    return changed;
  }

  template <class Model>
  double next_deadline(Members<Model> members) {
    double soonest = kNever;
    for (const auto* member : members) soonest = std::min(soonest, kept(*member).until);
    return soonest;
  }

 private:
  struct Kept {
    double until = kNever;  // ejected, where there is an end to it
    std::uint32_t times = 0;
  };

  template <class Model>
  bool failing(const Endpoint<Model>& endpoint) const {
    return settings_.consecutive != 0 && endpoint.outcomes.failed_in_a_row() >= settings_.consecutive;
  }

  template <class Model>
  Kept& kept(const Endpoint<Model>& endpoint) {
    kept_.room(endpoint.index + 1);
    return kept_[{endpoint.index, endpoint.generation}];
  }

  const Settings settings_;
  PerPlace<Kept> kept_;
};

}  // namespace lbsuite
