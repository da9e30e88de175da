#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "stage/parts/per_endpoint.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// A fresh endpoint, or one that is back, gets its share by and by (Envoy, common.proto, slow_start_config): after t of
// the window, max(least, (t / window)^(1 / aggression)) of it. Its share moves in 50 steps, each at its mean.
// Who joins soon after the first was there before this engine was, and is warm (HAProxy: not at proxy start).
class SlowStart {
 public:
  static constexpr std::string_view name = "slow_start";
  static constexpr bool fixed_views = true;
  struct Settings : StageSettings {
    Real window_s{30, 0.001, 1e6};
    Real aggression{1, 0.01, 100};
    Real least{0.1, 0.001, 1};
    Real soon_s{5, 0, 1e6};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("window_s", window_s);
      visit("aggression", aggression);
      visit("least", least);
      visit("soon_s", soon_s);
    }
  };

  explicit SlowStart(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double now) {
    if (!members.empty()) began_ = std::min(began_, now);
    for (auto* member : members) {
      const bool serves = member->well() || member->revived;
      Kept& state = kept_(*member);
      const bool fresh = !state.known && now - began_ > settings_.soon_s;
      if (fresh || (state.known && serves && !state.served)) state = {.since = now, .step = 0};
      state.known = true;
      state.served = serves;
      member->warmth = warmth(state.step);
    }
  }

  template <class Model>
  bool review(Members<Model> members, double now) {
    bool changed = false;
    for (const auto* member : members) {
      Kept& state = kept_(*member);
      while (state.step < kSteps && now >= next(state)) {
        const double before = warmth(state.step++);
        changed |= warmth(state.step) != before;
      }
    }
    return changed;
  }

  template <class Model>
  double next_deadline(Members<Model> members) {
    double soonest = kNever;
    for (const auto* member : members) {
      if (const Kept& state = kept_(*member); state.step < kSteps) soonest = std::min(soonest, next(state));
    }
    return soonest;
  }

 private:
  static constexpr int kSteps = 50;
  struct Kept {
    double since = 0;
    int step = kSteps;  // all: it is warm
    bool known = false;
    bool served = false;
  };

  double next(const Kept& state) const { return state.since + settings_.window_s * (state.step + 1) / kSteps; }

  double warmth(int step) const {
    if (step == kSteps) return 1;
    return std::max<double>(settings_.least, std::pow((step + 0.5) / kSteps, 1 / settings_.aggression));
  }

  const Settings settings_;
  PerEndpoint<Kept> kept_;
  double began_ = kNever;
};

}  // namespace lbsuite
