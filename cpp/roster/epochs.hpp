#pragma once
// Epochs: readers look at an immutable view without a lock, and what a writer replaced is freed once no reader can
// still see it (Fraser, "Practical lock-freedom", 2004; the cheap reader side rests on Linux's membarrier).
// A reader's cost is two plain stores. Readers never wait; a writer waits for nobody either: it frees what it can and
// keeps the rest for its next call.

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace lbsuite {

class Epochs {
  struct Record;

 public:
  // One who reads, by one thread at a time: whoever reads often brings one along, for others there is their thread's.
  class Reader {
   public:
    Reader();
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    static const Reader& of_this_thread() {
      static thread_local const Reader reader;
      return reader;
    }

   private:
    friend class Epochs;
    Record* record_;
  };

  // While a Guard lives, nothing that was reachable when it was made is freed. Guards of one reader may nest.
  class Guard {
   public:
    explicit Guard(const Reader& reader);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::atomic<std::uint64_t>& epoch_;
    const bool outermost_;
  };

  Epochs() = default;
  ~Epochs();
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  // Whether `order_readers` can do what it says.
  static bool orders_readers() { return cheap_readers_; }
  // What another thread did before this call is seen by what this one does after it, or the other sees what this one did
  // before: as with a fence in both, of which the other needs none but for its compiler.
  static void order_readers();

  // Calls `free` once no reader that began before this call is left. Callers hold their writer lock.
  void retire(std::function<void()> free);

 private:
  static constexpr std::uint64_t kIdle = std::numeric_limits<std::uint64_t>::max();

  struct alignas(64) Record {
    std::atomic<std::uint64_t> epoch{kIdle};
    std::atomic<bool> taken{true};
    Record* next = nullptr;
  };

  static Record* take_record();
  static std::uint64_t oldest_reader();

  alignas(64) static inline std::atomic<std::uint64_t> current_{1};
  alignas(64) static inline std::atomic<Record*> records_{nullptr};
  // Whether a writer can order what readers do (membarrier), so that they need no fence of their own.
  static const bool cheap_readers_;

  std::vector<std::pair<std::uint64_t, std::function<void()>>> retired_;  // by epoch
};

inline Epochs::Guard::Guard(const Reader& reader)
    : epoch_(reader.record_->epoch), outermost_(epoch_.load(std::memory_order_relaxed) == kIdle) {
  if (outermost_) epoch_.store(current_.load(std::memory_order_acquire), std::memory_order_release);
  // Orders "I am here" before the read of the view, as the writer sees them.
  if (cheap_readers_) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

inline Epochs::Guard::~Guard() {
  if (outermost_) epoch_.store(kIdle, std::memory_order_release);
}

}  // namespace lbsuite
