#pragma once
// The servers that an order-free placement is a function of.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "placer/ipv4.hpp"

namespace lbsuite {

struct Member {
  Ipv4 server = kNoServer;
  std::uint32_t weight = 1;
};

// In ascending order of their addresses, each once.
using Members = std::span<const Member>;

inline bool weights_differ(Members members) {
  return std::any_of(members.begin(), members.end(), [&](const Member& m) { return m.weight != members[0].weight; });
}

// The shares of m objects: each member owns the floor or the ceiling of its exact share.
struct Quotas {
  Quotas(std::uint32_t objects, Members members);

  std::vector<std::uint32_t> floors;  // by member
  std::vector<bool> whole;            // the floor is the exact share
  std::uint32_t extra;                // members that own one more than their floor
};

}  // namespace lbsuite
