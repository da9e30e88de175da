#pragma once
// A proportional-integral-derivative controller: says by how much to change what it controls. The sum of errors stays
// within +-1, so that it does not wind up. Errors are within +-1.

#include <algorithm>

namespace lbsuite {

class Pid {
 public:
  // seconds: since the last response, above 0.
  template <class Gains>
  double respond(double error, double seconds, const Gains& gains) {
    sum_ = std::clamp(sum_ + error * seconds, -1.0, 1.0);
    const double slope = (error - error_) / seconds;
    error_ = error;
    return gains.kp * error + gains.ki * sum_ + gains.kd * slope;
  }

 private:
  double sum_ = 0;
  double error_ = 0;
};

}  // namespace lbsuite
