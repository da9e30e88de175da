#pragma once
// Dead reckoning of a load between reports: arrivals that are known are added, and work drains at the learnt rate.
// The estimate never falls below 0, so idle time is not banked: one number, the moment it reaches 0, holds it all.
// Where the end of a task is told promptly, silence says that none has ended: then the estimate stands still.
// Any thread may add and read; `set` belongs to the writer. Cost: one read, or one compare-and-swap. Never fails.

#include <algorithm>
#include <limits>

#include "bits/cell.hpp"
#include "bits/course.hpp"

namespace lbsuite {

template <class Model>
class Reckoner {
 public:
  double value(double now) const { return std::max(0.0, empty_at_.get() - drained_to(now)) * rate_.get(); }

  // The same, and how it goes on.
  Course course(double now) const {
    const double tasks = value(now);
    const double still_at = still_at_.get();
    if (tasks <= 0 || now >= still_at) return {tasks};
    return {tasks, rate_.get(), std::min(empty_at_.get(), still_at)};
  }

  // tasks: fewer than 0 takes some away.
  void add(double now, double tasks) {
    double before = empty_at_.get();
    while (!empty_at_.swap(before, std::max(before, drained_to(now)) + tasks / rate_.get())) {
    }
  }

  // rate: tasks drained a second while there are any. still_at: from then on none, until the next `set`.
  void set(double now, double tasks, double rate, double still_at) {
    rate_.set(std::max(rate, kStill));
    still_at_.set(still_at);
    empty_at_.set(drained_to(now) + tasks / rate_.get());
  }

  // A rate of one task in eleven days: what is not known to drain, stays.
  static constexpr double kStill = 1e-6;

 private:
  double drained_to(double now) const { return std::min(now, still_at_.get()); }

  typename Model::template Cell<double> empty_at_{0};
  typename Model::template Cell<double> rate_{kStill};
  typename Model::template Cell<double> still_at_{std::numeric_limits<double>::infinity()};
};

}  // namespace lbsuite
