#pragma once
#include <utility>

#include "bits/maglev.hpp"
#include "placer/router.hpp"

namespace lbsuite::routers {

// Maglev (Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016): members take slots
// of a table in turns, each by its own permutation. Hashes and weights are Envoy's, so that its tables and its answers to
// byte keys are the same. A change makes the table anew: few of the keys of others move, yet some do.
class Maglev : public Kind {
 public:
  static constexpr std::string_view name = "maglev";
  static constexpr std::uint64_t kSlots = 65'537;

  explicit Maglev(const Members& members) : owners_(table(members, kSlots)) {}

  std::uint32_t route(std::uint64_t hash) const { return owners_[hash % kSlots]; }

  void add(const Members& members, std::size_t) { owners_ = table(members, kSlots); }
  void remove(const Members& members, std::size_t) { owners_ = table(members, kSlots); }

  // The owner of each slot; `slots` is a prime.
  static std::vector<std::uint16_t> table(const Members& members, std::uint64_t slots) {
    constexpr std::uint16_t kFree = 0xFFFF;
    std::vector<MaglevTurn<std::uint16_t>> turns;
    for (const auto& [member, weight] : members) {
      turns.emplace_back(static_cast<std::uint16_t>(turns.size()), member, weight, slots);
    }
    return maglev_table(std::move(turns), slots, kFree);
  }

 private:
  std::vector<std::uint16_t> owners_;  // by slot
};

}  // namespace lbsuite::routers
