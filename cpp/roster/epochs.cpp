#include "roster/epochs.hpp"

#include <algorithm>

#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lbsuite {
namespace {

#ifdef __linux__
bool membarrier(int command) { return syscall(__NR_membarrier, command, 0, 0) == 0; }
bool register_membarrier() { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }
bool order_threads() { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }
#else
bool register_membarrier() { return false; }
bool order_threads() { return false; }
#endif

}  // namespace

const bool Epochs::cheap_readers_ = register_membarrier();

Epochs::Reader::Reader() : record_(take_record()) {}
Epochs::Reader::~Reader() { record_->taken.store(false, std::memory_order_release); }

// Records are handed on, never freed: a list that only grows can be walked without a lock.
Epochs::Record* Epochs::take_record() {
  for (Record* record = records_.load(std::memory_order_acquire); record != nullptr; record = record->next) {
    bool taken = false;
    if (record->taken.compare_exchange_strong(taken, true)) return record;
  }
  auto* record = new Record;
  record->next = records_.load(std::memory_order_relaxed);
  while (!records_.compare_exchange_weak(record->next, record, std::memory_order_release)) {
  }
  return record;
}

std::uint64_t Epochs::oldest_reader() {
  std::uint64_t oldest = kIdle;
  for (Record* record = records_.load(std::memory_order_acquire); record != nullptr; record = record->next) {
    oldest = std::min(oldest, record->epoch.load(std::memory_order_acquire));
  }
  return oldest;
}

void Epochs::order_readers() {
  if (!(cheap_readers_ && order_threads())) std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Epochs::retire(std::function<void()> free) {
  retired_.emplace_back(current_.fetch_add(1, std::memory_order_acq_rel), std::move(free));
  order_readers();
  const std::uint64_t oldest = oldest_reader();
  const auto kept =
      std::find_if(retired_.begin(), retired_.end(), [oldest](const auto& entry) { return entry.first >= oldest; });
  for (auto entry = retired_.begin(); entry != kept; ++entry) entry->second();
  retired_.erase(retired_.begin(), kept);
}

Epochs::~Epochs() {
  for (auto& entry : retired_) entry.second();
}

}  // namespace lbsuite
