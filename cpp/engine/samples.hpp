#pragma once
// The records of sampled picks: each n-th that a lane is asked for, the newest few kept. Any thread may ask whether it is
// on; everything else is under the engine's writer lock.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "engine/explanation.hpp"

namespace lbsuite {

class Samples {
 public:
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kMostRows = 65'536;  // endpoints, in all that is kept

  bool on() const { return every_.load(std::memory_order_relaxed) != 0; }
  // Of the picks a lane was asked for since this was on, counted from 1. Any thread.
  bool due(std::uint64_t asked) const {
    const std::uint32_t every = every_.load(std::memory_order_relaxed);
    return every != 0 && asked % every == 0;
  }

  // 0: none.
  void set(std::uint32_t every) { every_.store(every, std::memory_order_relaxed); }

  void add(Explanation&& told) {
    rows_ += told.endpoints.size();
    kept_.push_back(std::move(told));
    while (kept_.size() > kKept || (kept_.size() > 1 && rows_ > kMostRows)) {
      rows_ -= kept_.front().endpoints.size();
      kept_.pop_front();
    }
  }

  // That of one pick, while it is kept.
  std::optional<Explanation> find(std::uint64_t sequence) const {
    for (auto one = kept_.rbegin(); one != kept_.rend(); ++one) {
      if (one->sequence == sequence && sequence != 0) return *one;
    }
    return std::nullopt;
  }
  // At most so many, newest last.
  std::vector<Explanation> newest(std::size_t most) const {
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, kept_.size()));
    return {kept_.end() - count, kept_.end()};
  }

 private:
  std::atomic<std::uint32_t> every_{0};
  std::deque<Explanation> kept_;
  std::size_t rows_ = 0;
};

}  // namespace lbsuite
