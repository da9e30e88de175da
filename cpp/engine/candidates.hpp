#pragma once
// The endpoints one pick may choose from, as a policy sees them: those that are up, in the roster's order. For one pick
// and one thread; loads change under it. Cost: a few loads a question. Never fails.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/freshness.hpp"
#include "engine/leaderboard.hpp"
#include "policy/news.hpp"
#include "policy/request.hpp"
#include "roster/roster.hpp"

namespace lbsuite {

// The indices of those that a request excludes.
template <class Model, class Indices>
void find_excluded(const View<Model>& view, const Request& request, Indices& excluded) {
  for (const std::string_view address : request.exclude) {
    for (const Endpoint<Model>* endpoint : view.up) {
      if (endpoint->address == address) excluded.push_back(endpoint->index);
    }
  }
}

template <class Model>
class Candidates {
 public:
  Candidates(const View<Model>& view, std::span<const std::uint32_t> excluded, double now,
             const Ranking<Model>& ranking, const Freshness<Model>& freshness, Leaderboard<Model>& leaderboard,
             const Shares<Model>* shares = nullptr, double slot_share = 1)
      : view_(view),
        excluded_(excluded),
        shares_(shares),
        slot_share_(slot_share),
        all_eligible_(excluded.empty() && view.shut == nullptr && shares == nullptr && slot_share == 1),
        now_(now),
        ranking_(ranking),
        freshness_(freshness),
        leaderboard_(leaderboard) {}

  std::uint32_t size() const { return static_cast<std::uint32_t>(view_.up.size()); }
  Endpoint<Model>& operator[](std::uint32_t i) const { return *view_.up[i]; }

  // Up, below its limit, not excluded by the request, not held to its share, and with room for the request if that is big.
  [[gnu::always_inline]] bool ready(std::uint32_t i) const {
    return !view_.up[i]->load.full() && (all_eligible_ || eligible(i));
  }

  [[gnu::always_inline]] double score(std::uint32_t i) const { return view_.up[i]->load.score(now_, ranking_); }
  double estimate(std::uint32_t i) const { return view_.up[i]->load.estimate(now_); }
  std::int32_t tasks(std::uint32_t i) const { return view_.up[i]->load.tasks(); }
  std::int32_t own(std::uint32_t i) const { return view_.up[i]->load.own(); }
  double weight(std::uint32_t i) const { return view_.up[i]->load.weight(); }
  std::int32_t limit(std::uint32_t i) const { return view_.up[i]->load.limit(); }  // 0: none
  Place place(std::uint32_t i) const { return {view_.up[i]->index, view_.up[i]->generation}; }
  std::uint64_t hash(std::uint32_t i) const { return view_.up[i]->hash; }  // of the address, on every machine the same

  // The least loaded of all, as least_loaded would find it, where the engine knows without a look at each; nothing else.
  std::optional<std::uint32_t> least(Rng& rng) const {
    if (size() <= leaderboard_.scanned() || !excluded_.empty()) return std::nullopt;
    if (view_.level > 0 || shares_ != nullptr || slot_share_ < 1) return std::nullopt;
    return leaderboard_.least(view_, now_, rng);
  }

  // The figure a policy compares or draws by, for whoever watches the pick (engine/witness.hpp); else it is for nothing.
  void weighed(std::uint32_t, double) const {}
  // It has its share.
  bool holds(std::uint32_t i) const { return shares_ != nullptr && shares_->holds(i); }
  // The request is big, and big ones have their share of its slots.
  bool crowded(std::uint32_t i) const { return slot_share_ < 1 && !view_.up[i]->big_tasks.room(slot_share_, limit(i)); }

  // What `choices=auto` comes to now.
  std::uint32_t choices() const { return freshness_.choices(); }
  // How many engines pick for this service, this one included.
  std::uint32_t pickers() const { return freshness_.pickers(); }
  double now() const { return now_; }
  // So many tickets a lane draws at once from a counter that lanes share.
  std::uint32_t batch() const { return view_.batch; }
  // Changes when one comes up or goes down among these very candidates; asked anew after a look, it tells whether they
  // stood still meanwhile.
  std::uint64_t turns() const { return view_.turns_by_now(); }
  // Changes with who is up, and with their weights.
  std::uint64_t version() const { return view_.version; }
  // What the policy with this number has planned for this view; nullptr if the view is older than the policy.
  const Plan* plan(std::uint32_t policy) const {
    return policy < view_.plans.size() ? view_.plans[policy].get() : nullptr;
  }

 private:
  [[gnu::noinline]] bool eligible(std::uint32_t i) const {
    if (view_.shut != nullptr && view_.shut[i].get()) return false;
    if (holds(i)) return false;
    if (crowded(i)) return false;
    return std::find(excluded_.begin(), excluded_.end(), view_.up[i]->index) == excluded_.end();
  }

  const View<Model>& view_;
  const std::span<const std::uint32_t> excluded_;
  const Shares<Model>* const shares_;
  const double slot_share_;  // of an endpoint's slots, for requests like this one together
  const bool all_eligible_;
  const double now_;
  const Ranking<Model>& ranking_;
  const Freshness<Model>& freshness_;
  Leaderboard<Model>& leaderboard_;
};

}  // namespace lbsuite
