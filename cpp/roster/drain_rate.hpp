#pragma once
// Learns how fast an endpoint finishes tasks while it has any, from the counts in its reports: finished over busy time,
// as a ratio of two sums, so that short windows and long ones, lucky ones and idle ones, weigh what they saw. What is
// known from few tasks leans on the fleet: a first window's luck would send an endpoint far too many, or starve it.
// With several slots it is the rate at the concurrency that there mostly is. Writer only.

#include <algorithm>
#include <cstdint>

#include "roster/report.hpp"

namespace lbsuite {

// Tasks finished in some busy time. What lies `memory` tasks back counts less than half; tasks that should have
// finished and did not, age it too, so that what is stuck shows.
class Finished {
 public:
  static constexpr double kMost = 1e6;  // beyond, a clock of 11 days no longer resolves single tasks

  double tasks() const { return tasks_; }
  double busy_s() const { return busy_s_; }
  double per_second() const { return busy_s_ > 0 ? std::min(tasks_ / busy_s_, kMost) : 0; }

  void add(double tasks, double busy_s, double memory) {
    const double kept = memory / (memory + std::max(tasks, per_second() * busy_s));
    tasks_ = kept * tasks_ + tasks;
    busy_s_ = kept * busy_s_ + busy_s;
  }

 private:
  double tasks_ = 0;
  double busy_s_ = 0;
};

class DrainRate {
 public:
  // 0: nothing is known yet.
  double per_second() const { return rate_; }

  // fleet: of all endpoints; this report is added to it.
  void learn(const Report& report, Finished& fleet) {
    if (!report.finished) return;
    if (*report.finished < finished_ || report.busy_s < busy_s_) {  // the process started anew
      finished_ = 0;
      busy_s_ = 0;
    }
    const auto tasks = static_cast<double>(*report.finished - finished_);
    const double busy_s = report.busy_s - busy_s_;
    finished_ = *report.finished;
    busy_s_ = report.busy_s;
    fleet.add(tasks, busy_s, kFleetMemory);
    own_.add(tasks, busy_s, kMemory);
    const double typical = fleet.per_second();
    if (typical > 0) rate_ = std::min((own_.tasks() + kLean) / (own_.busy_s() + kLean / typical), Finished::kMost);
  }

 private:
  static constexpr double kMemory = 64;
  static constexpr double kFleetMemory = 1024;
  static constexpr double kLean = 2;
  Finished own_;
  double rate_ = 0;
  double busy_s_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace lbsuite
