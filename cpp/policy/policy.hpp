#pragma once
// policy: one file an algorithm, and policies.hpp, THE LIST. What several of them are made of, and what would make one
// too long, lives in parts/; request.hpp and news.hpp are what reaches them. The engine alone asks them; bind reads
// their settings.
//
// A policy is a class with a `name`, its rule in a few words (`goes_by`, for whoever asks why one was picked), a struct of
// `Settings`, and
//   template <class Candidates> std::uint32_t pick(const Candidates&, const Request&, Rng&)
// which returns the index of a ready candidate, or kNobody. Candidates are the endpoints that are up, in the roster's
// order: size(), ready(i) (below its limit, not excluded), score(i) (its load now) and more (engine/candidates.hpp); one
// that compares figures tells each by weighed(i, figure), which costs nothing unless the pick is watched.
// An object serves one lane, so it needs no lock; what lanes must share is its nested `Shared`, one an engine.
// A pick never waits, never allocates and never throws. What else a policy may have, each alone:
//   static constexpr Needs needs             what it needs of its host; the engine refuses it elsewhere, by name
//   static constexpr bool weighs = true      it goes by weights itself, so that no stage keeps it to them once more
//   static constexpr bool any_roster = true  candidates may come up and go down between two of its looks
//   void room(std::uint32_t places)          places below this will be told of or picked: the moment to allocate
//   void ended(const Endings&, double now)   tasks ended
//   void reported(Place, const Report&, double now)
//   void probed(const ProbeAnswer&, double now)
//   probes() const                           the candidates that its last pick wants probed, a range of indices
//   struct Plan                              what depends on who is up alone: Plan(const Settings&, candidates) is made
//                                            once a change, without a lock, and is pick's second argument
// One with room, ended, reported or probed is under a short lock of its lane, as those come from other threads.

#include <cstdint>
#include <limits>
#include <string_view>

#include "bits/rng.hpp"
#include "policy/news.hpp"
#include "policy/request.hpp"

namespace lbsuite {

inline constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

// The parent of all settings, so that one can be told from anything else.
struct PolicySettings {};

// Most policies have nothing to set and nothing to share between lanes.
struct NoSettings : PolicySettings {
  template <class Visitor>
  void fields(Visitor&&) {}
};
struct NothingShared {};

}  // namespace lbsuite
