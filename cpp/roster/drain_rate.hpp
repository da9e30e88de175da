#pragma once
// Learns how fast an endpoint finishes tasks while it has any, from the counts in its reports: finished over busy time,
// smoothed by 0.2 over windows of about four tasks, so that a window's luck does not rule. Writer only.

#include <algorithm>
#include <cstdint>

#include "roster/report.hpp"

namespace lbsuite {

class DrainRate {
 public:
  double per_second() const { return rate_; }

  void learn(const Report& report) {
    if (!report.finished) return;
    const std::uint64_t finished = *report.finished;
    if (finished < finished_ || report.busy_s < busy_s_) {  // the process started anew
      finished_ = 0;
      busy_s_ = 0;
    }
    const double tasks = static_cast<double>(finished - finished_);
    const double busy_s = report.busy_s - busy_s_;
    const double expected = rate_ * busy_s;
    if (busy_s <= 0 || (rate_ == 0 ? tasks < 1 : std::max(tasks, expected) < kWindow)) return;
    rate_ += (rate_ == 0 ? 1.0 : kSmoothing) * (std::min(tasks / busy_s, kMost) - rate_);
    finished_ = finished;
    busy_s_ = report.busy_s;
  }

 private:
  static constexpr double kWindow = 4;
  static constexpr double kSmoothing = 0.2;
  static constexpr double kMost = 1e6;  // beyond, a clock of 11 days no longer resolves single tasks
  double rate_ = 0;
  double busy_s_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace lbsuite
