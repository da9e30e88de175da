#pragma once
// Who may be picked, as events and time change it: joins, leases, reports, drains, lost connections. Not safe to
// share: the engine's writer lock guards every call but visits. Bad input throws std::invalid_argument, changing nothing.
// Cost: a new view where who is up changes by it, else a look-up; letting time pass looks at each endpoint.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events.hpp"
#include "engine/freshness.hpp"
#include "roster/roster.hpp"
#include "stage/stages.hpp"

namespace lbsuite {

// What is known of one endpoint at one moment.
struct Standing {
  std::string address;
  std::uint32_t index;
  State state;
  std::int32_t tasks;
  double work;
  double estimate;
  double score;
  std::uint64_t picks;
  std::int32_t limit;
  std::uint32_t weight;
  std::string zone;
  std::uint32_t tier;
  double warmth;
  Report last;
  std::optional<double> report_age_s;
};

// So often has a stage said that one is sick, and that it is no longer.
struct Ejections {
  std::uint64_t ejected = 0;
  std::uint64_t returned = 0;
};

template <class Model>
class Membership {
 public:
  Membership(RosterKind roster, Signal signal, Accounting accounting, std::span<const AnyStage> stages);

  // False if the endpoint that the event is about is not there (or, for Joined, was there already).
  bool apply(const Event& event, double now);
  // Lets leases run out, reports grow stale, and picks that never arrived be forgotten.
  void pass_time(double now);
  // Lets stages look at what has happened.
  void review(double now);
  // When pass_time has something to do next, if events end at `last`; kNever if nothing is due.
  double next_deadline(double last) const;
  std::vector<Effect> effects();
  std::vector<Standing> standings(double now) const;
  // By the stage's name; those that never ejected anybody are not there.
  const std::map<std::string_view, Ejections>& ejections() const { return ejections_; }
  std::size_t size() const { return roster_.in_order().size(); }

  Roster<Model>& roster() { return roster_; }
  const Roster<Model>& roster() const { return roster_; }
  const Ranking<Model>& ranking() const { return ranking_; }
  const Freshness<Model>& freshness() const { return freshness_; }
  Stages<Model>& stages() { return stages_; }

  // Tasks have ended at an endpoint; true: `review` is wanted. Any thread, as the stages' own call.
  bool ended(Endpoint<Model>& endpoint, const Endings& endings, double now);

 private:
  bool take(const Joined& event, double now);
  bool take(const Left& event, double now);
  bool take(const Reported& event, double now);
  bool take(const Drained& event, double now);
  bool take(const Lost& event, double now);
  bool take(const Reached& event, double now);
  bool take(const Pickers& event, double now);
  bool take(const Probed& event, double now);
  // Applies `change` to an endpoint, and shows pickers a new view if it came up or went down by it.
  template <class Change>
  bool change(std::string_view address, double now, Change&& change);
  // Says anew who may be picked, and shows it to pickers.
  void refresh(double now);
  void arrange(double now);
  // `before` is the stage that believed it sick when it was last asked.
  void note_ejection(const Endpoint<Model>& endpoint, std::string_view before, double now);
  // True if pickers must see a new view.
  bool pass_time(Endpoint<Model>& endpoint, double now);
  // Gives up picks that have not arrived in long.
  void forget(Endpoint<Model>& endpoint, double now);
  void say(EffectKind kind, const Endpoint<Model>& endpoint, double now);
  void say(Effect effect);

  const Accounting accounting_;
  Roster<Model> roster_;
  Ranking<Model> ranking_;
  Freshness<Model> freshness_;
  mutable Stages<Model> stages_;
  std::vector<Effect> effects_;
  bool panics_ = false;
  std::map<std::string_view, Ejections> ejections_;
};

extern template class Membership<Shared>;
extern template class Membership<Plain>;

}  // namespace lbsuite
