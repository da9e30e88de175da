#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bits/hash.hpp"
#include "placer/placement.hpp"

namespace lbsuite {

// `count` distinct servers for an object: its owner, then those that rendezvous hashing ranks next, each in a zone of its
// own while there are such. zone(server) is any value that can be compared. Fewer only if not so many are up.
// Cost: one hash a server, and a sort of them.
template <class Zone>
std::vector<Ipv4> other_owners(const Placement& placement, std::uint32_t object, std::size_t count, Zone&& zone) {
  struct Ranked {
    std::uint64_t rank;
    Ipv4 server;
  };
  std::vector<Ranked> ranked;
  const ServerId owner = placement.owners()[object];
  for (std::size_t id = 0; id < placement.servers().size(); ++id) {
    if (placement.weights()[id] == 0) continue;
    const Ipv4 server = placement.servers()[id];
    const char bytes[] = {static_cast<char>(server), static_cast<char>(server >> 8), static_cast<char>(server >> 16),
                          static_cast<char>(server >> 24)};
    ranked.push_back({id == owner ? 0 : 1 + (Xxh64::hash({bytes, 4}, object) >> 1), server});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const Ranked& a, const Ranked& b) { return a.rank != b.rank ? a.rank < b.rank : a.server < b.server; });
  std::vector<Ipv4> chosen;
  std::vector<decltype(zone(Ipv4{}))> zones;
  for (const bool anywhere : {false, true}) {
    for (const auto& [rank, server] : ranked) {
      if (chosen.size() == count) break;
      if (std::find(chosen.begin(), chosen.end(), server) != chosen.end()) continue;
      const auto here = zone(server);
      if (!anywhere && std::find(zones.begin(), zones.end(), here) != zones.end()) continue;
      chosen.push_back(server);
      zones.push_back(here);
    }
  }
  return chosen;
}

}  // namespace lbsuite
