#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "stage/stage.hpp"

namespace lbsuite {

// The lowest tier serves alone while it can: 100 % until its share of well ones x overprovisioning falls below, then the
// next carries the rest, and so on (Envoy, "priority levels"). Where all of them together cannot, each carries its part
// of what they can, and panic is as it is; where they can, nobody is in panic. All full spills to the next tier.
class Tiers {
 public:
  static constexpr std::string_view name = "tiers";
  static constexpr bool fixed_views = true;
  static constexpr bool levels = true;
  struct Settings : StageSettings {
    Real overprovisioning{1.4, 1, 100};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("overprovisioning", overprovisioning);
    }
  };

  explicit Tiers(const Settings& settings) : overprovisioning_(settings.overprovisioning) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    std::map<std::uint32_t, Tier> tiers;
    for (const auto* member : members) {
      if (member->idle()) continue;
      tiers[member->tier].all += 1;
      tiers[member->tier].well += member->well() && member->trial == 0;
    }
    const bool enough = split(tiers);
    for (auto* member : members) {
      member->level = member->tier;
      member->part = tiers[member->tier].part;
      member->relieved = enough;
    }
  }

 private:
  struct Tier {
    double all = 0;
    double well = 0;
    double part = 0;
  };

  // What part each carries; true if together they can carry all.
  bool split(std::map<std::uint32_t, Tier>& tiers) const {
    double sum = 0;
    for (auto& [number, tier] : tiers) {
      tier.part = std::min(1.0, overprovisioning_ * tier.well / tier.all);
      sum += tier.part;
    }
    double left = 1;
    for (auto& [number, tier] : tiers) {
      tier.part = sum >= 1 ? std::min(left, tier.part) : tier.part;
      left -= tier.part;
    }
    return sum >= 1;
  }

  const double overprovisioning_;
};

}  // namespace lbsuite
