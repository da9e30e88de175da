#pragma once
// A fleet in virtual time of which four are sick: one fails at once, one is ten times slower, one never answers, and one
// is killed and returns. Callers that give up after a while, and try nothing again. A seed gives the same run again.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <queue>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite::driver {

// The first endpoints are sick, one by each; all others are well.
enum class Fault : std::uint8_t { failing, slow, hole, flapping, none };

struct SickScene {
  std::string policy = "least_load:choices=all";
  std::vector<std::string> stages = {};
  Accounting accounting = Accounting::reported;
  bool silent = false;  // the one that never answers does not even tell what it has begun
  int endpoints = 25;
  double rate = 200;  // tasks a second
  double service_s = 0.1;
  double timeout_s = 3;
  double seconds = 70;
  double after_s = 2;  // what is sent before is not counted
  std::uint64_t seed = 7;
};

struct Felt {
  int sent = 0;
  int failed = 0;
  std::array<int, 5> sent_to = {};  // by fault
  double failed_share() const { return static_cast<double>(failed) / sent; }
};

class SickFleet {
 public:
  explicit SickFleet(const SickScene& scene) : scene_(scene), rng_(scene.seed), engine_(settings(scene)) {
    for (int i = 0; i < scene.endpoints; ++i) {
      Server& server = servers_.emplace_back();
      server.address = std::to_string(i);
      server.fault = static_cast<Fault>(std::min(i, 4));
      engine_.apply(Joined{server.address, 1, 10, "", kUnordered, 0}, 0);
      plan(rng_.uniform() * kReportEvery_s, What::report, i);
    }
    plan(0, What::arrival);
    plan(kAlive_s, What::killed, static_cast<int>(Fault::flapping));
  }

  Felt run() {
    while (events_.top().at < scene_.seconds) {
      const Event event = events_.top();
      events_.pop();
      while (engine_.next_deadline() <= event.at) engine_.expire(engine_.next_deadline());
      now_ = event.at;
      take(event);
    }
    return felt_;
  }

 private:
  static constexpr double kReportEvery_s = 0.05;
  static constexpr double kAlive_s = 2, kAway_s = 1.3;
  static constexpr double kNoticed_s = 0.005;  // that it was killed

  enum class What : std::uint8_t { arrival, end, report, killed, lost, back };
  struct Task {
    Pick pick;
    std::uint64_t number = 0;
    double sent_at = 0;
    bool fails = false;
  };
  struct Event {
    double at;
    std::uint64_t number;
    What what;
    int endpoint;
    Task task;
    bool operator<(const Event& later) const { return at != later.at ? at > later.at : number > later.number; }
  };
  struct Server {
    std::string address;
    Fault fault = Fault::none;
    bool up = true;
    Report report = fresh();
    std::vector<Task> running;
    double counted_to = 0;
  };

  static EngineSettings settings(const SickScene& scene) {
    EngineSettings settings{parse_policy(scene.policy), scene.seed, Signal::tasks, scene.accounting};
    for (const std::string& stage : scene.stages) settings.stages.push_back(parse_stage(stage));
    return settings;
  }

  static Report fresh() {
    Report report;
    report.interval_s = 0.5;
    report.prompt_s = 0.1;
    report.begun = report.finished = 0;
    return report;
  }

  void take(const Event& event) {
    Server* const server = event.endpoint < 0 ? nullptr : &servers_[static_cast<std::size_t>(event.endpoint)];
    switch (event.what) {
      case What::arrival:
        call();
        return plan(now_ - std::log1p(-rng_.uniform()) / scene_.rate, What::arrival);
      case What::end:
        return end(*server, event.task);
      case What::report:
        tell(*server);
        return plan(now_ + kReportEvery_s, What::report, event.endpoint);
      case What::killed:
        return kill(*server, event.endpoint);
      case What::lost:
        engine_.apply(Lost{server->address}, now_);
        return;
      case What::back:
        server->up = true;
        engine_.apply(Reached{server->address}, now_);
        return plan(now_ + kAlive_s, What::killed, event.endpoint);
    }
  }

  void call() {
    const Answer answer = engine_.pick({}, now_);
    const bool counts = now_ >= scene_.after_s;
    felt_.sent += counts;
    const Pick* const pick = std::get_if<Pick>(&answer);
    if (pick == nullptr) {
      felt_.failed += counts;
      return;
    }
    Server& server = servers_[pick->endpoint];
    felt_.sent_to[static_cast<std::size_t>(server.fault)] += counts;
    const Task task{*pick, ++planned_, now_, server.fault == Fault::failing || server.fault == Fault::hole};
    if (!server.up) return ended(task, true);
    count(server);
    const bool told = server.fault != Fault::hole || !scene_.silent;
    *server.report.begun += told;
    if (told) server.running.push_back(task);
    if (!told) felt_.failed += counts;
    plan(now_ + lasts_s(server.fault), What::end, static_cast<int>(pick->endpoint), task);
  }

  double lasts_s(Fault fault) const {
    if (fault == Fault::failing) return 0.001;
    if (fault == Fault::hole) return scene_.timeout_s;
    return fault == Fault::slow ? 10 * scene_.service_s : scene_.service_s;
  }

  void end(Server& server, const Task& task) {
    const auto running = std::find_if(server.running.begin(), server.running.end(),
                                      [&](const Task& one) { return one.number == task.number; });
    if (running == server.running.end()) return;  // it died with its endpoint
    count(server);
    server.running.erase(running);
    ++*server.report.finished;
    ++server.report.own_finished;
    server.report.own_failed += task.fails;
    if (!task.fails) server.report.own_latency_s += now_ - task.sent_at;
    ended(task, task.fails);
  }

  void ended(const Task& task, bool failed) {
    felt_.failed += failed && task.sent_at >= scene_.after_s;
    if (scene_.accounting == Accounting::done) engine_.done(task.pick, {now_ - task.sent_at, failed}, now_);
  }

  void kill(Server& server, int endpoint) {
    for (const Task& task : std::exchange(server.running, {})) ended(task, true);
    server.up = false;
    server.report = fresh();
    plan(now_ + kNoticed_s, What::lost, endpoint);
    plan(now_ + kAway_s, What::back, endpoint);
  }

  void tell(Server& server) {
    if (!server.up || scene_.accounting == Accounting::done) return;
    count(server);
    server.report.tasks = static_cast<std::uint32_t>(server.running.size());
    engine_.apply(Reported{server.address, server.report}, now_);
  }

  // Time passes for one endpoint's counts.
  void count(Server& server) {
    const double passed_s = now_ - std::exchange(server.counted_to, now_);
    server.report.busy_s += server.running.empty() ? 0 : passed_s;
    server.report.task_s += passed_s * static_cast<double>(server.running.size());
  }

  void plan(double at, What what, int endpoint = -1) { plan(at, what, endpoint, Task{}); }
  void plan(double at, What what, int endpoint, const Task& task) {
    events_.push({at, ++planned_, what, endpoint, task});
  }

  const SickScene scene_;
  Rng rng_;
  Engine<Plain> engine_;
  std::vector<Server> servers_;
  std::priority_queue<Event> events_;
  Felt felt_;
  double now_ = 0;
  std::uint64_t planned_ = 0;
};

inline Felt run(const SickScene& scene) { return SickFleet(scene).run(); }

}  // namespace lbsuite::driver
