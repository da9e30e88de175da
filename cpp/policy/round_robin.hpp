#pragma once
#include <atomic>

#include "policy/policy.hpp"

namespace lbsuite {

// Each ready endpoint in turn, in the roster's order. Lanes draw tickets from one counter, as many at once as the roster
// says: counts differ by at most 1 with one lane, or once all tickets are used, else by at most (1 + lanes) batches.
// Cost: a step; an atomic add a batch.
class RoundRobin {
 public:
  static constexpr std::string_view name = "round_robin";
  static constexpr std::string_view goes_by = "its turn";
  static constexpr bool any_roster = true;
  struct Settings : NoSettings {};
  struct Shared {
    std::atomic<std::uint64_t> tickets{0};
  };

  RoundRobin(const Settings&, Shared& shared) : shared_(shared) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng&) {
    const std::uint32_t size = candidates.size();
    if (size == 0) return kNobody;
    const std::uint32_t turn = next(candidates, size);
    return candidates.ready(turn) ? turn : search(candidates, size);
  }

 private:
  template <class Candidates>
  [[gnu::noinline]] std::uint32_t search(const Candidates& candidates, std::uint32_t size) {
    // A ticket of one that is not ready is used up: handing it to the next would give that one a double share.
    for (std::uint32_t tries = 1; tries < size; ++tries) {
      const std::uint32_t turn = next(candidates, size);
      if (candidates.ready(turn)) return turn;
    }
    // Other lanes may have drawn the very tickets of the few that are ready: those are found by looking.
    const std::uint32_t from = next(candidates, size);
    std::uint32_t found = kNobody;
    std::uint64_t turns = 0;
    do {  // on some rosters one may come up behind the look while another goes down before it
      turns = candidates.turns();
      found = look(candidates, size, from);
    } while (found == kNobody && candidates.turns() != turns);
    return found;
  }

  template <class Candidates>
  static std::uint32_t look(const Candidates& candidates, std::uint32_t size, std::uint32_t from) {
    for (std::uint32_t step = 0; step < size; ++step) {
      const std::uint32_t turn = from + step < size ? from + step : from + step - size;
      if (candidates.ready(turn)) return turn;
    }
    return kNobody;
  }

  // The turn of the next ticket, ticket % size: without the division, which is half the cost of a pick, wherever the
  // ticket before tells it.
  template <class Candidates>
  std::uint32_t next(const Candidates& candidates, std::uint32_t size) {
    if (ticket_ == end_) {
      ticket_ = shared_.tickets.fetch_add(candidates.batch(), std::memory_order_relaxed);
      end_ = ticket_ + candidates.batch();
      size_ = 0;
    }
    if (size != size_) {
      size_ = size;
      turn_ = static_cast<std::uint32_t>(ticket_ % size);
    }
    ++ticket_;
    const std::uint32_t turn = turn_;
    turn_ = turn + 1 == size ? 0 : turn + 1;
    return turn;
  }

  Shared& shared_;
  std::uint64_t ticket_ = 0;
  std::uint64_t end_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t turn_ = 0;
};

}  // namespace lbsuite
