#pragma once
// The table of Maglev hashing (Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI'16,
// section 3.4, listing 1), with hashes and weights as Envoy has them (maglev_lb.cc): the same names give the same table
// in both. Entries are equal in number to within one round, by weight. Cost: a few ns an entry, more where weights differ
// by orders of magnitude.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bits/hash.hpp"

namespace lbsuite {

// One of those that take entries in turns, each by its own order of all entries.
template <class Owner>
struct MaglevTurn {
  // size: of the table.
  MaglevTurn(Owner owner_, std::string_view name, double weight_, std::uint64_t size)
      : owner(owner_),
        weight(weight_),
        entry(Xxh64::hash(name, 0) % size),
        stride(Xxh64::hash(name, 1) % (size - 1) + 1) {}

  Owner owner;
  double weight;
  double due = 0;        // its turn comes once `rounds x weight` is as much
  std::uint64_t entry;   // the next of its order
  std::uint64_t stride;  // from that to the one after

  void step(std::uint64_t size) { entry = entry + stride < size ? entry + stride : entry + stride - size; }
};

// Who owns each entry. size: a prime. free: no owner at all. There is one turn at least.
template <class Owner>
std::vector<Owner> maglev_table(std::vector<MaglevTurn<Owner>> turns, std::uint64_t size, Owner free) {
  std::vector<Owner> table(size, free);
  double heaviest = 0;
  for (const auto& turn : turns) heaviest = std::max(heaviest, turn.weight);
  std::uint64_t filled = 0;
  for (double rounds = 1;; ++rounds) {
    for (auto& turn : turns) {
      if (rounds * turn.weight < turn.due) continue;
      turn.due += heaviest;
      while (table[turn.entry] != free) turn.step(size);
      table[turn.entry] = turn.owner;
      if (++filled == size) return table;
    }
  }
}

}  // namespace lbsuite
