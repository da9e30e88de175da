#pragma once
// The table of Maglev hashing (Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI'16,
// section 3.4, listing 1), with weights as Envoy has them (maglev_lb.cc): the same endpoints give the same table in both.
// Entries are equal in number to within one round, by weight. Cost: a few ns an entry to make it, more where weights
// differ by orders of magnitude; a look-up a load.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bits/hash.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

constexpr bool is_prime(std::uint32_t number) {
  for (std::uint32_t factor = 2; factor <= number / factor; ++factor) {
    if (number % factor == 0) return false;
  }
  return number >= 2;
}

class Maglev {
 public:
  // size: a prime, or 0 for no table at all.
  template <class Candidates>
  Maglev(const Candidates& candidates, std::uint32_t size) : table_(candidates.size() == 0 ? 0 : size, kNobody) {
    if (table_.empty()) return;
    std::vector<Turn> turns(candidates.size());
    double heaviest = 0;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      const std::string_view address = candidates[i].address;
      turns[i] = {address,
                  i,
                  candidates.weight(i),
                  0,
                  Xxh64::hash(address, 0) % size,
                  Xxh64::hash(address, 1) % (size - 1) + 1};
      heaviest = std::max(heaviest, turns[i].weight);
    }
    std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.address < b.address; });
    fill(turns, heaviest);
  }

  // kNobody if the table is empty.
  std::uint32_t find(std::uint64_t key) const { return table_.empty() ? kNobody : table_[key % table_.size()]; }

 private:
  struct Turn {
    std::string_view address;
    std::uint32_t candidate = 0;
    double weight = 0;
    double due = 0;            // its turn comes once `rounds x weight` is as much
    std::uint64_t place = 0;   // the next of its own order of all places
    std::uint64_t stride = 0;  // from that to the one after
  };

  void fill(std::vector<Turn>& turns, double heaviest) {
    std::size_t filled = 0;
    for (double rounds = 1;; ++rounds) {
      for (Turn& turn : turns) {
        if (rounds * turn.weight < turn.due) continue;
        turn.due += heaviest;
        while (table_[turn.place] != kNobody) turn.place = (turn.place + turn.stride) % table_.size();
        table_[turn.place] = turn.candidate;
        if (++filled == table_.size()) return;
      }
    }
  }

  std::vector<std::uint32_t> table_;
};

}  // namespace lbsuite
