#pragma once
#include <cmath>
#include <utility>

#include "bits/course.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// The less loaded of two distinct ready endpoints: least_load with two choices (Mitzenmacher, "The power of two
// choices in randomized load balancing", 2001). Cost: two draws, two scores.
class TwoChoices {
 public:
  static constexpr std::string_view name = "two_choices";
  static constexpr std::string_view goes_by = "least score of two";
  static constexpr bool weighs = true;
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit TwoChoices(const Settings&, Shared&) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const Sample sample(candidates, 2, rng);
    if (sample.size() < 2) return sample.size() == 0 ? kNobody : sample.begin()[0];
    const auto [a, b] = std::pair(sample.begin()[0], sample.begin()[1]);
    const std::pair scores(candidates.score(a), candidates.score(b));
    candidates.weighed(a, scores.first);
    candidates.weighed(b, scores.second);
    const double more = scores.first - scores.second;
    const bool second = std::abs(more) <= kTie ? rng.below(2) == 1 : more > 0;
    return second ? b : a;
  }
};

}  // namespace lbsuite
