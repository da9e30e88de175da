#pragma once
// A number that time alone never raises: a straight line down, for as long as it is known to be one.

#include <limits>

namespace lbsuite {

struct Course {
  double value = 0;                                        // at the moment it was asked for
  double fall = 0;                                         // a second
  double until = std::numeric_limits<double>::infinity();  // after that moment it must be asked for anew
};

// Numbers this near each other are the same: what computing them costs in precision must not decide.
inline constexpr double kTie = 1e-9;

}  // namespace lbsuite
