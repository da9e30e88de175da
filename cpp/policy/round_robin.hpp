#pragma once
#include <atomic>

#include "policy/policy.hpp"

namespace lbsuite {

// Each ready endpoint in turn, in the roster's order. Lanes draw tickets from one counter in batches, so counts differ
// by at most 1 with one lane and by at most (1 + lanes) batches with several. Cost: a division; rarely an atomic add.
class RoundRobin {
 public:
  static constexpr std::string_view name = "round_robin";
  struct Settings : NoSettings {};
  struct Shared {
    std::atomic<std::uint64_t> tickets{0};
  };

  RoundRobin(const Settings&, Shared& shared) : shared_(shared) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng&) {
    const std::uint32_t size = candidates.size();
    // A ticket of one that is not ready is used up: handing it to the next would give that one a double share.
    for (std::uint32_t tries = 0; tries < size; ++tries) {
      const auto turn = static_cast<std::uint32_t>(ticket() % size);
      if (candidates.ready(turn)) return turn;
    }
    // Other lanes may have drawn the very tickets of the few that are ready: those are found by looking.
    const auto from = static_cast<std::uint32_t>(size == 0 ? 0 : ticket() % size);
    for (std::uint32_t step = 0; step < size; ++step) {
      const std::uint32_t turn = from + step < size ? from + step : from + step - size;
      if (candidates.ready(turn)) return turn;
    }
    return kNobody;
  }

 private:
  std::uint64_t ticket() {
    if (next_ == end_) {
      next_ = shared_.tickets.fetch_add(kBatch, std::memory_order_relaxed);
      end_ = next_ + kBatch;
    }
    return next_++;
  }

  static constexpr std::uint64_t kBatch = 64;
  Shared& shared_;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace lbsuite
