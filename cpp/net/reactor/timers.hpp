#pragma once
// Deadlines of very many connections, most of which are moved on before they come: to move one on is a store, and it is
// looked at when it would have come. One thread's own.

#include <limits>
#include <set>
#include <utility>

namespace lbsuite::net {

class Timers;

// Rings once, when its deadline has come.
class Timer {
 public:
  virtual void ring() = 0;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 protected:
  explicit Timer(Timers& timers) : timers_(timers) {}
  inline virtual ~Timer();
  inline void ring_at(double time);
  inline void ring_never();

 private:
  friend class Timers;
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  Timers& timers_;
  double at_ = kNever;
  double looked_at_ = kNever;  // kNever: it is in no queue
};

class Timers {
 public:
  // When `turn` has something to do next.
  double next() const { return queue_.empty() ? Timer::kNever : queue_.begin()->first; }

  void turn(double now) {
    while (!queue_.empty() && queue_.begin()->first <= now) {
      Timer& timer = *queue_.begin()->second;
      leave(timer);
      if (timer.at_ > now) {
        if (timer.at_ < Timer::kNever) queue(timer);
        continue;
      }
      timer.at_ = Timer::kNever;
      timer.ring();
    }
  }

 private:
  friend class Timer;
  void queue(Timer& timer) {
    timer.looked_at_ = timer.at_;
    queue_.emplace(timer.looked_at_, &timer);
  }
  void leave(Timer& timer) {
    queue_.erase({timer.looked_at_, &timer});
    timer.looked_at_ = Timer::kNever;
  }

  std::set<std::pair<double, Timer*>> queue_;
};

Timer::~Timer() {
  if (looked_at_ < kNever) timers_.leave(*this);
}

void Timer::ring_at(double time) {
  at_ = time;
  if (time >= looked_at_) return;
  if (looked_at_ < kNever) timers_.leave(*this);
  timers_.queue(*this);
}

void Timer::ring_never() { at_ = kNever; }

}  // namespace lbsuite::net
