#pragma once
// Picks that are on their way: handed out, but not yet seen in a report of the endpoint they went to.
// Any thread may add a pick; the writer settles them, oldest first. Cost of a pick: one compare-and-swap and two stores.
// More than kMost on their way at once are taken as arrived.

#include <algorithm>
#include <array>
#include <cstdint>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class Arrivals {
 public:
  // False, and nothing added, if `room` or more are on their way.
  bool add(double now, std::uint32_t cost, std::uint32_t room) {
    std::uint64_t picks = picks_.get();
    do {
      const std::uint64_t settled = settled_.get();
      if (picks > settled ? picks - settled >= room : room == 0) return false;
    } while (!picks_.swap(picks, picks + 1));
    times_[picks % kMost].set(now);
    costs_[picks % kMost].set(cost);
    return true;
  }

  std::uint32_t count() const {
    const std::uint64_t settled = settled_.get();
    const std::uint64_t picks = picks_.get();
    return static_cast<std::uint32_t>(picks > settled ? picks - settled : 0);
  }

  std::uint64_t picks() const { return picks_.get(); }

  // The costs of those on their way; `unit` for each beyond the newest kMost.
  double work(double unit) const {
    const std::uint64_t picks = picks_.get();
    return work(std::min(settled_.get(), picks), picks, unit);
  }
  // The same of the last `gone` that were settled.
  double work_of_settled(std::uint32_t gone, double unit) const {
    const std::uint64_t settled = settled_.get();
    return work(settled - gone, settled, unit);
  }

  // The endpoint has begun `begun` of our picks since its process started.
  void begun(std::uint64_t begun) {
    const std::uint64_t arrived = begun < begun_ ? begun : begun - begun_;
    begun_ = begun;
    settled_.set(std::min(picks_.get(), settled_.get() + arrived));
  }

  // Picks made at `then` or before have arrived, or never will. Returns how many there were.
  std::uint32_t settle(double then) {
    const std::uint64_t picks = picks_.get();
    const std::uint64_t before = settled_.get();
    std::uint64_t settled = before;
    if (picks - settled > kMost) settled = picks - kMost;
    while (settled < picks && times_[settled % kMost].get() <= then) ++settled;
    settled_.set(settled);
    return static_cast<std::uint32_t>(settled - before);
  }

 private:
  double work(std::uint64_t from, std::uint64_t to, double unit) const {
    const std::uint64_t picks = picks_.get();
    const std::uint64_t known = std::clamp(picks > kMost ? picks - kMost : 0, from, to);
    double work = unit * static_cast<double>(known - from);
    for (std::uint64_t pick = known; pick < to; ++pick) work += costs_[pick % kMost].get();
    return work;
  }

  static constexpr std::uint64_t kMost = 256;
  typename Model::template Cell<std::uint64_t> picks_{0};
  typename Model::template Cell<std::uint64_t> settled_{0};
  std::uint64_t begun_ = 0;
  std::array<typename Model::template Cell<double>, kMost> times_{};
  std::array<typename Model::template Cell<std::uint32_t>, kMost> costs_{};
};

}  // namespace lbsuite
