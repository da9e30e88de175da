#pragma once
// engine: one service. A roster of endpoints, the policies that pick among them, leases, and the event log.
//
// A host feeds it events, requests, outcomes and the time, and acts on its effects; it reads no clock, opens no socket
// and draws no entropy. Times are seconds of one monotonic clock; a time older than the last event counts as that.
// Threads: any thread may pick, choose and end; each lane serves one thread at a time. Everything else takes the
// writer lock. Bad input throws std::invalid_argument with the value and changes nothing.

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events.hpp"
#include "engine/membership.hpp"
#include "engine/pickers.hpp"
#include "policy/policies.hpp"
#include "policy/request.hpp"

namespace lbsuite {

struct EngineSettings {
  AnySettings policy = LeastLoad::Settings{};
  std::uint64_t seed = 1;
  Signal signal = Signal::tasks;
  Accounting accounting = Accounting::done;
};

template <class Model>
class Engine {
 public:
  static constexpr std::uint32_t kMostLanes = 256;
  static constexpr std::uint32_t kMostPolicies = 64;

  explicit Engine(const EngineSettings& settings);
  ~Engine();

  // False if the endpoint that the event is about is not there (or, for Joined, was there already).
  bool apply(const Event& event, double now);

  Answer pick(const Request& request, double now, std::uint32_t lane = 0);
  // The cheap twin: chooses, and counts nothing. `use` gets the endpoint, or nullptr, while it cannot go away.
  template <class Use>
  auto choose(const Request& request, double now, std::uint32_t lane, Use&& use);
  // Ends a pick of a `done` engine; one of an endpoint that has left is forgotten.
  void done(const Pick& pick, const Outcome& outcome, double now);

  // When `expire` has something to do next; kNever if nothing is due.
  double next_deadline() const;
  void expire(double now);
  // What happened since the last call, oldest first; the oldest go when nobody asks.
  std::vector<Effect> effects();

  // The number by which requests name a policy; one that is new to the engine is taken up.
  std::uint32_t policy(std::string_view spec);
  // Opens a lane for one more thread; lane 0 is there from the start.
  std::uint32_t open_lane();

  NotReady why() const;  // of a pick that found nobody
  bool any_ready() const;
  std::vector<Standing> standings(double now) const;
  std::optional<std::string> address(std::uint32_t index, std::uint32_t generation) const;
  std::size_t size() const;
  Accounting accounting() const { return settings_.accounting; }
  std::string spec() const { return policy_spec(settings_.policy); }

  // From now on each call is told to `sink`, picks included, one at a time; an empty sink ends it.
  void record(std::function<void(const Record&)> sink);

 private:
  struct Lane;

  Answer find(const Request& request, double now, Lane& lane);
  Lane& lane(std::uint32_t number);
  Picker<Model>& picker(Lane& lane, std::uint32_t policy);
  double clock(double now) const { return std::max(now, last_.get()); }
  template <class What>
  void log(const What& what, double now, std::uint32_t lane = 0);

  const EngineSettings settings_;
  mutable std::mutex writing_;
  Membership<Model> members_;
  typename Model::template Cell<double> last_{-kNever};
  std::array<std::atomic<PickerSource<Model>*>, kMostPolicies> sources_{};
  std::vector<std::string> specs_;
  std::array<std::atomic<Lane*>, kMostLanes> lanes_{};
  std::uint32_t open_lanes_ = 0;

  std::atomic<bool> recording_{false};
  std::function<void(const Record&)> sink_;
  std::uint64_t records_ = 0;
};

template <class Model>
struct Engine<Model>::Lane {
  std::uint32_t number;
  std::uint64_t picks = 0;
  std::array<std::unique_ptr<Picker<Model>>, kMostPolicies> pickers;
};

template <class Model>
template <class Use>
auto Engine<Model>::choose(const Request& request, double now, std::uint32_t number, Use&& use) {
  Picker<Model>& chooser = picker(lane(number), request.policy);
  return members_.roster().visit([&](const View<Model>& view) {
    const Candidates<Model> candidates(view, {}, clock(now), members_.ranking(), members_.freshness().choices());
    const std::uint32_t chosen = chooser.pick(candidates, request);
    return use(chosen == kNobody ? nullptr : &candidates[chosen]);
  });
}

extern template class Engine<Shared>;
extern template class Engine<Plain>;

}  // namespace lbsuite
