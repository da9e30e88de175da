#pragma once
// The distance of a hash from the top, as -log2(hash / 2^64) in fixed point: what weighted choices compare. Integers
// only, so that every machine gets the same; never rising as the hash rises.

#include <array>
#include <bit>
#include <cstdint>

namespace lbsuite {

class NegLog2 {
 public:
  static constexpr int kFraction = 40;  // bits after the point

  // 1 .. 2^46. The logarithm is exact at 256 points an octave and straight between them: off by less than 3e-6.
  static constexpr std::uint64_t of(std::uint64_t hash) {
    hash += hash == 0 ? 1 : 0;
    const int zeros = std::countl_zero(hash);
    const std::uint64_t mantissa = hash << zeros;  // its top bit is set
    const std::size_t step = mantissa >> 55 & 255;
    const std::uint64_t beyond = mantissa >> 24 & 0x7FFFFFFF;
    const std::uint64_t rise = kLogs[step] + ((kLogs[step + 1] - kLogs[step]) * beyond >> 31);
    return (static_cast<std::uint64_t>(zeros + 1) << kFraction) - rise;
  }

 private:
  // floor(2^40 log2(1 + i / 256)), a binary digit a squaring.
  static constexpr std::array<std::uint64_t, 257> kLogs = [] {
    std::array<std::uint64_t, 257> logs{};
    for (std::uint64_t i = 0; i < 256; ++i) {
      std::uint64_t x = (256 + i) << 55;  // 1 .. 2 with 63 bits after the point
      for (int digit = 0; digit < kFraction; ++digit) {
        const auto square = static_cast<unsigned __int128>(x) * x;  // 126 bits after the point
        const auto carry = static_cast<int>(square >> 127);
        x = static_cast<std::uint64_t>(square >> (63 + carry));
        logs[i] = logs[i] << 1 | static_cast<std::uint64_t>(carry);
      }
    }
    logs[256] = std::uint64_t{1} << kFraction;
    return logs;
  }();
};

}  // namespace lbsuite
