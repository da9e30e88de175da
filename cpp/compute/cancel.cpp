#include "compute/cancel.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

namespace lbsuite {

void Cancel::set() {
  {
    const std::lock_guard lock(mutex_);
    set_.store(true, std::memory_order_relaxed);
  }
  woken_.notify_all();
}

void Cancel::check() const {
  if (is_set()) throw TaskCancelled();
}

void Cancel::check_wait(double seconds) {
  if (!(seconds >= 0 && seconds <= 1e9))
    throw std::invalid_argument("seconds outside 0..1e9: " + std::to_string(seconds));
}

void Cancel::wait(double seconds) {
  check_wait(seconds);
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::unique_lock lock(mutex_);
  if (woken_.wait_until(lock, end, [this] { return is_set(); })) throw TaskCancelled();
}

}  // namespace lbsuite
