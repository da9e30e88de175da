#pragma once
// A fleet in virtual time that is asked for more than it can serve, and for less after: what do its callers get, second
// by second? Each of them gives up after a while and tries again, as callers do, and the endpoints, which serve in order
// of arrival, are slower the more tasks they hold. Nothing waits for a clock, and a seed gives the same run again.

#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite::overload {

struct Phase {
  double load;  // arrivals over what all endpoints can serve
  double for_s;
};

struct Scene {
  std::vector<std::string> stages = {};
  Accounting accounting = Accounting::done;
  bool cancels = false;  // an endpoint drops what its caller gave up; else it works on, for nobody
  std::vector<Phase> phases = {{0.8, 10}, {3, 10}, {0.8, 20}};
  int endpoints = 10;
  int slots = 4;
  double service_s = 0.04;
  double contention = 0.002;  // by so much longer a task takes for each that waits
  double patience_s = 1;      // of a caller, for an attempt
  std::uint32_t attempts = 3;
  double report_every_s = 0.05;
  std::string policy = "least_load";
  std::uint64_t seed = 11;
};

struct Told {
  std::vector<int> asked;     // tasks that began, by second
  std::vector<int> answered;  // in time
  std::vector<int> limits;    // of all endpoints, at the second's end; 0: none
  double capacity = 0;        // tasks a second
};

class Fleet {
 public:
  explicit Fleet(const Scene& scene) : scene_(scene), rng_(scene.seed), engine_(settings(scene)) {
    for (int i = 0; i < scene.endpoints; ++i) {
      servers_.push_back({std::to_string(i), {}, 0, {}});
      servers_.back().report.begun = servers_.back().report.finished = 0;
      engine_.apply(Joined{servers_.back().address, 1, 0, "", kUnordered, 0}, 0);
      if (scene.accounting == Accounting::reported) plan(rng_.uniform() * scene.report_every_s, What::report, i);
    }
    told_.capacity = scene.endpoints * scene.slots / scene.service_s;
  }

  Told run() {
    double ends_s = 0;
    for (const Phase& phase : scene_.phases) ends_s += phase.for_s;
    told_.asked.resize(static_cast<std::size_t>(ends_s));
    told_.answered = told_.limits = told_.asked;
    plan(0, What::arrival);
    for (int second = 1; second <= ends_s; ++second) plan(second - 1e-9, What::second);
    while (now_ < ends_s && !events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      if (engine_.next_deadline() <= now_) engine_.expire(now_);
      take(event);
    }
    return told_;
  }

 private:
  enum class What : std::uint8_t { arrival, attempt, give_up, end, report, second };
  struct Event {
    double at;
    std::uint64_t number;
    What what;
    int endpoint;
    std::size_t task;
    bool operator<(const Event& later) const { return at != later.at ? at > later.at : number > later.number; }
  };
  enum class Stands : std::uint8_t { waits, runs, over };
  struct Task {  // one attempt
    std::uint32_t attempt;
    Pick pick;
    int endpoint;
    double sent_at;
    Stands stands = Stands::waits;
    bool wanted = true;
  };
  struct Server {
    std::string address;
    std::deque<std::size_t> waiting;
    int running;
    Report report;
  };

  static EngineSettings settings(const Scene& scene) {
    EngineSettings settings{parse_policy(scene.policy), scene.seed, Signal::tasks, scene.accounting};
    for (const std::string& stage : scene.stages) settings.stages.push_back(parse_stage(stage));
    return settings;
  }

  void take(const Event& event) {
    switch (event.what) {
      case What::arrival:
        ++told_.asked[second()];
        attempt(0);
        return plan(now_ + exponential() / (load() * told_.capacity), What::arrival);
      case What::attempt:
        return attempt(static_cast<std::uint32_t>(event.task));
      case What::give_up:
        return give_up(event.task);
      case What::end:
        return end(event.task);
      case What::report:
        return report(event.endpoint);
      case What::second:
        for (const Standing& one : engine_.standings(now_)) told_.limits[second()] += one.limit;
    }
  }

  void attempt(std::uint32_t number) {
    const Answer answer = engine_.pick({.attempt = number}, now_);
    const Pick* pick = std::get_if<Pick>(&answer);
    if (pick == nullptr) {
      if (std::get<NotReady>(answer) != NotReady::over_budget) try_again(number);
      return;
    }
    const int endpoint = static_cast<int>(pick->endpoint);
    tasks_.push_back({number, *pick, endpoint, now_});
    plan(now_ + scene_.patience_s, What::give_up, endpoint, tasks_.size() - 1);
    at(endpoint).waiting.push_back(tasks_.size() - 1);
    ++*at(endpoint).report.begun;
    serve(endpoint);
  }

  void try_again(std::uint32_t number) {
    if (number + 1 >= scene_.attempts) return;
    const double wait_s = 0.1 * std::pow(1.6, number) * (0.8 + 0.4 * rng_.uniform());
    plan(now_ + wait_s, What::attempt, -1, number + 1);
  }

  void give_up(std::size_t number) {
    Task& task = tasks_[number];
    if (task.stands == Stands::over) return;
    task.wanted = false;
    if (scene_.accounting == Accounting::done) engine_.done(task.pick, {now_ - task.sent_at, true}, now_);
    if (scene_.cancels) {
      Server& server = at(task.endpoint);
      if (task.stands == Stands::runs) --server.running;
      if (task.stands == Stands::waits) std::erase(server.waiting, number);
      over(server, task);
      ++server.report.own_failed;
      serve(task.endpoint);
    }
    try_again(task.attempt);
  }

  void serve(int endpoint) {
    Server& server = at(endpoint);
    while (server.running < scene_.slots && !server.waiting.empty()) {
      const std::size_t number = server.waiting.front();
      server.waiting.pop_front();
      ++server.running;
      tasks_[number].stands = Stands::runs;
      const double slower = 1 + scene_.contention * static_cast<double>(server.waiting.size());
      plan(now_ + exponential() * scene_.service_s * slower, What::end, endpoint, number);
    }
  }

  void end(std::size_t number) {
    Task& task = tasks_[number];
    if (task.stands == Stands::over) return;
    Server& server = at(task.endpoint);
    --server.running;
    over(server, task);
    server.report.own_latency_s += now_ - task.sent_at;
    if (task.wanted) {
      ++told_.answered[second()];
      if (scene_.accounting == Accounting::done) engine_.done(task.pick, {now_ - task.sent_at, false}, now_);
    }
    serve(task.endpoint);
  }

  static void over(Server& server, Task& task) {
    task.stands = Stands::over;
    ++*server.report.finished;
    ++server.report.own_finished;
  }

  void report(int endpoint) {
    Server& server = at(endpoint);
    server.report.tasks =
        static_cast<std::uint32_t>(server.running) + static_cast<std::uint32_t>(server.waiting.size());
    server.report.busy_s = now_;
    engine_.apply(Reported{server.address, server.report}, now_);
    plan(now_ + scene_.report_every_s * (0.8 + 0.4 * rng_.uniform()), What::report, endpoint);
  }

  double load() const {
    double ends_s = 0;
    for (const Phase& phase : scene_.phases) {
      ends_s += phase.for_s;
      if (now_ < ends_s) return phase.load;
    }
    return scene_.phases.back().load;
  }

  void plan(double at, What what, int endpoint = -1, std::size_t task = 0) {
    events_.push({at, ++planned_, what, endpoint, task});
  }

  Server& at(int endpoint) { return servers_[static_cast<std::size_t>(endpoint)]; }
  std::size_t second() const { return std::min(static_cast<std::size_t>(now_), told_.asked.size() - 1); }
  double exponential() { return -std::log1p(-rng_.uniform()); }

  const Scene scene_;
  Rng rng_;
  Engine<Plain> engine_;
  std::vector<Server> servers_;
  std::vector<Task> tasks_;
  std::priority_queue<Event> events_;
  Told told_;
  double now_ = 0;
  std::uint64_t planned_ = 0;
};

inline Told run(const Scene& scene) { return Fleet(scene).run(); }

// Answers over what could be had: of a part of a run, what fleets can serve or, where it is less, what was asked.
inline double goodput(const Told& told, std::size_t from_s, std::size_t to_s) {
  double answered = 0, wanted = 0;
  for (std::size_t s = from_s; s < to_s; ++s) {
    answered += told.answered[s];
    wanted += std::min<double>(told.asked[s], told.capacity);
  }
  return answered / wanted;
}

}  // namespace lbsuite::overload
