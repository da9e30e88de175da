#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "stage/stage.hpp"

namespace lbsuite {

// Endpoints of one's own zone go before the others, in each tier: these serve while all there are full, or once fewer
// than a share of the zone are well, when nobody is preferred.
class PreferZone {
 public:
  static constexpr std::string_view name = "prefer_zone";
  static constexpr bool fixed_views = true;
  static constexpr bool levels = true;
  struct Settings : StageSettings {
    Text zone;
    Real well{0.7, 0, 1};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("zone", zone);
      visit("well", well);
    }
  };

  explicit PreferZone(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    std::map<std::uint32_t, Zone> own;  // by level
    for (const auto* member : members) {
      if (member->idle() || member->zone != settings_.zone.value()) continue;
      own[member->level].all += 1;
      own[member->level].well += member->well() || member->revived;
    }
    for (auto* member : members) {
      const Zone& zone = own[member->level];
      const bool preferred = zone.well > 0 && zone.well >= settings_.well * zone.all;
      const bool waits = preferred && member->zone != settings_.zone.value();
      member->level = 2 * member->level + (waits ? 1 : 0);
      if (waits) member->part = 0;
    }
  }

 private:
  struct Zone {
    double all = 0;
    double well = 0;
  };
  const Settings settings_;
};

}  // namespace lbsuite
