#pragma once
// engine: one service. A roster of endpoints, the policies that pick among them, the stages that protect them, leases,
// and the event log.
//   events      what goes in and comes out       membership   who may be picked, as events and time change it
//   picking     how one request gets its endpoint
//   watched     what is done where somebody watches picks
//   explanation a pick told in full               witness    who notes it down     samples    which are kept
//   lanes       which policies answer whom       pickers      a policy in a lane, and what lanes share of it
//   candidates  the endpoints as a policy sees them           leaderboard  the least loaded of very many
//   freshness   what `choices=auto` goes by      endings, probes  what policies hear of, and ask for
//   queue       who waits for a slot               waiters    the order in which they are served
//   recorder, event_log, record_fields, replay   the event log: told to a sink, as text, field by field, fed again
// Hosts call in here, in C++ or through bind.
//
// A host feeds it events, requests, outcomes and the time, and acts on its effects; it reads no clock, opens no socket
// and draws no entropy. Times are seconds of one monotonic clock; a time older than the last event counts as that.
// Threads: any thread may pick, choose and end; each lane serves one thread at a time. Everything else takes the
// writer lock. Bad input throws std::invalid_argument with the value and changes nothing.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/events.hpp"
#include "engine/lanes.hpp"
#include "engine/membership.hpp"
#include "engine/picking.hpp"
#include "engine/queue.hpp"
#include "engine/recorder.hpp"
#include "engine/samples.hpp"
#include "policy/policies.hpp"
#include "policy/request.hpp"
#include "stage/stages.hpp"

namespace lbsuite {

struct EngineSettings {
  AnySettings policy = LeastLoad::Settings{};
  std::uint64_t seed = 1;
  Signal signal = Signal::tasks;
  Accounting accounting = Accounting::done;
  Needs gives = {.outcomes = true, .probes = true};  // of what policies may need, what the host gives
  RosterKind roster = RosterKind::snapshot;
  std::uint32_t scanned = 64;  // up to so many endpoints are compared one by one, of more the least loaded is known
  std::vector<AnyStage> stages = {};
  QueueSettings queue = {};
};

template <class Model>
class Engine {
 public:
  explicit Engine(const EngineSettings& settings);

  // False if the endpoint that the event is about is not there (or, for Joined, was there already).
  bool apply(const Event& event, double now);

  // Where waiting is on, who finds all full gets a ticket, if the queue has room.
  Answer pick(const Request& request, double now, std::uint32_t lane = 0);
  // The caller waits no longer; false if its waiting is over already: what became of it is, or was, among the effects.
  bool cancel(const Ticket& ticket, double now);
  // The cheap twin: chooses, and counts nothing. `use` gets the endpoint, or nullptr, while it cannot go away.
  template <class Use>
  auto choose(const Request& request, double now, std::uint32_t lane, Use&& use);
  // Chooses for as many requests like this one as `chosen` has room for: the indices of endpoints. Returns how many;
  // fewer only if nobody is ready.
  std::size_t choose_many(const Request& request, double now, std::uint32_t lane, std::span<std::uint32_t> chosen);
  // Ends a pick of a `done` engine; one of an endpoint that has left is forgotten.
  void done(const Pick& pick, const Outcome& outcome, double now);

  // When `expire` has something to do next; kNever if nothing is due.
  double next_deadline() const;
  void expire(double now);
  // What happened since the last call, oldest first; the oldest go when nobody asks.
  std::vector<Effect> effects();

  // The number by which requests name a policy, from 1; one that is new to the engine is taken up. Throws if it needs
  // what the host does not give.
  std::uint32_t policy(std::string_view spec);
  std::uint32_t policy(std::string_view spec, std::unique_ptr<PickerSource<Model>> source);
  // From now on requests that name no policy get this one; nothing else changes.
  void switch_to(std::uint32_t policy, double now);
  // From now on this policy is asked, too, where another, the engine's own, picks, but not obeyed; 0: none is. Counts
  // begin anew.
  void shadow(std::uint32_t policy, double now);
  Shadow shadow() const { return picking_.shadow(); }
  // Opens a lane for one more thread; lane 0 is there from the start.
  std::uint32_t open_lane();

  // From now on each `every`-th pick that a lane is asked for is told in full, and the newest few are kept; 0: none. Costs
  // one that is told the writer lock and a look at each endpoint.
  void sample(std::uint32_t every) { samples_.set(every); }
  // Of a pick, if it was sampled and is still kept.
  std::optional<Explanation> explain(const Pick& pick) const {
    const std::lock_guard lock(writing_);
    return samples_.find(pick.sequence);
  }
  // The newest that are kept, newest last.
  std::vector<Explanation> records(std::size_t most = Samples::kKept) const {
    const std::lock_guard lock(writing_);
    return samples_.newest(most);
  }
  // What a pick would be now, told in full. As `choose` it counts nothing, and is a turn unless a stage refuses it.
  Explanation explain_choice(const Request& request, double now, std::uint32_t lane = 0);
  // What has happened since the start, by name: "picks", "tickets", "refused_<why>", "ejected_by_<stage>",
  // "returned_by_<stage>".
  std::vector<std::pair<std::string, std::uint64_t>> counters() const;

  NotReady why() const;  // of a pick that found nobody
  // Whether a stage would refuse such a request now; nothing is counted.
  std::optional<NotReady> refusal(const Request& request, double now) { return picking_.refusal(request, now); }
  bool any_ready() const { return picking_.any_ready(); }
  std::vector<Standing> standings(double now) const;
  std::optional<std::string> address(std::uint32_t index, std::uint32_t generation) const;
  std::size_t size() const;
  Accounting accounting() const { return settings_.accounting; }
  const EngineSettings& settings() const { return settings_; }
  std::string spec() const;  // of the engine's own policy

  // The address of a pick, else why there is none.
  std::string spell(const Answer& answer) const;

  // From now on each call is told to `sink`, picks included, one at a time; an empty sink ends it, as does one that
  // throws. Throws if the engine was told or asked anything before, as does the check alone.
  void record(Recorder::Sink sink);
  void check_untold() const;

 private:
  Answer pick_or_wait(const Request& request, double now, Lane<Model>& lane);
  // One who was not picked for at once.
  void count(const Answer& answer);
  // What `choose` finds where there is more to it than the policy's word.
  Endpoint<Model>* decide(const View<Model>& view, const Choosers<Model>& choosers, const Request& request, double now,
                          Lane<Model>& lane, bool recorded);
  void tell(const Event& event, const Report& before, double now);
  // writing: the caller holds the writer lock.
  void end(const Pick& pick, const Outcome& outcome, double now, bool writing);
  double clock(double now) const { return picking_.clock(now); }
  bool told() const;
  std::uint32_t known(std::string_view spec) const;

  const EngineSettings settings_;
  mutable std::mutex writing_;
  Membership<Model> members_;
  typename Model::template Cell<double> last_{-kNever};
  Picking<Model> picking_;
  Lanes<Model> lanes_;
  Recorder recorder_;
  Queue<Model> queue_;
  Samples samples_;
  std::array<typename Model::template Cell<std::uint64_t>, kNotReady.size()> refused_{};
  typename Model::template Cell<std::uint64_t> tickets_{0};
};

template <class Model>
template <class Use>
auto Engine<Model>::choose(const Request& request, double now, std::uint32_t number, Use&& use) {
  std::unique_lock turn(writing_, std::defer_lock);
  const bool recorded = recorder_.on();
  if (recorded) [[unlikely]]
    turn.lock();
  Lane<Model>& own = lanes_.lane(number);
  const Choosers<Model> asked = lanes_.choosers(own, request.policy, recorded);
  const bool plain = !recorded && asked.shadow == nullptr && request.exclude.empty();
  return members_.roster().visit(
      own.reader, [this, asked, plain, recorded, now, &own, &request, &use](const View<Model>& view) {
        if (!plain || !view.simple) [[unlikely]]
          return use(decide(view, asked, request, now, own, recorded));
        const std::uint32_t chosen = asked.own.pick(picking_.candidates_of(view, {}, now), request);
        return use(chosen == kNobody ? nullptr : view.up[chosen]);
      });
}

template <class Model>
std::size_t Engine<Model>::choose_many(const Request& request, double now, std::uint32_t number,
                                       std::span<std::uint32_t> chosen) {
  constexpr std::size_t kMostInOneVisit = 256;  // what was replaced is kept as long as a visit lasts
  Lane<Model>& own = lanes_.lane(number);
  const Choosers<Model> asked = lanes_.choosers(own, request.policy, false);
  std::size_t found = 0;
  if (recorder_.on() || asked.shadow != nullptr) {
    const auto use = [&](const Endpoint<Model>* endpoint) {
      if (endpoint != nullptr) chosen[found] = endpoint->index;
      return endpoint != nullptr;
    };
    while (found < chosen.size() && choose(request, now, number, use)) ++found;
    return found;
  }
  for (std::size_t before = kMostInOneVisit; found < chosen.size() && before > 0;) {
    const auto room = chosen.subspan(found, std::min(kMostInOneVisit, chosen.size() - found));
    before = members_.roster().visit(own.reader, [&](const View<Model>& view) {
      return view.simple ? asked.own.pick_many(picking_.candidates_of(view, {}, now), request, room)
                         : picking_.choose_many(view, asked, request, now, own, room);
    });
    found += before;
  }
  return found;
}

extern template class Engine<Shared>;
extern template class Engine<Plain>;

}  // namespace lbsuite
