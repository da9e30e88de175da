#include "roster/epochs.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lbsuite {
namespace {

constexpr std::uint64_t kIdle = std::numeric_limits<std::uint64_t>::max();

struct alignas(64) Reader {
  std::atomic<std::uint64_t> epoch{kIdle};
  std::atomic<bool> taken{true};
  Reader* next = nullptr;
};

std::atomic<std::uint64_t> current{1};
std::atomic<Reader*> readers{nullptr};

#ifdef __linux__
long membarrier(int command) { return syscall(__NR_membarrier, command, 0, 0); }
const bool cheap_readers = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
#else
constexpr bool cheap_readers = false;
#endif

// Orders a reader's "I am here" before its read of the view, as the writer sees them.
inline void reader_fence() {
  if (cheap_readers) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

void writer_fence() {
#ifdef __linux__
  if (cheap_readers && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Records are handed on, never freed: a list that only grows can be walked without a lock.
Reader* take_record() {
  for (Reader* reader = readers.load(std::memory_order_acquire); reader != nullptr; reader = reader->next) {
    bool taken = false;
    if (reader->taken.compare_exchange_strong(taken, true)) return reader;
  }
  auto* reader = new Reader;
  reader->next = readers.load(std::memory_order_relaxed);
  while (!readers.compare_exchange_weak(reader->next, reader, std::memory_order_release)) {
  }
  return reader;
}

struct Registration {
  Reader* reader = take_record();
  ~Registration() { reader->taken.store(false, std::memory_order_release); }
};

Reader& this_thread() {
  static thread_local Registration registration;
  return *registration.reader;
}

std::uint64_t oldest_reader() {
  std::uint64_t oldest = kIdle;
  for (Reader* reader = readers.load(std::memory_order_acquire); reader != nullptr; reader = reader->next) {
    oldest = std::min(oldest, reader->epoch.load(std::memory_order_acquire));
  }
  return oldest;
}

}  // namespace

Epochs::Guard::Guard() {
  Reader& reader = this_thread();
  before_ = reader.epoch.load(std::memory_order_relaxed);
  if (before_ == kIdle) reader.epoch.store(current.load(std::memory_order_acquire), std::memory_order_relaxed);
  reader_fence();
}

Epochs::Guard::~Guard() { this_thread().epoch.store(before_, std::memory_order_release); }

void Epochs::retire(std::function<void()> free) {
  retired_.emplace_back(current.fetch_add(1, std::memory_order_acq_rel), std::move(free));
  writer_fence();
  const std::uint64_t oldest = oldest_reader();
  const auto kept = std::stable_partition(retired_.begin(), retired_.end(),
                                          [oldest](const auto& entry) { return entry.first < oldest; });
  for (auto entry = retired_.begin(); entry != kept; ++entry) entry->second();
  retired_.erase(retired_.begin(), kept);
}

Epochs::~Epochs() {
  for (auto& entry : retired_) entry.second();
}

}  // namespace lbsuite
