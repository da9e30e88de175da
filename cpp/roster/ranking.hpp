#pragma once
// What loads are ranked by, over the whole roster: the signal, and how much of it one task takes.
// By tasks it is the mean cost of our own picks: so much does one take of which nobody has said what it costs. For
// memory and cpu it is the median of what endpoints hold beyond their base for each task, so that the one that holds far
// more than its like is shunned and not taken as the measure.
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
  // Of a task of which nobody has said what it costs.
  double cost() const { return signal_ == Signal::tasks ? unit() : 1; }

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
    follow();
  }

  // So many picks more, which cost so much beyond 1 each. What lies kPicks back counts less than half.
  void learn_costs(std::uint64_t picks, std::uint64_t surplus) {
    if (signal_ != Signal::tasks || picks == 0) return;
    const double kept = kPicks / (kPicks + static_cast<double>(picks));
    picks_ = kept * picks_ + static_cast<double>(picks);
    surplus_ = kept * surplus_ + static_cast<double>(surplus);
    learnt_ = 1 + surplus_ / picks_;
    follow();
  }

  // By all endpoints, as far as they tell. Writer only.
  Finished& finished() { return finished_; }
  const Finished& finished() const { return finished_; }

 private:
  // A new unit makes every score stale, so it follows in strides.
  void follow() {
    if (learnt_ > unit() * kStride || learnt_ < unit() / kStride) unit_.set(learnt_);
  }

  static constexpr double kStep = 1.05;
  static constexpr double kStride = 1.2;
  static constexpr double kPicks = 1024;
  const Signal signal_;
  double learnt_ = least();
  double picks_ = 0;
  double surplus_ = 0;
  typename Model::template Cell<double> unit_;
  Finished finished_;
};

}  // namespace lbsuite
