#pragma once
// A fleet in virtual time: endpoints that serve in order of arrival, balancers that know them by their reports alone,
// and callers. Nothing waits for a clock, and a seed gives the same run again. Times are in mean services, unless they
// end in _s.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "scene.hpp"

namespace lbsuite::driver {

struct Task {
  double called_at = 0;  // when its caller first asked
  double size = 0;
  std::size_t balancer = 0;
  Pick pick = {};
};

class Fleet {
 public:
  explicit Fleet(const Scene& scene) : scene_(scene), rng_(scene.seed) {
    for (int b = 0; b < scene.balancers; ++b) {
      const std::uint64_t seed = rng_.next();
      balancers_.push_back(std::make_unique<Engine<Plain>>(EngineSettings{
          .policy = parse_policy(scene.policy), .seed = seed, .accounting = scene.accounting, .stages = scene.stages}));
      balancers_.back()->apply(Pickers{static_cast<std::uint32_t>(scene.balancers)}, 0);
    }
    for (int i = 0; i < scene.endpoints; ++i) add_endpoint(i);
  }

  Measured run() {
    for (int i = 0; i < scene_.callers; ++i) plan_call(rng_.uniform() * scene_.service_s);
    if (scene_.callers == 0) plan(0, What::arrival);
    while (times_.size() < static_cast<std::size_t>(scene_.tasks)) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      take(event);
    }
    return measured();
  }

 private:
  enum class What : std::uint8_t { arrival, call, begin, end, report, told };
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
    double speed = 1;
    std::deque<Task> waiting;
    int serving = 0;
    Report report;  // its counts, as of `counted_to`
    std::vector<std::uint64_t> begun;
    double counted_to = 0;
    double reported_at = 0;
    double next_report = kNever;
    bool prompt = false;  // the next report tells a change
    int tasks() const { return serving + static_cast<int>(waiting.size()); }
  };
  struct Told {
    std::string address;
    Report report;
    std::vector<std::uint64_t> begun;
  };

  void add_endpoint(int i) {
    Server& server = servers_.emplace_back();
    server.address = std::to_string(i);
    if (static_cast<std::size_t>(i) < scene_.speeds.size()) server.speed = scene_.speeds[static_cast<std::size_t>(i)];
    server.begun.resize(balancers_.size());
    server.report.finished = 0;
    server.report.interval_s = interval_s();
    server.report.prompt_s = scene_.prompt_s;
    capacity_ += server.speed * scene_.slots / scene_.service_s;
    for (auto& balancer : balancers_) balancer->apply(Joined{server.address, 1, scene_.limit, "", kUnordered, 0}, 0);
    plan_report(i, rng_.uniform() * interval_s());
  }

  void take(const Event& event) {
    switch (event.what) {
      case What::arrival:
        call({now_, scene_.size(rng_)});
        return plan(now_ + Exponential().draw(rng_) / (scene_.load * capacity_), What::arrival);
      case What::call:
        return call(event.task);
      case What::begin:
        return begin(event.endpoint, event.task);
      case What::end:
        return end(event.endpoint, event.task);
      case What::report:
        if (event.at == server(event.endpoint).next_report) report(event.endpoint);
        return;
      case What::told:
        return tell();
    }
  }

  void call(Task task) {
    task.balancer = rng_.below(static_cast<std::uint32_t>(scene_.balancers));
    const int chosen = choose(*balancers_[task.balancer], task);
    ++picks_;
    if (chosen < 0) return refuse(task);
    plan(now_ + scene_.way_s, What::begin, chosen, task);
  }

  int choose(Engine<Plain>& balancer, Task& task) {
    if (scene_.estimate == Estimate::as_reported) {
      const auto index = [](const Endpoint<Plain>* one) { return one == nullptr ? -1 : static_cast<int>(one->index); };
      return balancer.choose({}, now_, 0, index);
    }
    const Answer answer = balancer.pick({.cost = cost(task)}, now_);
    const Pick* pick = std::get_if<Pick>(&answer);
    if (pick == nullptr) return -1;
    task.pick = *pick;
    return static_cast<int>(pick->endpoint);
  }

  std::uint32_t cost(const Task& task) const {
    return static_cast<std::uint32_t>(std::clamp(std::round(scene_.cost * task.size), 1.0, 4e9));
  }

  // Its caller asks again.
  void refuse(const Task& task) {
    ++refused_;
    plan(now_ + (scene_.way_s > 0 ? scene_.way_s : scene_.service_s / 100), What::call, -1, task);
  }

  void begin(int endpoint, const Task& task) {
    Server& at = server(endpoint);
    count(at);
    ++at.begun[task.balancer];
    if (scene_.limit != 0 && at.tasks() >= static_cast<int>(scene_.limit)) {
      release(task);
      refuse(task);
      return changed(endpoint);
    }
    at.waiting.push_back(task);
    serve(endpoint);
    if (scene_.balancers > 1) changed(endpoint);
  }

  void serve(int endpoint) {
    Server& at = server(endpoint);
    if (at.serving == scene_.slots || at.waiting.empty()) return;
    ++at.serving;
    const Task& task = at.waiting.front();
    plan(now_ + task.size * scene_.service_s / at.speed, What::end, endpoint, task);
    at.waiting.pop_front();
  }

  void release(const Task& task) {
    if (scene_.accounting == Accounting::done) balancers_[task.balancer]->done(task.pick, {}, now_);
  }

  void end(int endpoint, const Task& task) {
    Server& at = server(endpoint);
    count(at);
    --at.serving;
    ++*at.report.finished;
    release(task);
    times_.push_back((now_ - task.called_at) / scene_.service_s);
    sizes_.push_back(task.size);
    if (scene_.callers > 0) plan_call(now_);
    serve(endpoint);
    changed(endpoint);
  }

  // Time passes for one endpoint's counts.
  void count(Server& at) {
    const double passed_s = now_ - at.counted_to;
    at.counted_to = now_;
    at.report.busy_s += at.tasks() > 0 ? passed_s : 0;
    at.report.task_s += passed_s * at.tasks();
  }

  void changed(int endpoint) {
    Server& at = server(endpoint);
    if (scene_.prompt_s <= 0 || at.prompt) return;
    at.prompt = true;
    plan_report(endpoint, std::max(now_, at.reported_at + scene_.prompt_s / 2));
  }

  void report(int endpoint) {
    Server& at = server(endpoint);
    count(at);
    at.reported_at = now_;
    at.prompt = false;
    at.report.tasks = static_cast<std::uint32_t>(at.tasks());
    plan_report(endpoint, now_ + interval_s() * (0.8 + 0.4 * rng_.uniform()));
    told_.push_back({at.address, at.report, at.begun});
    if (scene_.estimate != Estimate::dead_reckoned) told_.back().report.finished.reset();
    plan(now_ + scene_.way_s, What::told, endpoint);
  }

  // Reports arrive in the order in which they went.
  void tell() {
    Told told = std::move(told_.front());
    told_.pop_front();
    Reported reported{told.address, told.report};
    for (std::size_t b = 0; b < balancers_.size(); ++b) {
      if (scene_.tokens) reported.report.begun = told.begun[b];
      balancers_[b]->apply(reported, now_);
    }
  }

  void plan(double at, What what, int endpoint = -1, const Task& task = {}) {
    events_.push({at, ++planned_, what, endpoint, task});
  }

  void plan_call(double at) { plan(at, What::call, -1, {at, scene_.size(rng_)}); }

  void plan_report(int endpoint, double at) {
    server(endpoint).next_report = at;
    plan(at, What::report, endpoint);
  }

  Measured measured() {
    std::vector<double> all, small;
    double sum = 0;
    for (std::size_t i = times_.size() / 10; i < times_.size(); ++i) {
      all.push_back(times_[i]);
      sum += times_[i];
      if (sizes_[i] <= scene_.small) small.push_back(times_[i]);
    }
    return {sum / static_cast<double>(all.size()), p99(all), p99(small),
            static_cast<double>(refused_) / static_cast<double>(picks_)};
  }

  static double p99(std::vector<double>& times) {
    if (times.empty()) return 0;
    const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size()) * 99 / 100;
    std::nth_element(times.begin(), at, times.end());
    return *at;
  }

  Server& server(int endpoint) { return servers_[static_cast<std::size_t>(endpoint)]; }
  double interval_s() const { return scene_.report_every * scene_.service_s; }
  const Scene scene_;
  Rng rng_;
  std::vector<std::unique_ptr<Engine<Plain>>> balancers_;
  std::vector<Server> servers_;
  std::priority_queue<Event> events_;
  std::deque<Told> told_;  // reports on their way
  std::vector<double> times_;
  std::vector<double> sizes_;  // of the same tasks
  double capacity_ = 0;        // tasks a second that all can serve
  double now_ = 0;
  std::uint64_t planned_ = 0;
  std::uint64_t picks_ = 0;
  std::uint64_t refused_ = 0;
};

inline Measured run(const Scene& scene) { return Fleet(scene).run(); }

}  // namespace lbsuite::driver
