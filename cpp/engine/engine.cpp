#include "engine/engine.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace lbsuite {
namespace {

void check(bool fine, const std::string& why) {
  if (!fine) throw std::invalid_argument(why);
}

template <class Model>
NotReady why_nobody(const View<Model>& view) {
  return view.up.empty() && !view.others_alive ? NotReady::none : NotReady::all_full;
}

}  // namespace

template <class Model>
Engine<Model>::Engine(const EngineSettings& settings)
    : settings_(settings), members_(settings.signal, settings.accounting) {
  policy(spec());
  open_lane();
}

template <class Model>
Engine<Model>::~Engine() {
  for (auto& open : lanes_) delete open.load();
  for (auto& source : sources_) delete source.load();
}

template <class Model>
bool Engine<Model>::apply(const Event& event, double now) {
  const std::lock_guard lock(writing_);
  now = clock(now);
  const bool taken = members_.apply(event, now);
  last_.set(now);
  if (recording_) std::visit([&](const auto& what) { log(what, now); }, event);
  return taken;
}

template <class Model>
Answer Engine<Model>::pick(const Request& request, double now, std::uint32_t number) {
  Lane& own = lane(number);
  if (!recording_) [[likely]]
    return find(request, now, own);
  const std::lock_guard lock(writing_);  // a recorded pick takes its place among the other events
  now = clock(now);
  const Answer answer = find(request, now, own);
  Asked asked{specs_[request.policy], std::string(request.key), request.cost, {},
              request.deadline,       request.priority,         answer};
  asked.exclude.assign(request.exclude.begin(), request.exclude.end());
  log(asked, now, number);
  return answer;
}

template <class Model>
Answer Engine<Model>::find(const Request& request, double now, Lane& own) {
  Picker<Model>& chooser = picker(own, request.policy);
  return members_.roster().visit([&](const View<Model>& view) -> Answer {
    absl::InlinedVector<std::uint32_t, 8> excluded;
    for (const std::string_view address : request.exclude) {
      for (const Endpoint<Model>* endpoint : view.up) {
        if (endpoint->address == address) excluded.push_back(endpoint->index);
      }
    }
    const double time = clock(now);
    const Candidates<Model> candidates(view, excluded, time, members_.ranking(), members_.freshness().choices());
    // Another thread may take the last slot between the policy's look and ours: then it looks again.
    for (std::uint32_t tries = 0; tries <= candidates.size(); ++tries) {
      const std::uint32_t chosen = chooser.pick(candidates, request);
      if (chosen == kNobody) break;
      Endpoint<Model>& endpoint = candidates[chosen];
      if (!endpoint.load.take(time, request.cost)) continue;
      const std::uint64_t sequence = (static_cast<std::uint64_t>(own.number) << 48) | ++own.picks;
      return Pick{endpoint.index, endpoint.generation, sequence, request.cost};
    }
    return why_nobody(view);
  });
}

template <class Model>
void Engine<Model>::done(const Pick& pick, const Outcome& outcome, double now) {
  check(settings_.accounting == Accounting::done, "an engine whose reports free the slots takes no done()");
  const auto end = [&] {
    members_.roster().visit([&](const View<Model>& view) {
      if (pick.endpoint >= view.places.size()) return;
      const auto& endpoint = view.places[pick.endpoint];
      if (endpoint && endpoint->generation == pick.generation) endpoint->load.end(pick.cost);
    });
  };
  if (!recording_) [[likely]]
    return end();
  const std::lock_guard lock(writing_);
  end();
  log(Ended{pick, outcome}, clock(now), static_cast<std::uint32_t>(pick.sequence >> 48));
}

template <class Model>
double Engine<Model>::next_deadline() const {
  const std::lock_guard lock(writing_);
  return members_.next_deadline(last_.get());
}

template <class Model>
void Engine<Model>::expire(double now) {
  const std::lock_guard lock(writing_);
  now = clock(now);
  members_.pass_time(now);
  last_.set(now);
  if (recording_) log(Expired{}, now);
}

template <class Model>
std::vector<Effect> Engine<Model>::effects() {
  const std::lock_guard lock(writing_);
  return members_.effects();
}

template <class Model>
std::vector<Standing> Engine<Model>::standings(double now) const {
  const std::lock_guard lock(writing_);
  return members_.standings(clock(now));
}

template <class Model>
std::uint32_t Engine<Model>::policy(std::string_view spec) {
  const AnySettings settings = parse_policy(spec);
  const std::string whole = policy_spec(settings);
  const std::lock_guard lock(writing_);
  const auto known = std::find(specs_.begin(), specs_.end(), whole);
  const auto number = static_cast<std::uint32_t>(known - specs_.begin());
  if (known != specs_.end()) return number;
  check(number < kMostPolicies, "an engine holds " + std::to_string(kMostPolicies) + " policies; no room for " + whole);
  specs_.push_back(whole);
  sources_[number].store(picker_source<Model>(settings).release(), std::memory_order_release);
  return number;
}

template <class Model>
std::uint32_t Engine<Model>::open_lane() {
  const std::lock_guard lock(writing_);
  check(open_lanes_ < kMostLanes, "an engine has " + std::to_string(kMostLanes) + " lanes");
  auto opened = std::make_unique<Lane>();
  opened->number = open_lanes_;
  lanes_[open_lanes_].store(opened.release(), std::memory_order_release);
  return open_lanes_++;
}

template <class Model>
typename Engine<Model>::Lane& Engine<Model>::lane(std::uint32_t number) {
  Lane* const open = number < kMostLanes ? lanes_[number].load(std::memory_order_acquire) : nullptr;
  if (open == nullptr) check(false, "no lane " + std::to_string(number));
  return *open;
}

template <class Model>
Picker<Model>& Engine<Model>::picker(Lane& own, std::uint32_t policy) {
  if (policy < kMostPolicies && own.pickers[policy]) [[likely]]
    return *own.pickers[policy];
  PickerSource<Model>* source = nullptr;
  if (policy < kMostPolicies) source = sources_[policy].load(std::memory_order_acquire);
  if (source == nullptr) check(false, "no policy with number " + std::to_string(policy));
  own.pickers[policy] = source->lane(own.number, settings_.seed);
  return *own.pickers[policy];
}

template <class Model>
NotReady Engine<Model>::why() const {
  return members_.roster().visit(why_nobody<Model>);
}

template <class Model>
bool Engine<Model>::any_ready() const {
  return members_.roster().visit([](const View<Model>& view) {
    return std::any_of(view.up.begin(), view.up.end(), [](const auto* endpoint) { return !endpoint->load.full(); });
  });
}

template <class Model>
std::optional<std::string> Engine<Model>::address(std::uint32_t index, std::uint32_t generation) const {
  return members_.roster().visit([&](const View<Model>& view) -> std::optional<std::string> {
    if (index >= view.places.size() || !view.places[index]) return std::nullopt;
    const auto& endpoint = *view.places[index];
    if (generation != 0 && endpoint.generation != generation) return std::nullopt;
    return endpoint.address;
  });
}

template <class Model>
std::size_t Engine<Model>::size() const {
  const std::lock_guard lock(writing_);
  return members_.size();
}

template <class Model>
void Engine<Model>::record(std::function<void(const Record&)> sink) {
  const std::lock_guard lock(writing_);
  sink_ = std::move(sink);
  recording_ = static_cast<bool>(sink_);
}

template <class Model>
template <class What>
void Engine<Model>::log(const What& what, double now, std::uint32_t lane) {
  if (sink_) sink_({++records_, lane, now, what});
}

template class Engine<Shared>;
template class Engine<Plain>;

}  // namespace lbsuite
