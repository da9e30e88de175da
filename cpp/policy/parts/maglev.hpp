#pragma once
// The candidates' table of Maglev hashing: the order in which they come makes no difference. A look-up is a load.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "bits/maglev.hpp"
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
  Maglev(const Candidates& candidates, std::uint32_t size) {
    if (candidates.size() == 0 || size == 0) return;
    std::vector<std::uint32_t> order(candidates.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return candidates[a].address < candidates[b].address; });
    std::vector<MaglevTurn<std::uint32_t>> turns;
    for (const std::uint32_t i : order) turns.emplace_back(i, candidates[i].address, candidates.weight(i), size);
    table_ = maglev_table(std::move(turns), size, kNobody);
  }

  // kNobody if the table is empty.
  std::uint32_t find(std::uint64_t key) const { return table_.empty() ? kNobody : table_[key % table_.size()]; }

 private:
  std::vector<std::uint32_t> table_;
};

}  // namespace lbsuite
