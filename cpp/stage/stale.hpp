#pragma once
#include <string_view>

#include "stage/stage.hpp"

namespace lbsuite {

// Who tells of reports and has sent none for so many of their intervals is not picked until one comes. It is always on;
// named, it has other settings.
class Stale {
 public:
  static constexpr std::string_view name = "stale";
  struct Settings : StageSettings {
    Real intervals{3, 1, 1e6};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("intervals", intervals);
    }
  };

  explicit Stale(const Settings& settings) : intervals_(settings.intervals) {}

  // interval_s: 0 if the endpoint tells of none.
  double stale_at(double now, double interval_s) const {
    return interval_s > 0 ? now + intervals_ * interval_s : kNever;
  }

 private:
  double intervals_;
};

}  // namespace lbsuite
