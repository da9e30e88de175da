#pragma once
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// A ready endpoint, each with the same chance. Cost: a draw; a pass over all where few are ready.
class Random {
 public:
  static constexpr std::string_view name = "random";
  static constexpr std::string_view goes_by = "drawn at random";
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit Random(const Settings&, Shared&) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const Sample sample(candidates, 1, rng);
    return sample.begin() == sample.end() ? kNobody : *sample.begin();
  }
};

}  // namespace lbsuite
