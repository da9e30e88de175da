#pragma once
// What an endpoint did between two of its reports: rates, from counts that run since its process started.

#include <algorithm>
#include <cstdint>

namespace lbsuite {

struct Usage {
  double qps = 0;  // tasks finished a second, those that failed included
  double eps = 0;  // tasks failed a second
  // Share of what it can take, by the best it tells: its own measure, else the mean share of its slots in use, else its
  // processor, else the share of time with at least one task.
  double utilization = 0;
};

class UsageWindow {
 public:
  // True if nothing can be measured against what was begun with: nothing was, or the process is another one.
  template <class Report>
  bool stale(const Report& report) const {
    return !begun_ || report.finished.value_or(0) < finished_ || report.busy_s < busy_s_ || report.task_s < task_s_;
  }

  template <class Report>
  void begin(const Report& report, double now) {
    begun_ = true;
    since_ = now;
    finished_ = report.finished.value_or(0);
    failed_ = report.failed;
    busy_s_ = report.busy_s;
    task_s_ = report.task_s;
  }

  double length_s(double now) const { return now - since_; }

  // Since `begin`, which must be some time ago.
  template <class Report>
  Usage measure(const Report& report, double now) const {
    const double seconds = length_s(now);
    Usage usage;
    usage.qps = static_cast<double>(report.finished.value_or(0) - finished_) / seconds;
    usage.eps = static_cast<double>(report.failed - std::min(report.failed, failed_)) / seconds;
    const double slots = report.limit.value_or(0);
    if (report.utilization > 0) {
      usage.utilization = report.utilization;
    } else if (slots > 0) {
      usage.utilization = (report.finished ? (report.task_s - task_s_) / seconds : report.tasks) / slots;
    } else {
      usage.utilization = report.cpu > 0 ? report.cpu : (report.busy_s - busy_s_) / seconds;
    }
    return usage;
  }

 private:
  bool begun_ = false;
  double since_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t failed_ = 0;
  double busy_s_ = 0;
  double task_s_ = 0;
};

}  // namespace lbsuite
