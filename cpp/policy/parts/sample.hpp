#pragma once
// A few distinct ready endpoints, drawn uniformly. Cost: about one draw each; where too many are not ready, one pass
// over all of them. Never allocates.

#include <algorithm>
#include <array>
#include <cstdint>

#include "bits/rng.hpp"

namespace lbsuite {

// Candidates of whom each is ready, so that a sample is of all of them.
struct Everyone {
  std::uint32_t count;
  std::uint32_t size() const { return count; }
  bool ready(std::uint32_t) const { return true; }
};

class Sample {
 public:
  static constexpr std::uint32_t kMost = 32;

  // At most `wanted` (up to kMost) of the candidates that are ready; fewer only if there are not so many.
  template <class Candidates>
  Sample(const Candidates& candidates, std::uint32_t wanted, Rng& rng) {
    const std::uint32_t size = candidates.size();
    wanted = std::min({wanted, kMost, size});
    for (std::uint32_t draws = 0; count_ < wanted && draws < kPatience * wanted; ++draws) {
      const std::uint32_t drawn = rng.below(size);
      if (candidates.ready(drawn) && !holds(drawn)) drawn_[count_++] = drawn;
    }
    if (count_ < wanted) pass_over(candidates, wanted, rng);
  }

  std::uint32_t size() const { return count_; }
  const std::uint32_t* begin() const { return drawn_.data(); }
  const std::uint32_t* end() const { return drawn_.data() + count_; }

 private:
  bool holds(std::uint32_t index) const {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (drawn_[i] == index) return true;
    }
    return false;
  }

  // Reservoir sampling (Vitter, 1985, algorithm R).
  template <class Candidates>
  [[gnu::noinline]] void pass_over(const Candidates& candidates, std::uint32_t wanted, Rng& rng) {
    count_ = 0;
    std::uint32_t seen = 0;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      if (!candidates.ready(i)) continue;
      ++seen;
      if (count_ < wanted) {
        drawn_[count_++] = i;
      } else if (const std::uint32_t place = rng.below(seen); place < wanted) {
        drawn_[place] = i;
      }
    }
  }

  static constexpr std::uint32_t kPatience = 4;
  std::array<std::uint32_t, kMost> drawn_;
  std::uint32_t count_ = 0;
};

}  // namespace lbsuite
