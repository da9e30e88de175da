#pragma once
// Probes that policies want sent, until the host asks for them. Any thread may add; the oldest go when nobody asks.
// Adding takes a short lock and never allocates.

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "policy/news.hpp"

namespace lbsuite {

class Probes {
 public:
  void add(Place place) {
    const std::lock_guard lock(adding_);
    wanted_[added_++ % kMost] = place;
  }

  // Oldest first.
  std::vector<Place> take() {
    const std::lock_guard lock(adding_);
    std::vector<Place> taken;
    for (std::uint64_t i = added_ - taken_ > kMost ? added_ - kMost : taken_; i < added_; ++i) {
      taken.push_back(wanted_[i % kMost]);
    }
    taken_ = added_;
    return taken;
  }

 private:
  static constexpr std::uint64_t kMost = 1024;
  std::mutex adding_;
  std::array<Place, kMost> wanted_;
  std::uint64_t added_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace lbsuite
