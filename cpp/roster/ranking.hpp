#pragma once
// What loads are ranked by, over the whole roster: the signal, and how much of it one task takes.
// For tasks that is 1. For memory and cpu it is learnt: what endpoints hold beyond their base, over their tasks.
// The writer learns, any thread reads.

#include <algorithm>
#include <cstdint>

#include "bits/cell.hpp"
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

  // An endpoint that held `held` with `tasks` now holds `held_now` with `tasks_now`.
  void learn(double held, double tasks, double held_now, double tasks_now) {
    held_ += held_now - held;
    tasks_ += tasks_now - tasks;
    if (signal_ != Signal::tasks && tasks_ >= 1) unit_.set(std::max(least(), held_ / tasks_));
  }

 private:
  const Signal signal_;
  double held_ = 0;
  double tasks_ = 0;
  typename Model::template Cell<double> unit_;
};

}  // namespace lbsuite
