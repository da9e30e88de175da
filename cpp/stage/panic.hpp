#pragma once
#include <string_view>

#include "stage/stage.hpp"

namespace lbsuite {

// Below so many well ones, who is only believed sick serves all the same: the few that are left would drown, and the
// belief may be wrong (Envoy, "panic threshold"). Who is on trial is not known to be well, and is tried no longer.
// A connection that refuses is a fact and no belief: the lost stay out, as gRPC keeps all that are not READY out of its
// picks, unless `lost=1`, as Envoy has it.
class Panic {
 public:
  static constexpr std::string_view name = "panic";
  struct Settings : StageSettings {
    Real threshold{0.5, 0, 1};  // share of those not draining
    Whole lost{0, 0, 1};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("threshold", threshold);
      visit("lost", lost);
    }
  };

  explicit Panic(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    std::size_t all = 0, well = 0;
    for (const auto* member : members) {
      if (member->idle()) continue;
      ++all;
      well += member->well() && member->trial == 0;
    }
    if (static_cast<double>(well) >= settings_.threshold * static_cast<double>(all)) return;
    for (auto* member : members) {
      if (member->relieved) continue;
      member->revived = settings_.lost != 0 || !member->lost;
      member->trial = 0;
    }
  }

 private:
  const Settings settings_;
};

}  // namespace lbsuite
