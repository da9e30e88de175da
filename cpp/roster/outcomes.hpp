#pragma once
// How tasks ended at one endpoint, as far as the engine hears of it, and whether they began. Any thread may add and
// read; what is told of picks that arrive belongs to the writer.

#include <cstdint>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class Outcomes {
 public:
  // count: tasks that ended together; failed: those of them that failed. Where some did and some did not, nobody knows
  // which came last: the row is broken.
  void add(std::uint32_t count, std::uint32_t failed) {
    ended_.add(count);
    if (failed == 0) {
      if (row_.get() != 0) row_.set(0);
      return;
    }
    failed_.add(failed);
    if (failed == count) {
      row_.add(failed);
    } else {
      row_.set(0);
    }
  }

  std::uint64_t ended() const { return ended_.get(); }
  std::uint64_t failed() const { return failed_.get(); }
  // So many have failed since the last success.
  std::uint32_t failed_in_a_row() const { return row_.get(); }
  void end_row() {
    row_.set(0);
    missing_ = 0;
  }
  // The next to end is waited for.
  void watch(bool on) { watched_.set(on); }
  bool watched() const { return watched_.get(); }

  // Writer only, from here on. The endpoint has begun so many of our picks, or says after long that it has not.
  void arrive(std::uint64_t picks) {
    arrived_ += picks;
    if (picks > 0) missing_ = 0;
  }
  void miss(std::uint32_t picks) { missing_ += picks; }
  std::uint64_t arrived() const { return arrived_; }
  // So many have not arrived since the last that did.
  std::uint32_t missing_in_a_row() const { return missing_; }

 private:
  typename Model::template Cell<std::uint64_t> ended_{0};
  typename Model::template Cell<std::uint64_t> failed_{0};
  typename Model::template Cell<std::uint32_t> row_{0};
  typename Model::template Cell<bool> watched_{false};
  std::uint64_t arrived_ = 0;
  std::uint32_t missing_ = 0;
};

}  // namespace lbsuite
