// What an engine does where somebody watches: picks that are recorded or told in full, and what is kept of them.

#include "engine/engine.hpp"

namespace lbsuite {

template <class Model>
Answer Engine<Model>::pick_or_wait(const Request& request, double now, Lane<Model>& own) {
  std::unique_lock lock(writing_, std::defer_lock);
  const bool recorded = recorder_.on(), sampled = samples_.on() && samples_.due(++own.asked);
  if (recorded || sampled) lock.lock();  // a recorded pick takes its place among the other events
  now = clock(now);
  const Choosers<Model> choosers = lanes_.choosers(own, request.policy, lock.owns_lock());
  std::optional<Witness<Model>> witness;
  if (sampled) witness.emplace(lanes_.told(request, now), members_.roster().in_order(), members_.ranking(), request);
  const auto look = [&] { return picking_.pick(choosers, request, now, own, witness ? &*witness : nullptr); };
  Answer answer = NotReady::all_full;
  if (queue_.empty()) {
    answer = look();
  } else if (const auto refused = picking_.refusal(request, now)) {
    answer = *refused;
  }
  if (queue_.on() && says_all_full(answer)) {
    if (!lock.owns_lock()) lock.lock();
    answer = queue_.enter(request, now, look);
  }
  if (recorded) recorder_.asked(lanes_.spec(request.policy), request, answer, spell(answer), now, own.number);
  if (sampled) samples_.add(witness->tell(answer, spell(answer)));
  if (queue_.wanted()) {  // maybe by one who saw a slot taken that this pick has given back
    if (!lock.owns_lock()) lock.lock();
    queue_.serve(now);
  }
  return answer;
}

template <class Model>
void Engine<Model>::count(const Answer& answer) {
  if (const auto* why = std::get_if<NotReady>(&answer)) {
    refused_[static_cast<std::size_t>(*why)].add(1);
  } else {
    tickets_.add(1);
  }
}

template <class Model>
Explanation Engine<Model>::explain_choice(const Request& request, double now, std::uint32_t number) {
  const std::lock_guard lock(writing_);
  now = clock(now);
  Lane<Model>& own = lanes_.lane(number);
  const Choosers<Model> choosers = lanes_.choosers(own, request.policy, true);
  Witness<Model> witness(lanes_.told(request, now), members_.roster().in_order(), members_.ranking(), request);
  // Then no policy is asked: that is no turn of one, and nothing to record.
  if (const auto refused = picking_.refusal(request, now)) return witness.tell(*refused, spell(*refused));
  return members_.roster().visit(own.reader, [&](const View<Model>& view) {
    const Endpoint<Model>* const chosen = picking_.choose(view, choosers, request, now, own, &witness);
    const Answer answer =
        chosen == nullptr ? Answer(why_nobody(view)) : Answer(Pick{chosen->index, chosen->generation});
    const std::string found = spell(answer);
    recorder_.asked(lanes_.spec(request.policy), request, answer, found, now, number, false);
    return witness.tell(answer, found);
  });
}

template <class Model>
std::vector<std::pair<std::string, std::uint64_t>> Engine<Model>::counters() const {
  const std::lock_guard lock(writing_);
  std::vector<std::pair<std::string, std::uint64_t>> counters = {{"picks", lanes_.picks()},
                                                                 {"tickets", tickets_.get()}};
  for (std::size_t why = 0; why < kNotReady.size(); ++why) {
    counters.emplace_back("refused_" + std::string(kNotReady[why]), refused_[why].get());
  }
  for (const AnyStage& stage : settings_.stages) {
    const std::string spec = stage_spec(stage), name = spec.substr(0, spec.find(':'));
    const auto known = members_.ejections().find(name);
    const Ejections ejections = known == members_.ejections().end() ? Ejections() : known->second;
    counters.emplace_back("ejected_by_" + name, ejections.ejected);
    counters.emplace_back("returned_by_" + name, ejections.returned);
  }
  return counters;
}

// Engine itself is instantiated in engine.cpp; these are its members that are defined here.
using Counters = std::vector<std::pair<std::string, std::uint64_t>>;
template Answer Engine<Shared>::pick_or_wait(const Request&, double, Lane<Shared>&);
template Answer Engine<Plain>::pick_or_wait(const Request&, double, Lane<Plain>&);
template void Engine<Shared>::count(const Answer&);
template void Engine<Plain>::count(const Answer&);
template Explanation Engine<Shared>::explain_choice(const Request&, double, std::uint32_t);
template Explanation Engine<Plain>::explain_choice(const Request&, double, std::uint32_t);
template Counters Engine<Shared>::counters() const;
template Counters Engine<Plain>::counters() const;

}  // namespace lbsuite
