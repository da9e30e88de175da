#include "engine/queue.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "bits/check.hpp"

namespace lbsuite {
namespace {

// A host that fetches its effects after each call never has so many waiting for it.
constexpr std::size_t kMostTold = 4096;

// Whoever asked has long gone: what a policy written in Python raises has nobody to reach.
template <class Model>
class Unheard final : public Picker<Model> {
 public:
  explicit Unheard(Picker<Model>& picker) : Picker<Model>(false, picker.weighs), picker_(picker) {}
  std::uint32_t pick(const Candidates<Model>& candidates, const Request& request) override {
    return picker_.pick_beside(candidates, request);
  }
  std::size_t pick_many(const Candidates<Model>&, const Request&, std::span<std::uint32_t>) override { return 0; }

 private:
  Picker<Model>& picker_;
};

// Whether somebody serves whom the request does not exclude: a slot of anyone else is of no use to it.
template <class Model>
bool worth_waiting(const View<Model>& view, const Request& request) {
  return request.exclude.empty() || std::ranges::any_of(view.places, [&](const Endpoint<Model>* endpoint) {
           return endpoint != nullptr && endpoint->serves() &&
                  std::ranges::find(request.exclude, endpoint->address) == request.exclude.end();
         });
}

}  // namespace

template <class Model>
Queue<Model>::Queue(const QueueSettings& settings, Membership<Model>& members, Picking<Model>& picking,
                    Lanes<Model>& lanes, Recorder& recorder)
    : settings_(settings),
      on_(settings.wait_s > 0),
      members_(members),
      picking_(picking),
      lanes_(lanes),
      recorder_(recorder),
      waiters_(settings.order) {
  check(settings.wait_s >= 0 && settings.wait_s <= 86'400,
        "queue_s out of 0..86400: " + std::to_string(settings.wait_s));
  check(settings.tickets >= 1 && settings.tickets <= 1'000'000,
        "queue_tickets out of 1..1000000: " + std::to_string(settings.tickets));
}

template <class Model>
void Queue<Model>::serve(double now) {
  if (waiters_.empty() && unrecorded_.empty()) return;
  answer(now);
  count();
  for (const Answered& answered : std::exchange(unrecorded_, {})) recorder_.add(answered, now, lane_);
}

template <class Model>
bool Queue<Model>::cancel(const Ticket& ticket) {
  const bool waited = waiters_.remove(ticket.number);
  count();
  return waited;
}

template <class Model>
void Queue<Model>::answer(double now) {
  while (const auto number = waiters_.take_overdue(now)) tell(EffectKind::timed_out, *number, {}, "", now);
  waiters_.serve([&] { return picking_.any_ready(); },
                 [&](std::uint64_t number, const Request& request) { return answer(number, request, now); });
}

template <class Model>
bool Queue<Model>::answer(std::uint64_t number, const Request& request, double now) {
  Lane<Model>& lane = lanes_.lane(lane_);
  const Choosers<Model> asked = lanes_.choosers(lane, request.policy, true);
  Unheard<Model> own(asked.own);
  std::optional<Unheard<Model>> beyond;
  if (asked.beyond != nullptr) beyond.emplace(*asked.beyond);
  const Choosers<Model> unheard{own, asked.shadow, beyond ? &*beyond : nullptr};
  const Answer answer = picking_.pick(unheard, request, now, lane);
  const auto* pick = std::get_if<Pick>(&answer);
  if (pick == nullptr) return false;
  const auto address = [&](const View<Model>& view) { return view.places[pick->endpoint]->address; };
  tell(EffectKind::answered, number, *pick, members_.roster().visit(address), now);
  return true;
}

template <class Model>
Answer Queue<Model>::wait(const Request& request, double now) {
  if (members_.roster().visit(why_nobody<Model>) == NotReady::none) return NotReady::none;
  if (!members_.roster().visit([&](const View<Model>& view) { return worth_waiting(view, request); }))
    return NotReady::all_full;
  const double until = std::min(request.deadline, now + settings_.wait_s);
  if (waiters_.size() >= settings_.tickets || !(now < until)) return NotReady::all_full;
  waiters_.add(++tickets_, request, until);
  return Ticket{tickets_};
}

template <class Model>
void Queue<Model>::tell(EffectKind kind, std::uint64_t number, const Pick& pick, std::string address, double now) {
  if (told_.size() >= kMostTold + settings_.tickets) told_.erase(told_.begin());
  const std::string answer =
      kind == EffectKind::answered ? address : std::string(kEffects[static_cast<std::size_t>(kind)]);
  if (recorder_.on()) unrecorded_.push_back({number, pick.in_lane(), answer});
  Effect effect{kind, std::move(address), now};
  effect.ticket = {number};
  effect.pick = pick;
  told_.push_back(std::move(effect));
}

template class Queue<Shared>;
template class Queue<Plain>;

}  // namespace lbsuite
