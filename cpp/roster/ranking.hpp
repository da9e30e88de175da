#pragma once
// What loads are ranked by, over the whole roster: the signal, and how much of it one task takes.
// For tasks that is 1. For memory and cpu it is learnt: the median of what endpoints hold beyond their base for each
// task, so that the one that holds far more than its like is shunned and not taken as the measure.
// The writer learns, any thread reads.

#include <algorithm>

#include "bits/cell.hpp"
#include "roster/drain_rate.hpp"
#include "roster/report.hpp"

namespace lbsuite {

template <class Model>
class Ranking {
 public:
  explicit Ranking(Signal signal) : signal_(signal), unit_(least()) {}

  Signal signal() const { return signal_; }
  double unit() const { return unit_.get(); }

  // The least that a task is taken to add: below it, a difference is noise.
  double least() const {
    constexpr double kLeast[] = {1, 1 << 20, 0.01};
    return kLeast[static_cast<int>(signal_)];
  }

  // An endpoint holds `held` with `tasks`. Steps towards a running median (Ma, Muthukrishnan and Sandler, "Frugal
  // streaming for estimating quantiles", 2013), of 5 % a report, for the unit is a scale.
  void learn(double held, double tasks) {
    if (signal_ == Signal::tasks || tasks < 1) return;
    learnt_ = held / tasks > learnt_ ? learnt_ * kStep : std::max(least(), learnt_ / kStep);
    if (learnt_ > unit() * kStride || learnt_ < unit() / kStride) unit_.set(learnt_);
  }

  // By all endpoints, as far as they tell. Writer only.
  Finished& finished() { return finished_; }
  const Finished& finished() const { return finished_; }

 private:
  static constexpr double kStep = 1.05;
  static constexpr double kStride = 1.2;  // a new unit makes every score stale, so it follows in strides
  const Signal signal_;
  double learnt_ = least();
  typename Model::template Cell<double> unit_;
  Finished finished_;
};

}  // namespace lbsuite
