#pragma once
// Tells a sink what an engine is told and asked, one record at a time, while there is a sink. Any thread may ask whether
// it is on; everything else is under the engine's writer lock. A log with a gap is none: a sink that throws is not called
// again, and the engine goes on as if nothing had happened.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "engine/events.hpp"
#include "policy/request.hpp"

namespace lbsuite {

class Recorder {
 public:
  using Sink = std::function<void(const Record&)>;

  bool on() const { return on_.load(std::memory_order_relaxed); }

  // An empty sink ends it.
  void set(Sink sink) {
    on_.store(static_cast<bool>(sink), std::memory_order_relaxed);
    sink_ = std::move(sink);
  }

  template <class What>
  void add(const What& what, double now, std::uint32_t lane = 0) {
    if (!on()) return;
    try {
      sink_({lane, now, what});
    } catch (...) {
      on_.store(false, std::memory_order_relaxed);
    }
  }

  // spec: of the policy that the request names; empty if it names none. spelled: the answer, as the log has it.
  void asked(std::string spec, const Request& request, const Answer& answer, std::string spelled, double now,
             std::uint32_t lane, bool counted = true) {
    if (!on()) return;
    const auto* pick = std::get_if<Pick>(&answer);
    const auto* ticket = std::get_if<Ticket>(&answer);
    Asked asked{.policy = std::move(spec),
                .key = std::string(request.key),
                .cost = request.cost,
                .exclude = {request.exclude.begin(), request.exclude.end()},
                .deadline = request.deadline,
                .priority = request.priority,
                .attempt = request.attempt,
                .counted = counted,
                .sequence = pick == nullptr ? 0 : pick->in_lane(),
                .answer = std::move(spelled),
                .ticket = ticket == nullptr ? 0 : ticket->number};
    add(asked, now, lane);
  }

 private:
  std::atomic<bool> on_{false};
  Sink sink_;
};

}  // namespace lbsuite
