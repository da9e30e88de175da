#include "engine/replay.hpp"

#include <algorithm>
#include <stdexcept>

namespace lbsuite {

template <class Model>
void Replay<Model>::feed(std::string_view line) {
  const Record record = read_record(line);
  while (lanes_ <= record.lane) lanes_ = engine_.open_lane() + 1;
  std::visit([&](const auto& what) { take(what, record); }, record.what);
}

template <class Model>
void Replay<Model>::take(const Asked& asked, const Record& record) {
  const std::vector<std::string_view> excluded(asked.exclude.begin(), asked.exclude.end());
  const std::uint32_t policy = asked.policy.empty() ? 0 : engine_.policy(asked.policy);
  const Request request{policy, asked.key, asked.cost, excluded, asked.deadline, asked.priority, asked.attempt};
  // Whom the record answered with nobody has no task, and nothing would tell of its end: it counts nowhere.
  const bool served = asked.sequence != 0 || asked.ticket != 0;
  const bool counted = asked.counted && !(another_policy_ && !served);
  if (counted) {
    const Answer answer = engine_.pick(request, record.now, record.lane);
    picks_.push_back({record.now, record.lane, asked.answer, engine_.spell(answer)});
    if (asked.sequence != 0) answers_.insert_or_assign({record.lane, asked.sequence}, answer);
    if (asked.ticket != 0) waiting_.insert_or_assign(asked.ticket, answer);
  } else {
    std::string picked = engine_.choose(request, record.now, record.lane, [](const Endpoint<Model>* endpoint) {
      return endpoint == nullptr ? std::string() : endpoint->address;
    });
    if (picked.empty()) picked = engine_.spell(engine_.why());
    picks_.push_back({record.now, record.lane, asked.answer, std::move(picked)});
  }
}

template <class Model>
void Replay<Model>::take(const Ended& ended, const Record& record) {
  const auto answer = answers_.find({record.lane, ended.sequence});
  if (answer == answers_.end()) {
    throw std::invalid_argument("no pick of lane " + std::to_string(record.lane) + " had sequence " +
                                std::to_string(ended.sequence) + " that has not ended");
  }
  check_latency(ended.outcome.latency_s);
  const Answer mine = now_of(answer->second);
  if (const auto* pick = std::get_if<Pick>(&mine)) {
    engine_.done(*pick, ended.outcome, record.now);
  } else {
    give_up(mine, record);
  }
  answers_.erase(answer);
}

template <class Model>
void Replay<Model>::take(const Answered& answered, const Record& record) {
  const auto waiting = waiting_.find(answered.ticket);
  if (waiting == waiting_.end())
    throw std::invalid_argument("nobody waits with ticket " + std::to_string(answered.ticket));
  const Answer mine = now_of(waiting->second);
  waiting_.erase(waiting);
  picks_.push_back({record.now, record.lane, answered.answer, spell(mine)});
  if (answered.sequence != 0) {
    answers_.insert_or_assign({record.lane, answered.sequence}, mine);
  } else {
    give_up(mine, record);
  }
}

template <class Model>
void Replay<Model>::take(const Cancelled& cancelled, const Record& record) {
  const auto waiting = waiting_.find(cancelled.ticket);
  if (waiting == waiting_.end()) {
    // It was too late; another policy has given that number to somebody else.
    engine_.cancel(another_policy_ ? Ticket{} : Ticket{cancelled.ticket}, record.now);
    return;
  }
  give_up(now_of(waiting->second), record);
  waiting_.erase(waiting);
}

template <class Model>
Answer Replay<Model>::now_of(const Answer& answer) {
  const auto* ticket = std::get_if<Ticket>(&answer);
  if (ticket == nullptr) return answer;
  for (Effect& effect : engine_.effects()) {
    if (effect.ticket.number != 0) over_.insert_or_assign(effect.ticket.number, std::move(effect));
  }
  const auto over = over_.find(ticket->number);
  if (over == over_.end() || over->second.kind != EffectKind::answered) return answer;
  return over->second.pick;
}

template <class Model>
std::string Replay<Model>::spell(const Answer& answer) const {
  const auto* ticket = std::get_if<Ticket>(&answer);
  const bool over = ticket != nullptr && over_.contains(ticket->number);
  return over ? std::string(kEffects[static_cast<std::size_t>(EffectKind::timed_out)]) : engine_.spell(answer);
}

template <class Model>
void Replay<Model>::give_up(const Answer& answer, const Record& record) {
  const auto* ticket = std::get_if<Ticket>(&answer);
  if (ticket != nullptr && !over_.contains(ticket->number)) engine_.cancel(*ticket, record.now);
  const auto* pick = std::get_if<Pick>(&answer);
  if (pick != nullptr && engine_.accounting() == Accounting::done) engine_.done(*pick, {}, record.now);
}

template <class Model>
void Replay<Model>::take(const Switched& switched, const Record& record) {
  if (!another_policy_) engine_.switch_to(engine_.policy(switched.policy), record.now);
}

template <class Model>
void Replay<Model>::take(const Shadowed& shadowed, const Record& record) {
  // One written in Python is not at hand, and not missed: nobody obeyed it.
  const bool absent = shadowed.policy.empty() || shadowed.policy.starts_with("python:");
  engine_.shadow(absent ? 0 : engine_.policy(shadowed.policy), record.now);
}

EngineSettings settings_of(const LogHeading& heading) {
  EngineSettings settings{parse_policy(heading.policy),       heading.seed,  heading.load, heading.accounting,
                          {heading.outcomes, heading.probes}, heading.roster};
  for (const std::string& stage : heading.stages) settings.stages.push_back(parse_stage(stage));
  settings.queue = {heading.queue_s, heading.queue_tickets, heading.queue_order};
  return settings;
}

template <class Model>
std::size_t Replay<Model>::differing() const {
  return static_cast<std::size_t>(
      std::count_if(picks_.begin(), picks_.end(), [](const auto& pick) { return pick.picked != pick.recorded; }));
}

template class Replay<Shared>;
template class Replay<Plain>;

}  // namespace lbsuite
