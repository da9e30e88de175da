#pragma once
// The endpoints one pick may choose from, as a policy sees them: those that are up, in the roster's order.

#include <algorithm>
#include <cstdint>
#include <span>

#include "engine/freshness.hpp"
#include "policy/news.hpp"
#include "roster/roster.hpp"

namespace lbsuite {

template <class Model>
class Candidates {
 public:
  Candidates(const View<Model>& view, std::span<const std::uint32_t> excluded, double now,
             const Ranking<Model>& ranking, const Freshness<Model>& freshness)
      : view_(view), excluded_(excluded), now_(now), ranking_(ranking), freshness_(freshness) {}

  std::uint32_t size() const { return static_cast<std::uint32_t>(view_.up.size()); }
  Endpoint<Model>& operator[](std::uint32_t i) const { return *view_.up[i]; }

  // Below its limit, and not excluded by the request.
  [[gnu::always_inline]] bool ready(std::uint32_t i) const {
    const Endpoint<Model>& endpoint = *view_.up[i];
    return !endpoint.load.full() && (excluded_.empty() || !excludes(endpoint.index));
  }

  double score(std::uint32_t i) const { return view_.up[i]->load.score(now_, ranking_); }
  double estimate(std::uint32_t i) const { return view_.up[i]->load.estimate(now_); }
  std::int32_t tasks(std::uint32_t i) const { return view_.up[i]->load.tasks(); }
  std::int32_t own(std::uint32_t i) const { return view_.up[i]->load.own(); }
  double weight(std::uint32_t i) const { return view_.up[i]->load.weight(); }
  std::int32_t limit(std::uint32_t i) const { return view_.up[i]->load.limit(); }  // 0: none
  Place place(std::uint32_t i) const { return {view_.up[i]->index, view_.up[i]->generation}; }
  std::uint64_t hash(std::uint32_t i) const { return view_.up[i]->hash; }  // of the address, on every machine the same

  // What `choices=auto` comes to now.
  std::uint32_t choices() const { return freshness_.choices(); }
  // How many engines pick for this service, this one included.
  std::uint32_t pickers() const { return freshness_.pickers(); }
  double now() const { return now_; }
  // Changes with who is up.
  std::uint64_t version() const { return view_.version; }
  // What the policy with this number has planned for this view; nullptr if the view is older than the policy.
  const Plan* plan(std::uint32_t policy) const {
    return policy < view_.plans.size() ? view_.plans[policy].get() : nullptr;
  }

 private:
  [[gnu::noinline]] bool excludes(std::uint32_t index) const {
    return std::find(excluded_.begin(), excluded_.end(), index) != excluded_.end();
  }

  const View<Model>& view_;
  const std::span<const std::uint32_t> excluded_;
  const double now_;
  const Ranking<Model>& ranking_;
  const Freshness<Model>& freshness_;
};

}  // namespace lbsuite
