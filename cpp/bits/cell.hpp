#pragma once
// A cell holds one number that many may touch. `Shared` cells are atomic, `Plain` cells are not: the same engine runs
// under threads with the first and in the simulator with the second.

#include <atomic>

namespace lbsuite {

template <class T>
class SharedCell {
 public:
  SharedCell(T value = T{}) : value_(value) {}
  T get() const { return value_.load(std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  T add(T amount) { return value_.fetch_add(amount, std::memory_order_relaxed); }  // returns what was there before
  bool swap(T& expected, T wanted) { return value_.compare_exchange_weak(expected, wanted, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

template <class T>
class PlainCell {
 public:
  PlainCell(T value = T{}) : value_(value) {}
  T get() const { return value_; }
  void set(T value) { value_ = value; }
  T add(T amount) {
    const T before = value_;
    value_ = static_cast<T>(before + amount);
    return before;
  }
  bool swap(T& expected, T wanted) {
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = wanted;
    return true;
  }

 private:
  T value_;
};

struct Shared {
  static constexpr bool threaded = true;
  template <class T>
  using Cell = SharedCell<T>;
};

struct Plain {
  static constexpr bool threaded = false;
  template <class T>
  using Cell = PlainCell<T>;
};

}  // namespace lbsuite
