#pragma once
// Tasks in flight and picks ever, in one word, so that a pick and its end cost one atomic operation each.
// Up to kMost tasks in flight, which the caller must see to, and 10^12 picks. Any thread may call; nothing waits or fails.

#include <cstdint>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class Tally {
 public:
  // What the word holds, less what threads may add at one moment before each sees that it was too much.
  static constexpr std::int32_t kMost = (1 << 23) - (1 << 16);

  // Counts a pick; returns the tasks in flight before it.
  std::int32_t begin() { return in_flight(word_.add(kPick + 1)); }
  void take_back() { word_.add(-(kPick + 1)); }
  void end() { word_.add(-std::uint64_t{1}); }

  std::int32_t in_flight() const { return in_flight(word_.get()); }
  std::uint64_t picks() const {
    const std::uint64_t word = word_.get();
    return (word - static_cast<std::uint64_t>(in_flight(word))) >> kBits;
  }

 private:
  static constexpr int kBits = 24;
  static constexpr std::uint64_t kPick = std::uint64_t{1} << kBits;

  // Below 0 if more ended than began: the low bits are signed.
  static std::int32_t in_flight(std::uint64_t word) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(word) << (32 - kBits)) >> (32 - kBits);
  }

  typename Model::template Cell<std::uint64_t> word_{0};
};

}  // namespace lbsuite
