#pragma once
#include <cmath>
#include <ranges>
#include <utility>

#include "bits/fields.hpp"
#include "policy/parts/failing.hpp"
#include "policy/parts/least.hpp"
#include "policy/parts/per_place.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// C3 (Suresh et al., "C3: cutting tail latency in cloud data stores via adaptive replica selection", 2015): the ready
// endpoint with the least score R - S + Q^3 S, where R is its mean response time, S its mean service time (one over
// the service rate), and Q = 1 + own tasks there x pickers + its mean queue. Averages weigh the newest by alpha. Cost:
// one score an endpoint. Ties are broken uniformly.
//   Sources: the paper's abstract; the authors' simulator (absim, client.py), whose alpha is .9; Elasticsearch
//   (ResponseCollectorService.java), whose alpha is .3 and whose times are milliseconds, as the form is linear in them.
//   Feedback: reports tell queue and service time (busy time over tasks finished). Where there are none, the tasks left
//   at an end are the queue, and the latency, shared evenly among those and the one that ended, the service time.
//   Left out: the cubic limit on the rate to each server. It holds requests back in a queue of the client, which a
//   pick cannot do; Elasticsearch leaves it out, too, and what protects an endpoint here is its limit.
//   Ours: one not heard of yet is tried first, and then waited for; an error counts for at least what a task there took
//   so far, and those that fail score more.
class C3 {
 public:
  static constexpr std::string_view name = "c3";
  static constexpr std::string_view goes_by = "least C3 score";
  static constexpr Needs needs = {.outcomes = true};
  struct Settings : PolicySettings {
    Real alpha{0.9, 0.001, 1};
    Real exponent{3, 1, 10};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("alpha", alpha);
      visit("exponent", exponent);
    }
  };
  using Shared = NothingShared;

  explicit C3(const Settings& settings, Shared&) : settings_(settings) {}

  void room(std::uint32_t places) { seen_.room(places); }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const auto score = [&](std::uint32_t i) {
      const double own = candidates.own(i);
      const Seen& seen = seen_[candidates.place(i)];
      if (!seen.response_s.known) return own > 0 ? kPenalty_s + own : 0;
      const double queue = 1 + own * candidates.pickers() + seen.queue.value;
      const double service_s = seen.service_s.value;
      const double cost = seen.response_s.value - service_s + std::pow(queue, settings_.exponent) * service_s;
      return seen.failing.charged(cost, candidates.now());
    };
    return least(candidates, std::views::iota(0U, candidates.size()), score, rng);
  }

  void ended(const Endings& endings, double now) {
    Seen& seen = seen_[endings.place];
    const double latency_s = endings.counted_s(seen.response_s.known ? seen.response_s.value : all_s_.value);
    const double weight = 1 - std::pow(1 - settings_.alpha, endings.count);
    seen.response_s.learn(latency_s, weight);
    seen.failing.ended(endings, now);
    if (!seen.tells_queue) seen.queue.learn(endings.tasks, weight);
    if (!seen.tells_service) seen.service_s.learn(latency_s / (1 + endings.tasks), weight);
    if (endings.failed < endings.count) all_s_.learn(latency_s, weight);
  }

  template <class Report>
  void reported(Place place, const Report& report, double) {
    Seen& seen = seen_[place];
    seen.queue.known &= std::exchange(seen.tells_queue, true);  // what was guessed before is forgotten
    seen.queue.learn(report.tasks, settings_.alpha);
    if (!report.finished) return;
    const auto finished = static_cast<double>(*report.finished);
    if (finished < seen.finished || report.busy_s < seen.busy_s) seen.finished = seen.busy_s = 0;  // it started anew
    if (finished <= seen.finished || report.busy_s <= seen.busy_s) return;
    seen.service_s.known &= std::exchange(seen.tells_service, true);
    seen.service_s.learn((report.busy_s - seen.busy_s) / (finished - seen.finished), settings_.alpha);
    seen.finished = finished;
    seen.busy_s = report.busy_s;
  }

 private:
  struct Average {
    double value = 0;
    bool known = false;
    void learn(double sample, double weight) {
      value = known ? value + weight * (sample - value) : sample;
      known = true;
    }
  };
  struct Seen {
    Average response_s, service_s, queue;
    Failing failing;
    bool tells_queue = false;
    bool tells_service = false;
    double finished = 0;
    double busy_s = 0;
  };

  static constexpr double kPenalty_s = 1e6;
  const Settings settings_;
  PerPlace<Seen> seen_;
  Average all_s_;  // response time of every success
};

}  // namespace lbsuite
