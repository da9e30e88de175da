#pragma once
// The weight of one endpoint as a controller steers it, by how its utilization differs from the mean of all. Where its
// reports stop, it stays. Cost: a few divisions.

#include <algorithm>

#include "policy/parts/pid.hpp"
#include "policy/parts/usage.hpp"

namespace lbsuite {

class SteeredWeight {
 public:
  double value() const { return weight_; }
  // False until enough is reported to measure a utilization.
  bool known() const { return known_; }
  double utilization() const { return utilization_; }

  template <class Report>
  void reported(const Report& report, double now, double least_s) {
    if (window_.stale(report)) return window_.begin(report, now);
    if (window_.length_s(now) < least_s) return;
    utilization_ = window_.measure(report, now).utilization;
    seconds_ = window_.length_s(now);
    known_ = true;
    window_.begin(report, now);
  }

  // Acts on what was measured since the last time; mean: the utilization aimed at.
  template <class Gains>
  void steer(double mean, const Gains& gains) {
    if (mean <= 0 || seconds_ <= 0) return;
    const double error = std::clamp((mean - utilization_) / mean, -1.0, 1.0);
    weight_ *= std::clamp(1 + pid_.respond(error, seconds_, gains), 0.5, 2.0);
    seconds_ = 0;
  }

  // So that one that is shunned can still show that it is better, and comes back soon.
  void scale(double by) { weight_ = std::clamp(weight_ * by, 0.01, 100.0); }

 private:
  UsageWindow window_;
  double utilization_ = 0;
  double seconds_ = 0;  // over which that was measured, if not yet acted on
  bool known_ = false;
  double weight_ = 1;
  Pid pid_;
};

}  // namespace lbsuite
