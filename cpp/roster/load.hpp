#pragma once
// The load of one endpoint: the slots it has, those taken, and what policies compare, which is the work behind them.
// Two ways of accounting, one for an endpoint's whole life: `done` (the host says when each task ended) and `reported`
// (reports free the slots; between them the load is dead-reckoned). Any thread may take, end and read; reports and
// forgetting belong to the writer. No call waits or fails.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "bits/cell.hpp"
#include "bits/course.hpp"
#include "roster/arrivals.hpp"
#include "roster/drain_rate.hpp"
#include "roster/limit.hpp"
#include "roster/ranking.hpp"
#include "roster/reckoner.hpp"
#include "roster/report.hpp"
#include "roster/tally.hpp"

namespace lbsuite {

enum class Accounting : std::uint8_t { done, reported };
inline constexpr std::array<std::string_view, 2> kAccountings = {"done", "reported"};

template <class Model>
class Load {
 public:
  explicit Load(Accounting accounting) : reported_(accounting == Accounting::reported) {}

  // Counts a pick, which costs 1 at least; false, and nothing counted, if every slot is taken.
  bool take(double now, std::uint32_t cost) {
    cost = std::max(cost, 1U);
    if (reported_) {
      if (!arrivals_.add(now, cost, room())) return false;
      tasks_.add(now, 1);
      work_.add(now, cost);
    } else {
      const std::int32_t before = tally_.begin();
      if (before >= Tally<Model>::kMost || !fits(before + others_.get())) {
        tally_.take_back();
        return false;
      }
    }
    if (cost != 1) add_surplus(cost - 1);
    return true;
  }

  // A task counted by `take` has ended; `done` accounting only.
  void end(std::uint32_t cost) {
    tally_.end();
    if (cost > 1) surplus_.add(1 - std::int64_t{cost});
  }

  [[gnu::always_inline]] bool full() const { return limit_.get() != 0 && !fits(tasks()); }

  // Slots taken. Between reports an endpoint's own count stands still: only picks on their way are added.
  std::int32_t tasks() const { return own() + others_.get(); }

  // Those of our own picks among them that no report counts.
  std::int32_t own() const {
    return reported_ ? static_cast<std::int32_t>(arrivals_.count()) : std::max(tally_.in_flight(), 0);
  }

  // Sum of the costs behind the slots taken. Reports tell tasks only: each of those is taken to cost what is usual.
  double work(const Ranking<Model>& ranking) const {
    const double others = ranking.cost() * others_.get();
    if (reported_) return others + arrivals_.work(ranking.cost());
    return std::max(0.0, tally_.in_flight() + static_cast<double>(surplus_.get())) + others;
  }

  // Tasks at `now`, as far as can be told.
  double estimate(double now) const { return reported_ ? tasks_.value(now) : tasks(); }

  // What policies compare: the work at `now`, or what is held of another signal, over the endpoint's capacity. Between
  // calls that change something it falls along a straight line, or stands still.
  [[gnu::always_inline]] double score(double now, const Ranking<Model>& ranking) const {
    if (ranking.signal() != Signal::tasks) return std::max(0.0, in_signal(estimate(now), ranking)) / capacity_.get();
    return (reported_ ? work_.value(now) : work(ranking)) / capacity_.get();
  }

  // The score and how it goes on, if nothing happens; infinite while every slot is taken.
  Course course(double now, const Ranking<Model>& ranking) const {
    if (full()) return {std::numeric_limits<double>::infinity()};
    Course course;
    if (ranking.signal() == Signal::tasks) {
      course = reported_ ? work_.course(now) : Course{work(ranking)};
    } else {
      course = reported_ ? tasks_.course(now) : Course{static_cast<double>(tasks())};
      course.value = in_signal(course.value, ranking);
      course.fall *= ranking.unit();
    }
    if (course.value <= 0) return {};
    if (course.fall > 0) course.until = std::min(course.until, now + course.value / course.fall);
    const double capacity = capacity_.get();
    return {course.value / capacity, course.fall / capacity, course.until};
  }

  // What a stage has found it to bear; 0: nothing.
  void learn_limit(std::uint32_t limit) { limit_.learn(limit); }

  // Writer only, from here on.
  void report(const Report& report, double now, Ranking<Model>& ranking) {
    if (report.limit) set_limit(*report.limit);
    const auto tasks = static_cast<std::int32_t>(report.tasks);
    learn_costs(ranking);
    if (reported_) {
      others_.set(tasks);
      if (report.begun) {
        arrivals_.begun(*report.begun);
      } else {
        arrivals_.settle(now - kOnTheWire);
      }
      rate_.learn(report, ranking.finished());
      const double still_at = report.prompt_s > 0 ? now + report.prompt_s : std::numeric_limits<double>::infinity();
      tasks_.set(now, this->tasks(), rate_.per_second(), still_at);
      work_.set(now, work(ranking), rate_.per_second() * ranking.cost(), still_at);
    } else {
      others_.set(std::max(0, tasks - std::max(tally_.in_flight(), 0)));
    }
    hold(report, ranking);
    rate_capacity(ranking);
  }

  // Picks older than `horizon_s` that no report has shown will not arrive any more. Returns how many there were.
  std::uint32_t forget(double now, double horizon_s, const Ranking<Model>& ranking) {
    if (!reported_) return 0;
    const std::uint32_t gone = arrivals_.settle(now - horizon_s);
    tasks_.add(now, -static_cast<double>(gone));
    work_.add(now, -arrivals_.work_of_settled(gone, ranking.cost()));
    return gone;
  }

  void set_limit(std::uint32_t limit) {
    told_limit_ = limit;
    bound(most());
  }
  // No more tasks at once than this, whatever its own limit; 0: as many as that.
  void bound(std::uint32_t most) {
    most_.set(most);
    limit_.tell(Limit<Model>::smaller(most, told_limit_));
  }
  std::uint32_t most() const { return most_.get(); }
  void set_weight(std::uint32_t weight) {
    capacity_.set(capacity_.get() / weight_.get() * weight);
    weight_.set(weight);
  }
  std::int32_t limit() const { return limit_.get(); }
  double weight() const { return weight_.get(); }
  double drain_rate() const { return rate_.per_second(); }
  std::uint64_t picks() const { return reported_ ? arrivals_.picks() : tally_.picks(); }
  bool reported() const { return reported_; }

 private:
  void add_surplus(std::uint32_t surplus) {
    if (!reported_) surplus_.add(surplus);
    spent_.add(surplus);
  }

  // What our picks since the last report cost.
  void learn_costs(Ranking<Model>& ranking) {
    const std::uint64_t spent = spent_.get();
    ranking.learn_costs(picks() - picks_learnt_, spent - spent_learnt_);
    picks_learnt_ = picks();
    spent_learnt_ = spent;
  }

  double in_signal(double tasks, const Ranking<Model>& ranking) const {
    const double at_report = tasks_at_report_.get();
    return std::max(held_.get(), ranking.least() * at_report) + ranking.unit() * (tasks - at_report);
  }

  // What a report says beyond tasks: the signal above the base, which is what the process held before its first task.
  void hold(const Report& report, Ranking<Model>& ranking) {
    double held = report.tasks;
    if (ranking.signal() == Signal::cpu) held = report.cpu;
    if (ranking.signal() == Signal::memory) {
      const auto memory = static_cast<double>(report.memory);
      const bool fresh = report.tasks == 0 && report.finished.value_or(0) == 0;
      base_ = fresh || base_ < 0 ? memory : std::min(base_, memory);
      held = memory - base_;
    }
    ranking.learn(held, report.tasks);
    held_.set(held);
    tasks_at_report_.set(report.tasks);
  }

  // An endpoint of four times the fleet's speed bears two times the tasks. Ranked by tasks alone the fast get too few,
  // by expected delay, (tasks + 1) / rate, too many; and several balancers would all rank the idle ones alike.
  void rate_capacity(const Ranking<Model>& ranking) {
    const double typical = ranking.finished().per_second();
    const bool known = ranking.signal() == Signal::tasks && typical > 0 && rate_.per_second() > 0;
    capacity_.set(weight_.get() * (known ? std::sqrt(rate_.per_second() / typical) : 1));
  }

  // How many picks of ours may be on their way.
  std::uint32_t room() const {
    if (limit_.get() == 0) return std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::max(0, limit_.get() - others_.get()));
  }

  bool fits(std::int32_t tasks) const { return limit_.get() == 0 || tasks < limit_.get(); }

  // A pick younger than this may still be on its way to an endpoint that does not count what it has begun.
  static constexpr double kOnTheWire = 0.1;

  template <class T>
  using Cell = typename Model::template Cell<T>;

  const bool reported_;
  Cell<std::int32_t> others_{0};  // tasks that reports tell of and `tally_` does not count
  Limit<Model> limit_;
  Cell<std::uint32_t> most_{0};
  Cell<double> capacity_{1};
  Tally<Model> tally_;
  // Cost of the picks beyond 1 each: of those that `tally_` has in flight, and of all ever.
  Cell<std::int64_t> surplus_{0};
  Cell<std::uint64_t> spent_{0};
  Cell<double> weight_{1};
  Cell<double> held_{0};
  Cell<double> tasks_at_report_{0};
  Reckoner<Model> tasks_;
  Reckoner<Model> work_;
  Arrivals<Model> arrivals_;
  DrainRate rate_;
  double base_ = -1;
  std::uint32_t told_limit_ = 0;
  std::uint64_t picks_learnt_ = 0;
  std::uint64_t spent_learnt_ = 0;
};

}  // namespace lbsuite
