#pragma once
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "placer/members.hpp"

namespace lbsuite {

// Maglev (Eisenbud et al., NSDI 2016) with the objects as its slots: servers take turns, each claims the next free
// object of its own permutation. Exact balance, fast, and more moves than stable_matching from some tens of servers on.
// Cost: about objects x ln(objects / servers) claims.
class MaglevTurns {
 public:
  static constexpr std::string_view name = "maglev";
  static constexpr bool takes_weights = false;

  std::vector<std::uint16_t> place(std::span<const std::uint32_t> objects, Members members);
};

}  // namespace lbsuite
