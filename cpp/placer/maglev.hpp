#pragma once
#include <algorithm>

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
    std::vector<Turn> turns;
    std::uint64_t most = 0;
    for (const auto& [member, weight] : members) {
      turns.push_back({Xxh64::hash(member) % slots, Xxh64::hash(member, 1) % (slots - 1) + 1, weight});
      most = std::max<std::uint64_t>(most, weight);
    }
    std::vector<std::uint16_t> owners(slots, kFree);
    std::uint64_t free = slots;
    for (std::uint64_t round = 1; free > 0; ++round) {
      for (std::size_t i = 0; i < turns.size() && free > 0; ++i) {
        Turn& turn = turns[i];
        if (round * turn.weight < turn.due) continue;
        turn.due += most;
        while (owners[turn.slot] != kFree) turn.step(slots);
        owners[turn.slot] = static_cast<std::uint16_t>(i);
        --free;
      }
    }
    return owners;
  }

 private:
  static constexpr std::uint16_t kFree = 0xFFFF;

  // A member walking through its permutation; the heaviest takes a slot each round.
  struct Turn {
    std::uint64_t slot;
    std::uint64_t skip;
    std::uint64_t weight;
    std::uint64_t due = 0;

    void step(std::uint64_t slots) { slot = slot + skip < slots ? slot + skip : slot + skip - slots; }
  };

  std::vector<std::uint16_t> owners_;  // by slot
};

}  // namespace lbsuite::routers
