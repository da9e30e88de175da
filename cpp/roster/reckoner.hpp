#pragma once
// Dead reckoning of a load between reports: arrivals that are known are added, and work drains at the learnt rate.
// The estimate never falls below 0, so idle time is not banked: one number, the moment it reaches 0, holds it all.
// Any thread may add and read; `set` belongs to the writer. Cost: one read, or one compare-and-swap. Never fails.

#include <algorithm>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class Reckoner {
 public:
  double value(double now) const { return std::max(0.0, empty_at_.get() - now) * rate_.get(); }

  void add(double now, double tasks) {
    double before = empty_at_.get();
    while (!empty_at_.swap(before, std::max(before, now) + tasks / rate_.get())) {
    }
  }

  // rate: tasks drained a second while there are any.
  void set(double now, double tasks, double rate) {
    rate_.set(std::max(rate, kStill));
    empty_at_.set(now + tasks / rate_.get());
  }

  // A rate of one task in eleven days: what is not known to drain, stays.
  static constexpr double kStill = 1e-6;

 private:
  typename Model::template Cell<double> empty_at_{0};
  typename Model::template Cell<double> rate_{kStill};
};

}  // namespace lbsuite
