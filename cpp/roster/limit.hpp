#pragma once
// How many tasks an endpoint may have at once: the smaller of what it told and what a stage has learnt of it; 0: any.
// All three stand in one word, so that who changes one of them never undoes what another changed. Any thread; cost of
// reading: a load. Never fails.

#include <algorithm>
#include <cstdint>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class Limit {
 public:
  // Of two limits, of which 0 is none.
  template <class Number>
  static Number smaller(Number one, Number other) {
    return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
  }

  [[gnu::always_inline]] std::int32_t get() const { return static_cast<std::int32_t>(word_.get() & kMask); }

  void tell(std::uint32_t told) {
    change([told](std::uint64_t word) { return join(told, word >> (2 * kBits)); });
  }
  void learn(std::uint32_t learnt) {
    change([learnt](std::uint64_t word) { return join(word >> kBits & kMask, learnt); });
  }

 private:
  static constexpr int kBits = 21;
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;

  static std::uint64_t join(std::uint64_t told, std::uint64_t learnt) {
    return smaller(told, learnt) | told << kBits | learnt << (2 * kBits);
  }

  template <class Change>
  void change(Change&& change) {
    std::uint64_t word = word_.get();
    while (!word_.swap(word, change(word))) {
    }
  }

  typename Model::template Cell<std::uint64_t> word_{0};
};

}  // namespace lbsuite
