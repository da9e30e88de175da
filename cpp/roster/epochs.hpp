#pragma once
// Epochs: readers look at an immutable view without a lock, and what a writer replaced is freed once no reader can
// still see it (Fraser, "Practical lock-freedom", 2004; the cheap reader side rests on Linux's membarrier).
// A reader's cost is two plain stores; threads register themselves on their first read and leave when they end.
// Readers never wait; a writer waits for nobody either: it frees what it can and keeps the rest for its next call.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace lbsuite {

class Epochs {
 public:
  // While a Guard lives, nothing that was reachable when it was made is freed. Guards of one thread may nest.
  class Guard {
   public:
    Guard();
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::uint64_t before_;
  };

  Epochs() = default;
  ~Epochs();
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  // Calls `free` once no reader that began before this call is left. Callers hold their writer lock.
  void retire(std::function<void()> free);

 private:
  std::vector<std::pair<std::uint64_t, std::function<void()>>> retired_;
};

}  // namespace lbsuite
