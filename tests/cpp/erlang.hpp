#pragma once
// One caller after another, Poisson arrivals and exponential tasks, over an engine in virtual time; and what queueing
// theory says of them. Times are in mean services.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite::erlang {

struct Scene {
  std::string policy = "least_load:choices=all";
  int endpoints = 10;
  int slots = 1;        // of each; beyond them tasks wait at their endpoint, first come, first served
  bool tickets = true;  // an endpoint takes no more tasks than it has slots, and callers wait in the engine
  double load = 0.9;    // of all slots
  std::uint64_t tasks = 100'000;
  std::uint64_t seed = 7;
};

// P(wait) of M/M/c (Erlang, 1917): by the recursion of Erlang B, B(k) = a B(k-1) / (k + a B(k-1)).
inline double erlang_c(int servers, double load) {
  const double offered = servers * load;
  double blocked = 1;
  for (int k = 1; k <= servers; ++k) blocked = offered * blocked / (k + offered * blocked);
  return blocked / (1 - load * (1 - blocked));
}

inline double mean_wait(int servers, double load) { return erlang_c(servers, load) / (servers * (1 - load)); }

// The sum of two exponential random numbers' kind: a caller's arrival and what its task takes.
class Callers {
 public:
  explicit Callers(const Scene& scene) : rng_(scene.seed), gap_(1 / (scene.load * scene.endpoints * scene.slots)) {}
  struct Caller {
    double at;
    double service;
  };
  Caller next() {
    now_ += exponential() * gap_;
    return {now_, exponential()};
  }

 private:
  double exponential() { return -std::log1p(-rng_.uniform()); }
  Rng rng_;
  const double gap_;
  double now_ = 0;
};

// What `waited(wait, service)` is told of each task as it begins, in the order in which they begin.
class Shop {
 public:
  explicit Shop(const Scene& scene)
      : scene_(scene),
        callers_(scene),
        engine_({.policy = parse_policy(scene.policy),
                 .seed = scene.seed,
                 .queue = {.wait_s = scene.tickets ? 80'000.0 : 0, .tickets = 1'000'000}}),
        endpoints_(static_cast<std::size_t>(scene.endpoints)) {
    const auto limit = static_cast<std::uint32_t>(scene.tickets ? scene.slots : 0);
    for (int i = 0; i < scene.endpoints; ++i) engine_.apply(Joined{std::to_string(i), 1, limit, "", kUnordered, 0}, 0);
  }

  template <class Waited>
  void run(Waited&& waited) {
    auto caller = callers_.next();
    for (std::uint64_t begun = 0; begun < scene_.tasks;) {
      if (ends_.empty() || caller.at < ends_.top().at) {
        begun += arrive(caller, waited);
        caller = callers_.next();
      } else {
        begun += end(waited);
      }
    }
  }

  int most_at_once() const { return most_; }

 private:
  struct Task {
    Pick pick;
    Callers::Caller caller;
  };
  struct End {
    double at;
    Pick pick;
    bool operator<(const End& later) const { return at > later.at; }
  };
  struct Place {
    int serving = 0;
    std::deque<Task> waiting;
  };

  template <class Waited>
  int arrive(const Callers::Caller& caller, Waited&& waited) {
    const Answer answer = engine_.pick({}, caller.at);
    if (const auto* pick = std::get_if<Pick>(&answer)) return take({*pick, caller}, caller.at, waited);
    waiting_.push_back(caller);
    return 0;
  }

  template <class Waited>
  int end(Waited&& waited) {
    const End end = ends_.top();
    ends_.pop();
    Place& place = endpoints_[end.pick.endpoint];
    --place.serving;
    engine_.done(end.pick, {}, end.at);
    int begun = serve(place, end.at, waited);
    if (!scene_.tickets) return begun;
    for (const Effect& effect : engine_.effects()) {
      const auto which = static_cast<std::size_t>(effect.ticket.number - answered_to_ - 1);
      const Callers::Caller caller = waiting_.at(which);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(which));
      ++answered_to_;
      begun += take({effect.pick, caller}, end.at, waited);
    }
    return begun;
  }

  template <class Waited>
  int take(const Task& task, double now, Waited&& waited) {
    Place& place = endpoints_[task.pick.endpoint];
    place.waiting.push_back(task);
    return serve(place, now, waited);
  }

  template <class Waited>
  int serve(Place& place, double now, Waited&& waited) {
    if (place.waiting.empty() || place.serving == scene_.slots) return 0;
    const Task task = place.waiting.front();
    place.waiting.pop_front();
    most_ = std::max(most_, ++place.serving + static_cast<int>(place.waiting.size()));
    waited(now - task.caller.at, task.caller.service);
    ends_.push({now + task.caller.service, task.pick});
    return 1;
  }

  const Scene scene_;
  Callers callers_;
  Engine<Plain> engine_;
  std::vector<Place> endpoints_;
  std::priority_queue<End> ends_;
  std::deque<Callers::Caller> waiting_;  // by ticket: with one order of coming, the first is the first to be answered
  std::uint64_t answered_to_ = 0;
  int most_ = 0;
};

struct Measured {
  double waiting = 0;  // share of tasks that waited
  double wait = 0;     // mean
  double response = 0;
};

// The first tenth is not measured.
inline Measured run(const Scene& scene) {
  std::uint64_t tasks = 0;
  Measured sum;
  Shop(scene).run([&](double wait, double service) {
    if (++tasks <= scene.tasks / 10) return;
    sum.waiting += wait > 0;
    sum.wait += wait;
    sum.response += wait + service;
  });
  const double count = static_cast<double>(tasks - scene.tasks / 10);
  return {sum.waiting / count, sum.wait / count, sum.response / count};
}

}  // namespace lbsuite::erlang
