#pragma once
#include "policy/parts/per_place.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// nginx's smooth weighted round robin (ngx_http_upstream_round_robin.c): at each pick the credit of every ready endpoint
// grows by its weight, the first with the most credit is picked, and pays what all were given. Weights 5, 1, 1 give
// a a b a c a a. Cost: one pass over all.
class SmoothWeighted {
 public:
  static constexpr std::string_view name = "smooth_weighted";
  static constexpr std::string_view goes_by = "most credit";
  static constexpr bool weighs = true;
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit SmoothWeighted(const Settings&, Shared&) {}

  void room(std::uint32_t places) { credits_.room(places); }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng&) {
    std::uint32_t best = kNobody;
    double given = 0;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (!candidates.ready(i)) continue;
      const double weight = candidates.weight(i);
      given += weight;
      const double credit = credits_[candidates.place(i)] += weight;
      candidates.weighed(i, credit);
      if (best == kNobody || credit > credits_[candidates.place(best)]) best = i;
    }
    if (best != kNobody) credits_[candidates.place(best)] -= given;
    return best;
  }

 private:
  PerPlace<double> credits_;
};

}  // namespace lbsuite
