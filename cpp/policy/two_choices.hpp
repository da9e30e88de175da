#pragma once
#include "policy/policy.hpp"
#include "policy/sample.hpp"

namespace lbsuite {

// The less loaded of two distinct ready endpoints: least_load with two choices (Mitzenmacher, "The power of two
// choices in randomized load balancing", 2001). Cost: two draws, two scores.
class TwoChoices {
 public:
  static constexpr std::string_view name = "two_choices";
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit TwoChoices(const Settings&, Shared&) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    return least_loaded(candidates, Sample(candidates, 2, rng), rng);
  }
};

}  // namespace lbsuite
