#pragma once
#include "policy/policy.hpp"

namespace lbsuite {

// The first ready endpoint in the roster's order, each time. Cost: the number of full ones before it.
class PickFirst {
 public:
  static constexpr std::string_view name = "pick_first";
  static constexpr std::string_view goes_by = "the first ready";
  struct Settings : NoSettings {};
  using Shared = NothingShared;

  explicit PickFirst(const Settings&, Shared&) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng&) {
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (candidates.ready(i)) return i;
    }
    return kNobody;
  }
};

}  // namespace lbsuite
