#pragma once
// Which endpoints' loads have changed since somebody last asked: a bit for each place. Nothing is noted until somebody
// has said that it will ask. Cost of a touch: one load, or one atomic `or`. Any thread may touch; one at a time drains.

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "roster/epochs.hpp"

namespace lbsuite {

template <class Model>
class Touches {
 public:
  // Comes after the change.
  void add(std::uint32_t place) {
    // `start` orders the change and this look, as the asker sees them.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!on_.load(std::memory_order_relaxed)) [[likely]]
      return;
    std::atomic<std::uint64_t>& word = this->word(place / 64);
    const std::uint64_t bit = std::uint64_t{1} << place % 64;
    if constexpr (Model::threaded) {
      word.fetch_or(bit, std::memory_order_release);
    } else {
      word.store(word.load(std::memory_order_relaxed) | bit, std::memory_order_relaxed);
    }
  }

  // Each change is noted from here on, or seen by whoever looks at the load after this.
  void start() {
    on_.store(true, std::memory_order_relaxed);
    if constexpr (Model::threaded) Epochs::order_readers();
  }
  void stop() { on_.store(always_, std::memory_order_relaxed); }
  bool on() const { return on_.load(std::memory_order_relaxed); }

  // Calls touched(place) for those below `places`, and forgets them.
  template <class Touched>
  void drain(std::uint32_t places, Touched&& touched) {
    for (std::uint32_t number = 0; number * 64 < places; ++number) {
      std::atomic<std::uint64_t>& word = this->word(number);
      std::uint64_t bits = word.load(std::memory_order_relaxed);
      if (bits == 0) [[likely]]
        continue;
      if constexpr (Model::threaded) {
        bits = word.exchange(0, std::memory_order_acquire);
      } else {
        word.store(0, std::memory_order_relaxed);
      }
      for (; bits != 0; bits &= bits - 1) touched(number * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }

  // Writer only: there will be touches of places below this.
  void room(std::uint32_t places) {
    if (places > kMost) throw std::invalid_argument("an engine has room for " + std::to_string(kMost) + " endpoints");
    for (std::uint32_t number = 0; number * kWords * 64 < places; ++number) {
      if (!blocks_[number]) blocks_[number] = std::make_unique<Block>();
    }
  }

 private:
  static constexpr std::uint32_t kWords = 1024;
  static constexpr std::uint32_t kMost = 1 << 24;
  using Block = std::array<std::atomic<std::uint64_t>, kWords>;

  // Blocks stay where they are, so that a toucher needs no lock.
  std::atomic<std::uint64_t>& word(std::uint32_t number) { return (*blocks_[number / kWords])[number % kWords]; }

  // Where one thread cannot order what others do, they note all along.
  const bool always_ = Model::threaded && !Epochs::orders_readers();
  std::atomic<bool> on_{always_};
  std::array<std::unique_ptr<Block>, kMost / kWords / 64> blocks_;
};

}  // namespace lbsuite
