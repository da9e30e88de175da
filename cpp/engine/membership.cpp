#include "engine/membership.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "bits/check.hpp"

namespace lbsuite {
namespace {

constexpr std::size_t kMostEffects = 4096;
// Picks that may never arrive are looked for this often.
constexpr double kForgetEvery_s = 1;

}  // namespace

void check_latency(double latency_s) {
  check(latency_s >= 0 && latency_s < 1e9, "latency_s out of 0..1e9: " + std::to_string(latency_s));
}

template <class Model>
Membership<Model>::Membership(RosterKind roster, Signal signal, Accounting accounting, std::span<const AnyStage> stages)
    : accounting_(accounting), roster_(roster), ranking_(signal), stages_(stages) {
  const std::string_view refused = stages_.needs_fixed_views();
  check(accounting == Accounting::done || !stages_.parts_slots(),
        "stage size_guard needs to hear of each end: reports do not tell how many of the tasks are big");
  check(roster_.shows_fixed_views() || refused.empty(), [&] {
    return "roster " + std::string(roster_.name()) + " serves round_robin only, without stage " + std::string(refused);
  });
}

template <class Model>
bool Membership<Model>::apply(const Event& event, double now) {
  return std::visit([&](const auto& what) { return take(what, now); }, event);
}

template <class Model>
template <class Change>
bool Membership<Model>::change(std::string_view address, double now, Change&& change) {
  Endpoint<Model>* const endpoint = roster_.find(address);
  if (endpoint == nullptr) return false;
  const auto stands = [&] { return std::tuple(endpoint->up(), endpoint->serves(), endpoint->well()); };
  const auto before = stands();
  change(*endpoint);
  roster_.touches().add(endpoint->index);
  if (before == stands()) return true;
  if (stages_.any()) {
    refresh(now);  // how one stands may change how others do
  } else {
    roster_.turned(*endpoint);
  }
  return true;
}

template <class Model>
void Membership<Model>::refresh(double now) {
  if (stages_.any()) arrange(now);
  roster_.publish();
}

template <class Model>
void Membership<Model>::arrange(double now) {
  std::vector<std::string_view> ejected_by;
  for (const auto* endpoint : roster_.in_order()) ejected_by.push_back(endpoint->ejected_by);
  stages_.arrange(roster_.in_order(), now);
  std::size_t i = 0;
  bool panics = false;
  for (auto* endpoint : roster_.in_order()) {
    note_ejection(*endpoint, ejected_by[i++], now);
    panics |= endpoint->revived;
    if (endpoint->load.most() == endpoint->trial) continue;
    endpoint->load.bound(endpoint->trial);
    roster_.touches().add(endpoint->index);
  }
  if (std::exchange(panics_, panics) != panics) say({panics ? EffectKind::panic : EffectKind::calm, "", now});
}

template <class Model>
void Membership<Model>::note_ejection(const Endpoint<Model>& endpoint, std::string_view before, double now) {
  const std::string_view by = endpoint.ejected_by;
  if (before == by) return;
  if (!before.empty()) ++ejections_[before].returned;
  if (!by.empty()) ++ejections_[by].ejected;
  if (before.empty() != by.empty()) say(by.empty() ? EffectKind::returned : EffectKind::ejected, endpoint, now);
}

template <class Model>
bool Membership<Model>::ended(Endpoint<Model>& endpoint, const Endings& endings, double now) {
  const std::uint32_t ran = endings.count - endings.refused;  // who is full is not sick by it
  if (ran > 0) endpoint.outcomes.add(ran, endings.failed - endings.refused);
  const bool wanted = stages_.ended(endpoint, endings, now);
  roster_.touches().add(endpoint.index);  // its limit may be another
  return wanted;
}

template <class Model>
void Membership<Model>::review(double now) {
  if (stages_.review(roster_.in_order(), now)) refresh(now);
}

template <class Model>
bool Membership<Model>::take(const Joined& event, double now) {
  check(!event.address.empty(), "an endpoint needs an address");
  check(event.weight >= 1 && event.weight <= 1'000'000, "weight out of 1..1000000: " + std::to_string(event.weight));
  check(event.limit <= 1'000'000, "limit out of 0..1000000: " + std::to_string(event.limit));
  check(event.tier <= 1'000, "tier out of 0..1000: " + std::to_string(event.tier));
  check(event.lease_s >= 0 && event.lease_s < 1e9, "lease_s out of 0..1e9: " + std::to_string(event.lease_s));
  Endpoint<Model>* endpoint = roster_.find(event.address);
  const bool fresh = endpoint == nullptr;
  if (fresh) endpoint = &roster_.add(event.address, event.order, accounting_);
  const bool reweighted = endpoint->load.weight() != event.weight;  // policies plan by weights
  endpoint->load.set_weight(event.weight);
  endpoint->load.set_limit(event.limit);
  roster_.touches().add(endpoint->index);
  const bool moved = endpoint->zone != event.zone || endpoint->tier != event.tier;
  endpoint->zone = event.zone;
  endpoint->tier = event.tier;
  endpoint->lease_s = event.lease_s;
  endpoint->lease_until = event.lease_s > 0 ? now + event.lease_s : kNever;
  if (fresh || reweighted || moved) refresh(now);
  return fresh;
}

template <class Model>
bool Membership<Model>::take(const Left& event, double now) {
  Endpoint<Model>* const endpoint = roster_.find(event.address);
  if (endpoint == nullptr) return false;
  roster_.remove(*endpoint);
  refresh(now);
  return true;
}

template <class Model>
bool Membership<Model>::take(const Reported& event, double now) {
  event.report.check();
  return change(event.address, now, [&](Endpoint<Model>& endpoint) {
    const std::uint64_t before = endpoint.last.begun.value_or(0), begun = event.report.begun.value_or(0);
    endpoint.outcomes.arrive(begun < before ? begun : begun - before);
    const std::int32_t tasks = endpoint.load.tasks();
    endpoint.load.report(event.report, now, ranking_);
    freshness_.learn(now - endpoint.reported_at, endpoint.load.drain_rate());
    endpoint.last = event.report;
    endpoint.reported_at = now;
    endpoint.interval_s = event.report.interval_s;
    endpoint.stale_at = stages_.stale_at(now, event.report.interval_s);
    if (endpoint.lease_s > 0) endpoint.lease_until = now + endpoint.lease_s;
    forget(endpoint, now);
    stages_.counted(endpoint.load.tasks() - tasks);
    if (std::exchange(endpoint.stale, false)) say(EffectKind::fresh, endpoint, now);
  });
}

template <class Model>
bool Membership<Model>::take(const Drained& event, double now) {
  return change(event.address, now, [&](Endpoint<Model>& endpoint) { endpoint.drained = !event.undo; });
}

template <class Model>
bool Membership<Model>::take(const Lost& event, double now) {
  return change(event.address, now, [&](Endpoint<Model>& endpoint) {
    if (!std::exchange(endpoint.lost, true)) say(EffectKind::lost, endpoint, now);
  });
}

template <class Model>
bool Membership<Model>::take(const Reached& event, double now) {
  bool back = false;
  const bool known = change(event.address, now, [&](Endpoint<Model>& endpoint) {
    back = std::exchange(endpoint.lost, false);
    if (!back) return;
    endpoint.back_at = now;
    say(EffectKind::back, endpoint, now);
  });
  if (back) review(now);
  return known;
}

template <class Model>
bool Membership<Model>::take(const Pickers& event, double) {
  check(event.count >= 1, "pickers below 1: " + std::to_string(event.count));
  freshness_.pickers(event.count);
  return true;
}

template <class Model>
bool Membership<Model>::take(const Probed& event, double) {
  check(event.tasks <= 1'000'000, "tasks out of 0..1000000: " + std::to_string(event.tasks));
  check_latency(event.latency_s);
  return roster_.find(event.address) != nullptr;
}

template <class Model>
double Membership<Model>::next_deadline(double last) const {
  double soonest = stages_.next_deadline(roster_.in_order());
  for (const auto& endpoint : roster_.in_order()) {
    soonest = std::min(soonest, endpoint->lease_until);
    if (!endpoint->stale) soonest = std::min(soonest, endpoint->stale_at);
    if (endpoint->load.reported()) soonest = std::min(soonest, last + kForgetEvery_s);
  }
  return soonest;
}

template <class Model>
void Membership<Model>::pass_time(double now) {
  bool changed = false;
  const auto members = roster_.in_order();  // a copy: some may leave
  for (const auto& endpoint : members) changed |= pass_time(*endpoint, now);
  changed |= stages_.review(roster_.in_order(), now);
  if (changed) refresh(now);
}

template <class Model>
bool Membership<Model>::pass_time(Endpoint<Model>& endpoint, double now) {
  if (now >= endpoint.lease_until) {
    say(EffectKind::expired, endpoint, now);
    roster_.remove(endpoint);
    return true;
  }
  const std::int32_t tasks = endpoint.load.tasks();
  forget(endpoint, now);
  stages_.counted(endpoint.load.tasks() - tasks);
  if (endpoint.stale || now < endpoint.stale_at) return false;
  endpoint.stale = true;
  say(EffectKind::stale, endpoint, now);
  return true;
}

template <class Model>
void Membership<Model>::forget(Endpoint<Model>& endpoint, double now) {
  const std::uint32_t gone = endpoint.load.forget(now, endpoint.horizon_s(), ranking_);
  if (gone == 0) return;
  roster_.touches().add(endpoint.index);
  // Of who is silent, or was away when they were made, nobody knows whether they arrived.
  const bool silent = !endpoint.last.begun || endpoint.lost || now - endpoint.reported_at > endpoint.interval_s;
  if (!silent && now - 2 * endpoint.horizon_s() >= endpoint.back_at) endpoint.outcomes.miss(gone);
}

template <class Model>
void Membership<Model>::say(EffectKind kind, const Endpoint<Model>& endpoint, double now) {
  Effect effect{kind, endpoint.address, now};
  if (kind == EffectKind::ejected) {
    effect.by = endpoint.ejected_by;
    effect.why = endpoint.ejected_why;
    effect.for_s = endpoint.ejected_until - now;
  }
  say(std::move(effect));
}

template <class Model>
void Membership<Model>::say(Effect effect) {
  if (effects_.size() >= kMostEffects) effects_.erase(effects_.begin());
  effects_.push_back(std::move(effect));
}

template <class Model>
std::vector<Effect> Membership<Model>::effects() {
  return std::exchange(effects_, {});
}

template <class Model>
std::vector<Standing> Membership<Model>::standings(double now) const {
  std::vector<Standing> standings;
  for (const auto& endpoint : roster_.in_order()) {
    const auto& load = endpoint->load;
    std::optional<double> age_s;
    if (endpoint->reported_at > -kNever) age_s = now - endpoint->reported_at;
    standings.push_back({endpoint->address, endpoint->index, endpoint->state(), load.tasks(), load.work(ranking_),
                         load.estimate(now), load.score(now, ranking_), load.picks(), load.limit(),
                         static_cast<std::uint32_t>(load.weight()), endpoint->zone, endpoint->tier, endpoint->warmth,
                         endpoint->last, age_s});
  }
  return standings;
}

template class Membership<Shared>;
template class Membership<Plain>;

}  // namespace lbsuite
