#pragma once
// Waiting as an option: who finds all full gets a ticket, and a slot as soon as one is free. The policy chooses then, not
// when it was asked (late binding). Nothing waits in here: hosts hold what their callers wait by, and are told by effects.
// One queue an engine. A ticket whose request excludes whoever is free lets those behind it pass.
// `on`, `empty` and `wanted` come from any thread, everything else is under the engine's writer lock. A pick pays for
// none of it where it is off, and otherwise while nobody waits.

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/events.hpp"
#include "engine/lanes.hpp"
#include "engine/membership.hpp"
#include "engine/picking.hpp"
#include "engine/recorder.hpp"
#include "engine/waiters.hpp"

namespace lbsuite {

struct QueueSettings {
  double wait_s = 0;             // the longest that a ticket waits; 0: there are no tickets
  std::uint32_t tickets = 1000;  // that wait at once; who comes beyond finds all full
  QueueOrder order = QueueOrder::fifo;
};

template <class Model>
class Queue {
 public:
  // Throws std::invalid_argument for what makes no sense.
  Queue(const QueueSettings& settings, Membership<Model>& members, Picking<Model>& picking, Lanes<Model>& lanes,
        Recorder& recorder);

  bool on() const { return on_; }
  bool empty() const { return waiting_.load(std::memory_order_relaxed) == 0; }
  // Whether somebody waits, for one who has just made room: who is about to wait is seen here, or sees that room.
  bool wanted() const {
    if (!on_) [[likely]]
      return false;
    if constexpr (Model::threaded) std::atomic_thread_fence(std::memory_order_seq_cst);
    return !empty();
  }

  // Who waits is answered from this lane.
  void open(std::uint32_t lane) { lane_ = lane; }
  // For one who found all full: a pick after all, by `look`, else a ticket, else why there is none.
  template <class Look>
  Answer enter(const Request& request, double now, Look&& look);
  // Answers whom it can; after whatever may have made room, and as time passes.
  void serve(double now);
  // False if its waiting is over already.
  bool cancel(const Ticket& ticket);
  double next_deadline() const { return waiters_.soonest_end(); }
  // What became of tickets since the last call.
  std::vector<Effect> effects() { return std::exchange(told_, {}); }

 private:
  void answer(double now);
  bool answer(std::uint64_t number, const Request& request, double now);
  Answer wait(const Request& request, double now);
  void tell(EffectKind kind, std::uint64_t number, const Pick& pick, std::string address, double now);
  void count() { waiting_.store(static_cast<std::uint32_t>(waiters_.size()), std::memory_order_relaxed); }

  const QueueSettings settings_;
  const bool on_;
  Membership<Model>& members_;
  Picking<Model>& picking_;
  Lanes<Model>& lanes_;
  Recorder& recorder_;
  std::uint32_t lane_ = 0;
  std::uint64_t tickets_ = 0;
  Waiters waiters_;
  std::vector<Effect> told_;
  std::vector<Answered> unrecorded_;       // a record comes after that of what led to it
  std::atomic<std::uint32_t> waiting_{0};  // one who is about to wait is among them
};

template <class Model>
template <class Look>
Answer Queue<Model>::enter(const Request& request, double now, Look&& look) {
  // Announced before the last look: who makes room after that will see that somebody waits.
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  if constexpr (Model::threaded) std::atomic_thread_fence(std::memory_order_seq_cst);
  answer(now);
  Answer found = NotReady::all_full;
  if (picking_.any_ready()) found = look();  // all before this one have had their turn
  if (says_all_full(found)) found = wait(request, now);
  count();
  return found;
}

extern template class Queue<Shared>;
extern template class Queue<Plain>;

}  // namespace lbsuite
