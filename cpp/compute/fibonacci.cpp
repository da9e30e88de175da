#include "compute/fibonacci.hpp"

#include <stdexcept>
#include <string>

namespace lbsuite {
namespace {

constexpr int highest_bit = 6;  // of a number up to 93

// F(20) takes about 20 us: the flag above it is seen soon, and one look per 20,000 calls costs nothing.
constexpr std::int64_t unwatched = 20;

std::uint64_t plain(std::int64_t n) { return n < 2 ? static_cast<std::uint64_t>(n) : plain(n - 1) + plain(n - 2); }

std::uint64_t watched(std::int64_t n, const Cancel& cancel) {
  if (n <= unwatched) return plain(n);
  cancel.check();
  return watched(n - 1, cancel) + watched(n - 2, cancel);
}

}  // namespace

std::uint64_t fibonacci(std::int64_t n) {
  if (n < 0) throw std::invalid_argument("n below 0: " + std::to_string(n));
  if (n > kLargest64Bit)
    throw std::overflow_error("F(" + std::to_string(n) + ") does not fit into 64 bits; the largest n is 93");
  std::uint64_t now = 0, next = 1;  // F(k), F(k + 1), k = the bits of n read so far; what wraps around is not used
  for (int bit = highest_bit; bit >= 0; --bit) {
    const std::uint64_t twice = now * (2 * next - now), after = now * now + next * next;
    const bool odd = n >> bit & 1;
    now = odd ? after : twice;
    next = odd ? twice + after : after;
  }
  return now;
}

std::uint64_t fibonacci_recursive(std::int64_t n, const Cancel& cancel) {
  if (n < 0 || n > kLargest64Bit) throw std::invalid_argument("n outside 0..93: " + std::to_string(n));
  return watched(n, cancel);
}

}  // namespace lbsuite
