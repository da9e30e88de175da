#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "bits/cell.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Of an endpoint's slots big requests may hold a share together, so that small ones find a slot while big ones run: it
// parts sizes within an endpoint as size-interval task assignment does between endpoints (Harchol-Balter, Crovella and
// Murta, "On choosing a task assignment policy for a distributed server system", 1999). Big is a cost above `factor`
// times the mean of the picks before, of which those more than about 1,000 back fade. It goes by slots, so it bounds
// nothing where an endpoint has no limit, and where there is one slot a big one may have it.
class SizeGuard {
 public:
  static constexpr std::string_view name = "size_guard";
  struct Settings : StageSettings {
    Real share{0.5, 0, 1};  // rounded down, and one slot at least
    Real factor{10, 1, 1e9};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("share", share);
      visit("factor", factor);
    }
  };

  explicit SizeGuard(const Settings& settings) : settings_(settings) {}

  double slot_share(const Request& request) const {
    const double share = settings_.share;
    return cost_of(request) > settings_.factor * mean_.get() ? share : 1;
  }

  // Of the first alone nothing is known: it is not big.
  void picked(const Request& request) {
    constexpr double kMemory = 1024;
    const double cost = cost_of(request);
    const double picks = std::min(static_cast<double>(picks_.add(1)) + 1, kMemory);
    double mean = mean_.get();
    while (!mean_.swap(mean, picks > 1 ? mean + (cost - mean) / picks : cost)) {
    }
  }

 private:
  static double cost_of(const Request& request) { return std::max(request.cost, 1U); }  // as a slot is charged

  const Settings settings_;
  SharedCell<std::uint64_t> picks_{0};
  SharedCell<double> mean_{std::numeric_limits<double>::infinity()};
};

}  // namespace lbsuite
