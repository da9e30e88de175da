#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "compute/cancel.hpp"

namespace lbsuite {

// F(n) of any size, by GMP where the build found one. 33 ms of CPU and 6 MB for n = 10 million, which is a number of
// 0.9 MB; both grow with n. A cancelled call ends after the multiplication or division that runs: half of the whole at
// most, for there is one that large. All throw std::invalid_argument outside 0..kLargestBig, and NoGmp.
inline constexpr std::int64_t kLargestBig = 100'000'000;

// This build has no GMP; the text says what to install.
class NoGmp : public std::runtime_error {
 public:
  NoGmp();
};

// nullptr where there is none.
const char* gmp_release() noexcept;

struct BigDigest {
  std::size_t digits;  // decimal ones
  std::uint64_t hash;  // XXH64 with seed 0 of what fibonacci_bytes gives
};
BigDigest fibonacci_digest(std::int64_t n, const Cancel& cancel);

// Little endian, with no zero byte at its end: none at all for 0.
std::string fibonacci_bytes(std::int64_t n, const Cancel& cancel);

// Decimal; costs 4 to 7 times the number itself.
std::string fibonacci_text(std::int64_t n, const Cancel& cancel);

}  // namespace lbsuite
