#include "engine/engine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bits/check.hpp"
#include "engine/endings.hpp"

namespace lbsuite {
namespace {

constexpr const char* kTold = "an engine is recorded from its start, once: this one was told or asked something before";

}  // namespace

template <class Model>
Engine<Model>::Engine(const EngineSettings& settings)
    : settings_(settings),
      members_(settings.roster, settings.signal, settings.accounting, settings.stages),
      picking_(members_, last_, settings.scanned),
      lanes_(writing_, members_, settings.seed, settings.gives),
      queue_(settings.queue, members_, picking_, lanes_, recorder_) {
  members_.roster().plan_by([this](View<Model>& view) {
    for (View<Model>* level = &view; level != nullptr; level = level->beyond.get()) {
      lanes_.plan(*level, picking_.candidates_of(*level, {}, last_.get()));
    }
    picking_.follow(view);
  });
  lanes_.switch_to(policy(policy_spec(settings.policy)));
  open_lane();
  if (queue_.on()) queue_.open(open_lane());
}

template <class Model>
bool Engine<Model>::apply(const Event& event, double now) {
  const std::lock_guard lock(writing_);
  now = clock(now);
  Report before;
  if (std::holds_alternative<Joined>(event)) {
    lanes_.each_listener([&](Picker<Model>& picker) { picker.room(members_.roster().places() + 1); });
  } else if (const auto* reported = std::get_if<Reported>(&event)) {
    if (const auto* endpoint = members_.roster().find(reported->address)) before = endpoint->last;
  }
  const bool taken = members_.apply(event, now);
  last_.set(now);
  if (taken) tell(event, before, now);
  std::visit([&](const auto& what) { recorder_.add(what, now); }, event);
  queue_.serve(now);
  return taken;
}

// What an event means to the policies that listen; `before` is what a reporting endpoint said last.
template <class Model>
void Engine<Model>::tell(const Event& event, const Report& before, double now) {
  if (const auto* probed = std::get_if<Probed>(&event)) {
    const auto& endpoint = *members_.roster().find(probed->address);
    const ProbeAnswer answer{{endpoint.index, endpoint.generation}, probed->tasks, probed->latency_s};
    lanes_.each_listener([&](Picker<Model>& picker) { picker.probed(answer, now); });
  } else if (const auto* reported = std::get_if<Reported>(&event)) {
    auto& endpoint = *members_.roster().find(reported->address);
    const Place place{endpoint.index, endpoint.generation};
    const Endings endings = endings_between(before, reported->report, place, endpoint.load.tasks());
    lanes_.each_listener([&](Picker<Model>& picker) {
      if (endings.count > 0) picker.ended(endings, now);
      picker.reported(place, reported->report, now);
    });
    const bool wanted = endings.count > 0 && members_.ended(endpoint, endings, now);
    if (wanted || endpoint.outcomes.missing_in_a_row() > 0) members_.review(now);
  }
}

template <class Model>
Answer Engine<Model>::pick(const Request& request, double now, std::uint32_t number) {
  Lane<Model>& own = lanes_.lane(number);
  const Answer answer = recorder_.on() || samples_.on() || queue_.on()
                            ? pick_or_wait(request, now, own)
                            : picking_.pick(lanes_.choosers(own, request.policy, false), request, now, own);
  if (!std::holds_alternative<Pick>(answer)) [[unlikely]]
    count(answer);
  return answer;
}

template <class Model>
bool Engine<Model>::cancel(const Ticket& ticket, double now) {
  const std::lock_guard lock(writing_);
  last_.set(clock(now));
  recorder_.add(Cancelled{ticket.number}, last_.get());
  return queue_.cancel(ticket);
}

template <class Model>
Endpoint<Model>* Engine<Model>::decide(const View<Model>& view, const Choosers<Model>& choosers, const Request& request,
                                       double now, Lane<Model>& lane, bool recorded) {
  Endpoint<Model>* const chosen = picking_.choose(view, choosers, request, now, lane);
  if (recorded) {
    const std::string found = chosen == nullptr ? spell(why_nobody(view)) : chosen->address;
    recorder_.asked(lanes_.spec(request.policy), request, NotReady::none, found, clock(now), lane.number, false);
  }
  return chosen;
}

template <class Model>
void Engine<Model>::done(const Pick& pick, const Outcome& outcome, double now) {
  if (settings_.accounting != Accounting::done) [[unlikely]]
    check(false, "an engine whose reports free the slots takes no done()");
  std::unique_lock lock(writing_, std::defer_lock);
  const bool recorded = recorder_.on();
  if (recorded) [[unlikely]]
    lock.lock();
  end(pick, outcome, clock(now), recorded);
  if (recorded) [[unlikely]]
    recorder_.add(Ended{pick.in_lane(), outcome}, clock(now), pick.lane());
  if (!queue_.wanted()) [[likely]]
    return;
  if (!recorded) lock.lock();
  queue_.serve(clock(now));
}

template <class Model>
void Engine<Model>::end(const Pick& pick, const Outcome& outcome, double now, bool writing) {
  static constexpr std::int32_t kGone = -1;
  Endings endings{{pick.endpoint, pick.generation}, 1, outcome.failed ? 1U : 0U, outcome.latency_s, kGone,
                  outcome.refused ? 1U : 0U};
  const bool wanted = members_.roster().visit([&](const View<Model>& view) {
    if (pick.endpoint >= view.places.size()) return false;
    Endpoint<Model>* const endpoint = view.places[pick.endpoint];
    if (endpoint == nullptr || endpoint->generation != pick.generation) return false;
    endpoint->load.end(pick.cost);
    if (pick.big) endpoint->big_tasks.end();
    members_.roster().touches().add(pick.endpoint);
    endings.tasks = endpoint->load.tasks();
    if (members_.stages().counts()) members_.stages().counted(-1);
    return members_.stages().hears() && members_.ended(*endpoint, endings, now);
  });
  if (endings.tasks == kGone) return;
  // Told after the visit: whoever hears it may look at the roster, too.
  lanes_.each_listener(lanes_.lane(pick.lane()), [&](Picker<Model>& picker) { picker.ended(endings, now); });
  if (!wanted) [[likely]]
    return;
  std::unique_lock lock(writing_, std::defer_lock);
  if (!writing) lock.lock();
  members_.review(now);
}

template <class Model>
double Engine<Model>::next_deadline() const {
  const std::lock_guard lock(writing_);
  return std::min(members_.next_deadline(last_.get()), queue_.next_deadline());
}

template <class Model>
void Engine<Model>::expire(double now) {
  const std::lock_guard lock(writing_);
  now = clock(now);
  members_.pass_time(now);
  last_.set(now);
  recorder_.add(Expired{}, now);
  queue_.serve(now);
}

template <class Model>
std::vector<Effect> Engine<Model>::effects() {
  const std::lock_guard lock(writing_);
  std::vector<Effect> effects = members_.effects();
  std::ranges::move(queue_.effects(), std::back_inserter(effects));
  std::ranges::stable_sort(effects, {}, &Effect::now);
  for (const Place place : lanes_.wanted_probes()) {
    const auto address = this->address(place.index, place.generation);
    if (address) effects.push_back({EffectKind::probe, *address, last_.get()});
  }
  return effects;
}

template <class Model>
std::vector<Standing> Engine<Model>::standings(double now) const {
  const std::lock_guard lock(writing_);
  return members_.standings(clock(now));
}

template <class Model>
std::uint32_t Engine<Model>::policy(std::string_view spec) {
  if (const std::uint32_t known = this->known(spec)) return known;
  const AnySettings settings = parse_policy(spec);
  return policy(policy_spec(settings), picker_source<Model>(settings));
}

template <class Model>
std::uint32_t Engine<Model>::policy(std::string_view spec, std::unique_ptr<PickerSource<Model>> source) {
  const std::lock_guard lock(writing_);
  return lanes_.add(spec, std::move(source));
}

template <class Model>
std::uint32_t Engine<Model>::known(std::string_view spec) const {
  const std::lock_guard lock(writing_);
  return lanes_.find(spec);
}

template <class Model>
void Engine<Model>::switch_to(std::uint32_t policy, double now) {
  const std::lock_guard lock(writing_);
  lanes_.switch_to(policy);
  last_.set(clock(now));
  recorder_.add(Switched{lanes_.spec(policy)}, last_.get());
}

template <class Model>
void Engine<Model>::shadow(std::uint32_t policy, double now) {
  const std::lock_guard lock(writing_);
  lanes_.shadow(policy);
  picking_.count_shadow_anew();
  last_.set(clock(now));
  recorder_.add(Shadowed{lanes_.spec(policy)}, last_.get());
}

template <class Model>
std::string Engine<Model>::spec() const {
  const std::lock_guard lock(writing_);
  return lanes_.own_spec();
}

template <class Model>
std::uint32_t Engine<Model>::open_lane() {
  const std::lock_guard lock(writing_);
  return lanes_.open();
}

template <class Model>
NotReady Engine<Model>::why() const {
  return members_.roster().visit(why_nobody<Model>);
}

template <class Model>
std::optional<std::string> Engine<Model>::address(std::uint32_t index, std::uint32_t generation) const {
  return members_.roster().visit([&](const View<Model>& view) -> std::optional<std::string> {
    if (index >= view.places.size() || view.places[index] == nullptr) return std::nullopt;
    const Endpoint<Model>& endpoint = *view.places[index];
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
std::string Engine<Model>::spell(const Answer& answer) const {
  if (const auto* pick = std::get_if<Pick>(&answer)) return address(pick->endpoint, pick->generation).value_or("");
  const auto* nobody = std::get_if<NotReady>(&answer);
  return nobody == nullptr ? "waiting" : std::string(kNotReady[static_cast<std::size_t>(*nobody)]);
}

template <class Model>
void Engine<Model>::check_untold() const {
  const std::lock_guard lock(writing_);
  check(!told(), kTold);
}

template <class Model>
void Engine<Model>::record(Recorder::Sink sink) {
  const std::lock_guard lock(writing_);
  check(!sink || !told(), kTold);
  recorder_.set(std::move(sink));
}

template <class Model>
bool Engine<Model>::told() const {
  return recorder_.on() || last_.get() > -kNever || lanes_.asked();
}

template class Engine<Shared>;
template class Engine<Plain>;

}  // namespace lbsuite
