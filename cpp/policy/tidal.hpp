#pragma once
#include <algorithm>
#include <limits>
#include <ranges>

#include "policy/parts/least.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Tidal water filling (Goren, Vargaftik and Moses, "Distributed dispatching in the parallel server model", DISC 2020):
// where m pickers see the same loads, all m send their request at once; it aims that they fill up the least loaded
// together. With a = m requests poured over loads q, the water stands at L; one with q below L, of k such, is drawn with
// the chance (L - q - 1/k) / (a - 1), never below 0 (as the authors' code has it, which came with their paper of 2021).
// With weights w the water stands at w L, and 1/k is 1/2 + w (2 - k) / (2 W), W their sum over those k: what that
// paper's optimum comes to. One picker: the least loaded. Cost: a few passes over all.
class Tidal {
 public:
  static constexpr std::string_view name = "tidal";
  static constexpr std::string_view goes_by = "drawn by water filling, or else least score";
  static constexpr bool weighs = true;
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit Tidal(const Settings&, Shared&) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const auto every = std::views::iota(0U, candidates.size());
    if (candidates.pickers() <= 1) return least_loaded(candidates, every, rng);
    const Water water = fill(candidates);
    const auto chance = [&](std::uint32_t i) {
      if (!candidates.ready(i)) return 0.0;
      const double weight = candidates.weight(i);
      const double share = 0.5 + weight * (2 - water.count) / (2 * water.weight);
      return std::max(0.0, weight * water.level - candidates.estimate(i) - share);
    };
    double sum = 0;
    for (const std::uint32_t i : every) sum += chance(i);
    double left = rng.uniform() * sum;
    std::uint32_t chosen = kNobody;
    for (const std::uint32_t i : every) {
      const double share = chance(i);
      candidates.weighed(i, share / sum);
      if (share > 0 && left >= 0) {
        chosen = i;
        left -= share;
      }
    }
    return chosen == kNobody ? least_loaded(candidates, every, rng) : chosen;
  }

 private:
  struct Water {
    double level = std::numeric_limits<double>::infinity();
    double weight = 0;  // of those below the level
    double count = 0;   // of those below the level
  };

  // Falls from where it would stand if all were below it, to where no more of them turn out to be above (Newton's way).
  template <class Candidates>
  static Water fill(const Candidates& candidates) {
    Water water;
    double before = -1;
    for (std::uint32_t passes = 0; passes <= candidates.size() && before != water.count; ++passes) {
      Water next{candidates.pickers() * 1.0, 0, 0};
      for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        const double weight = candidates.weight(i);
        if (!candidates.ready(i) || candidates.estimate(i) >= weight * water.level) continue;
        next.level += candidates.estimate(i);
        next.weight += weight;
        next.count += 1;
      }
      before = water.count;
      water = {next.level / next.weight, next.weight, next.count};
    }
    return water;
  }
};

}  // namespace lbsuite
