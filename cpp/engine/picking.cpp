#include "engine/picking.hpp"

#include <algorithm>
#include <ranges>

#include "absl/container/inlined_vector.h"

namespace lbsuite {
namespace {

using Excluded = absl::InlinedVector<std::uint32_t, 8>;

}  // namespace

template <class Model>
Answer Picking<Model>::pick(const Choosers<Model>& choosers, const Request& request, double now, Lane<Model>& lane,
                            Witness<Model>* witness) {
  Stages<Model>& stages = members_.stages();
  if (!stages.admits()) [[likely]]
    return pick_admitted(choosers, request, now, lane, witness);
  if (const auto refused = stages.admit(request, clock(now))) return *refused;
  const Answer answer = pick_admitted(choosers, request, now, lane, witness);
  if (!std::holds_alternative<Pick>(answer)) stages.withdraw(request, clock(now));
  return answer;
}

template <class Model>
Answer Picking<Model>::pick_admitted(const Choosers<Model>& choosers, const Request& request, double now,
                                     Lane<Model>& lane, Witness<Model>* witness) {
  Stages<Model>& stages = members_.stages();
  const double slot_share = stages.parts_slots() ? stages.slot_share(request) : 1;
  return members_.roster().visit(lane.reader, [&](const View<Model>& view) -> Answer {
    const Endpoint<Model>* chosen = find(view, {choosers, request, now, true, witness, slot_share}, lane);
    if (chosen == nullptr) return why_nobody(view);
    if (stages.parts_slots()) [[unlikely]]
      stages.picked(request);
    const std::uint64_t picks = lane.picks.get() + 1;
    lane.picks.set(picks);
    const std::uint64_t sequence = (static_cast<std::uint64_t>(lane.number) << 48) | picks;
    const double until = stages.until(sequence, clock(now));
    return Pick{chosen->index, chosen->generation, sequence, request.cost, slot_share < 1, until};
  });
}

template <class Model>
Endpoint<Model>* Picking<Model>::choose(const View<Model>& view, const Choosers<Model>& choosers,
                                        const Request& request, double now, Lane<Model>& lane,
                                        Witness<Model>* witness) {
  Stages<Model>& stages = members_.stages();
  const double slot_share = stages.parts_slots() ? stages.slot_share(request) : 1;
  return find(view, {choosers, request, now, false, witness, slot_share}, lane);
}

template <class Model>
std::size_t Picking<Model>::choose_many(const View<Model>& view, const Choosers<Model>& choosers,
                                        const Request& request, double now, Lane<Model>& lane,
                                        std::span<std::uint32_t> chosen) {
  std::size_t found = 0;
  for (; found < chosen.size(); ++found) {
    const Endpoint<Model>* const endpoint = choose(view, choosers, request, now, lane);
    if (endpoint == nullptr) break;
    chosen[found] = endpoint->index;
  }
  return found;
}

template <class Model>
Endpoint<Model>* Picking<Model>::find(const View<Model>& view, const Question& question, Lane<Model>& lane) {
  if (view.simple) [[likely]]
    return look(view, question.choosers.own, nullptr, question);
  return find_by_levels(view, question, lane);
}

// From the level whose turn it is down to the last, then those before it.
template <class Model>
Endpoint<Model>* Picking<Model>::find_by_levels(const View<Model>& view, const Question& question, Lane<Model>& lane) {
  const View<Model>* begin = &view;
  if (view.part < 1) {  // turns by the golden ratio: spread evenly, whatever the parts
    double turn = static_cast<double>(++lane.turns * 0x9E37'79B9'7F4A'7C15 >> 11) * 0x1p-53;
    for (; begin->beyond != nullptr && turn >= begin->part; begin = begin->beyond.get()) turn -= begin->part;
  }
  for (const View<Model>* level = begin; level != nullptr; level = level->beyond.get()) {
    if (Endpoint<Model>* const found = find_at(*level, question)) return found;
  }
  for (const View<Model>* level = &view; level != begin; level = level->beyond.get()) {
    if (Endpoint<Model>* const found = find_at(*level, question)) return found;
  }
  return nullptr;
}

template <class Model>
Endpoint<Model>* Picking<Model>::find_at(const View<Model>& level, const Question& question) {
  Picker<Model>& picker = level.level == 0 ? question.choosers.own : *question.choosers.beyond;
  Shares<Model>* const shares = level.shares[picker.weighs].get();
  Endpoint<Model>* const found = look(level, picker, shares, question);
  return found == nullptr && shares != nullptr ? find_held(level, *shares, question) : found;
}

// Nobody else is ready: then nobody is held to a share, and the one that is owed most is picked.
template <class Model>
Endpoint<Model>* Picking<Model>::find_held(const View<Model>& level, Shares<Model>& shares, const Question& question) {
  Excluded excluded;
  find_excluded(level, question.request, excluded);
  const Candidates<Model> candidates = candidates_of(level, excluded, question.now, nullptr, question.slot_share);
  for (std::uint32_t tries = 0; tries <= candidates.size(); ++tries) {
    std::uint32_t most = kNobody;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (candidates.ready(i) && (most == kNobody || shares.owed(i) > shares.owed(most))) most = i;
    }
    if (most == kNobody) return nullptr;
    if (question.witness != nullptr) [[unlikely]]
      question.witness->held(candidates, shares);
    if (question.takes && !take(candidates[most], question, candidates.now())) continue;
    shares.count(most);
    return &candidates[most];
  }
  return nullptr;
}

template <class Model>
Endpoint<Model>* Picking<Model>::look(const View<Model>& level, Picker<Model>& picker, Shares<Model>* shares,
                                      const Question& question) {
  Excluded excluded;
  find_excluded(level, question.request, excluded);
  const Candidates<Model> candidates = candidates_of(level, excluded, question.now, shares, question.slot_share);
  Picker<Model>* const shadow = level.level == 0 ? question.choosers.shadow : nullptr;
  const std::uint32_t other = shadow == nullptr ? kNobody : shadow->pick_beside(candidates, question.request);
  std::uint32_t chosen = ask(picker, candidates, question);
  if (shadow != nullptr) compare(chosen, other);
  // Another thread may take the last slot between the policy's look and ours: then it looks again.
  for (std::uint32_t tries = 0;
       question.takes && chosen != kNobody && !take(candidates[chosen], question, candidates.now()); ++tries) {
    chosen = tries < candidates.size() ? ask(picker, candidates, question) : kNobody;
  }
  if (chosen == kNobody) return nullptr;
  if (shares != nullptr) shares->count(chosen);
  return &candidates[chosen];
}

template <class Model>
std::optional<NotReady> Picking<Model>::refusal(const Request& request, double now) {
  Stages<Model>& stages = members_.stages();
  if (!stages.admits()) return std::nullopt;
  const auto refused = stages.admit(request, clock(now));
  if (!refused) stages.withdraw(request, clock(now));
  return refused;
}

template <class Model>
bool Picking<Model>::any_ready() const {
  return members_.roster().visit([this](const View<Model>& view) {
    for (const View<Model>* level = &view; level != nullptr; level = level->beyond.get()) {
      const Candidates<Model> candidates = candidates_of(*level, {}, last_.get());
      const auto all = std::views::iota(0U, candidates.size());
      if (std::any_of(all.begin(), all.end(), [&](std::uint32_t i) { return candidates.ready(i); })) return true;
    }
    return false;
  });
}

template <class Model>
inline std::uint32_t Picking<Model>::ask(Picker<Model>& picker, const Candidates<Model>& candidates,
                                         const Question& question) {
  if (question.witness == nullptr) [[likely]]
    return picker.pick(candidates, question.request);
  return ask_watched(picker, candidates, question);
}

template <class Model>
std::uint32_t Picking<Model>::ask_watched(Picker<Model>& picker, const Candidates<Model>& candidates,
                                          const Question& question) {
  question.witness->begin(candidates);
  return picker.pick_watched(Witnessed<Model>(candidates, *question.witness), question.request);
}

template <class Model>
bool Picking<Model>::take(Endpoint<Model>& endpoint, const Question& question, double now) {
  const bool big = question.slot_share < 1;
  if (big && !endpoint.big_tasks.take(question.slot_share, endpoint.load.limit())) return false;
  const bool taken = endpoint.load.take(now, question.request.cost);
  if (big && !taken) endpoint.big_tasks.end();
  members_.roster().touches().add(endpoint.index);
  return taken;
}

template <class Model>
void Picking<Model>::compare(std::uint32_t chosen, std::uint32_t other) {
  shadow_asked_.add(1);
  if (chosen != other) shadow_differing_.add(1);
}

template class Picking<Shared>;
template class Picking<Plain>;

}  // namespace lbsuite
