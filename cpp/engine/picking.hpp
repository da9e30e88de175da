#pragma once
// How one request gets its endpoint: the policies asked, the slot taken, the shadow compared. Any thread; a lane serves
// one thread at a time. Never waits on its own account, never fails.

#include <cstdint>
#include <optional>
#include <span>

#include "engine/candidates.hpp"
#include "engine/events.hpp"
#include "engine/lanes.hpp"
#include "engine/leaderboard.hpp"
#include "engine/membership.hpp"
#include "engine/witness.hpp"

namespace lbsuite {

// How often a shadow policy was asked, and how often its answer was another than the one obeyed.
struct Shadow {
  std::uint64_t asked = 0;
  std::uint64_t differing = 0;
};

template <class Model>
NotReady why_nobody(const View<Model>& view) {
  return view.anyone.get() ? NotReady::all_full : NotReady::none;
}

template <class Model>
class Picking {
 public:
  // scanned: see Leaderboard.
  Picking(Membership<Model>& members, const typename Model::template Cell<double>& last, std::uint32_t scanned)
      : members_(members), last_(last), leaderboard_(members.roster().touches(), members.ranking(), scanned) {}

  // Asks the stages, chooses, and takes a slot. Before a witness, as `choose`, it is asked under the writer lock.
  Answer pick(const Choosers<Model>& choosers, const Request& request, double now, Lane<Model>& lane,
              Witness<Model>* witness = nullptr);
  // Whether a stage would refuse such a request now; nothing is counted.
  std::optional<NotReady> refusal(const Request& request, double now);
  // Whom the cheap twin finds where there is more to it: some are excluded or held, or a shadow is asked.
  Endpoint<Model>* choose(const View<Model>& view, const Choosers<Model>& choosers, const Request& request, double now,
                          Lane<Model>& lane, Witness<Model>* witness = nullptr);
  // The same for as many as `chosen` has room for: returns how many were found.
  std::size_t choose_many(const View<Model>& view, const Choosers<Model>& choosers, const Request& request, double now,
                          Lane<Model>& lane, std::span<std::uint32_t> chosen);

  [[gnu::always_inline]] Candidates<Model> candidates_of(const View<Model>& view,
                                                         std::span<const std::uint32_t> excluded, double now,
                                                         const Shares<Model>* shares = nullptr,
                                                         double slot_share = 1) const {
    return {view, excluded, clock(now), members_.ranking(), members_.freshness(), leaderboard_, shares, slot_share};
  }
  double clock(double now) const { return std::max(now, last_.get()); }
  bool any_ready() const;

  Shadow shadow() const { return {shadow_asked_.get(), shadow_differing_.get()}; }

  // Writer only, from here on.
  void follow(View<Model>& view) { leaderboard_.follow(view, last_.get()); }
  void count_shadow_anew() {
    shadow_asked_.set(0);
    shadow_differing_.set(0);
  }

 private:
  Answer pick_admitted(const Choosers<Model>& choosers, const Request& request, double now, Lane<Model>& lane,
                       Witness<Model>* witness);
  // What is asked, and how: the same at every level.
  struct Question {
    const Choosers<Model>& choosers;
    const Request& request;
    const double now;
    const bool takes;  // a slot of the one it finds
    Witness<Model>* const witness;
    const double slot_share = 1;  // of an endpoint's slots, for requests like this one together
  };
  static std::uint32_t ask(Picker<Model>& picker, const Candidates<Model>& candidates, const Question& question);
  [[gnu::noinline, gnu::cold]] static std::uint32_t ask_watched(Picker<Model>& picker,
                                                                const Candidates<Model>& candidates,
                                                                const Question& question);
  Endpoint<Model>* find(const View<Model>& view, const Question& question, Lane<Model>& lane);
  Endpoint<Model>* find_by_levels(const View<Model>& view, const Question& question, Lane<Model>& lane);
  Endpoint<Model>* find_at(const View<Model>& level, const Question& question);
  Endpoint<Model>* find_held(const View<Model>& level, Shares<Model>& shares, const Question& question);
  Endpoint<Model>* look(const View<Model>& level, Picker<Model>& picker, Shares<Model>* shares,
                        const Question& question);
  void compare(std::uint32_t chosen, std::uint32_t other);
  bool take(Endpoint<Model>& endpoint, const Question& question, double now);

  Membership<Model>& members_;
  const typename Model::template Cell<double>& last_;
  mutable Leaderboard<Model> leaderboard_;
  typename Model::template Cell<std::uint64_t> shadow_asked_{0};
  typename Model::template Cell<std::uint64_t> shadow_differing_{0};
};

extern template class Picking<Shared>;
extern template class Picking<Plain>;

}  // namespace lbsuite
