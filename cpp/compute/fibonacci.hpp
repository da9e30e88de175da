#pragma once

#include <cstdint>

#include "compute/cancel.hpp"

namespace lbsuite {

inline constexpr std::int64_t kLargest64Bit = 93;  // F(94) needs 65 bits

// F(n) by fast doubling, O(log n). Throws std::invalid_argument below 0, std::overflow_error above 93 (64 bits).
std::uint64_t fibonacci(std::int64_t n);

// F(n) by the plain recursion, about 1 ns for each of 2 F(n + 1) - 1 calls: a CPU load, not a way to get F(n).
// Throws std::invalid_argument outside 0..93.
std::uint64_t fibonacci_recursive(std::int64_t n, const Cancel& cancel);

}  // namespace lbsuite
