#pragma once
#include "bits/fields.hpp"
#include "policy/parts/idle_queues.hpp"
#include "policy/parts/least.hpp"
#include "policy/parts/positions.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Join the idle queue (Lu et al., "Join-Idle-Queue: a novel load balancing algorithm for dynamically scalable web
// services", 2011): each lane has a queue of idle endpoints and sends to its head; one that turns idle, by the end of
// its last task or by its report, joins the shortest of a few queues (JIQ-SQ(2); 1: JIQ-Random). One that fails leaves
// its queue until it is idle again. Where the paper draws anyone, its queue being empty, the less loaded of two is taken.
// Cost: a short lock shared by all lanes.
class JoinIdleQueue {
 public:
  static constexpr std::string_view name = "join_idle_queue";
  static constexpr std::string_view goes_by = "first in the queue of the idle, or else least score of two";
  struct Settings : PolicySettings {
    Whole queues{2, 1, 32};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("queues", queues);
    }
  };
  using Shared = IdleQueues;
  using Plan = Positions;
  explicit JoinIdleQueue(const Settings& settings, Shared& idle)
      : settings_(settings), idle_(idle), own_(idle.open()) {}

  void room(std::uint32_t places) { idle_.room(places); }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Plan& plan, const Request&, Rng& rng) {
    const Place head = idle_.take(own_, [&](Place place) {
      const std::uint32_t i = plan.of(place, candidates);
      if (i == kNobody || candidates.tasks(i) > 0) return IdleQueues::Turn::gone;
      return candidates.ready(i) ? IdleQueues::Turn::taken : IdleQueues::Turn::kept;
    });
    if (head.generation != 0) return plan.of(head, candidates);
    return least_loaded(candidates, Sample(candidates, 2, rng), rng);
  }

  void ended(const Endings& endings, double) {
    if (endings.failed > 0) {
      idle_.leave(endings.place);
    } else if (endings.tasks == 0) {
      idle_.join(endings.place, settings_.queues);
    }
  }
  template <class Report>
  void reported(Place place, const Report& report, double) {
    if (report.tasks == 0) idle_.join(place, settings_.queues);
  }

 private:
  const Settings settings_;
  IdleQueues& idle_;
  const std::uint32_t own_;
};

}  // namespace lbsuite
