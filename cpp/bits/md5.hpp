#pragma once
// MD5 (RFC 1321), for hash rings that others must agree with; it protects nothing. Checked with the RFC's own vectors.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>

namespace lbsuite {

class Md5 {
 public:
  using Digest = std::array<std::uint32_t, 4>;  // the 16 bytes as little-endian words

  static Digest hash(std::string_view bytes) {
    Digest state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
    for (; bytes.size() >= kBlock; bytes.remove_prefix(kBlock)) mix(state, bytes.data());
    std::array<char, 2 * kBlock> tail{};  // what is left, a one bit, zeros, and the length
    std::copy(bytes.begin(), bytes.end(), tail.begin());
    tail[bytes.size()] = '\x80';
    const std::size_t end = bytes.size() + 9 <= kBlock ? kBlock : 2 * kBlock;
    for (std::size_t i = 0; i < 8; ++i) tail[end - 8 + i] = static_cast<char>(bits >> (8 * i));
    for (std::size_t at = 0; at < end; at += kBlock) mix(state, tail.data() + at);
    return state;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::array<int, 16> kTurns{7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
  // floor(2^32 |sin(i)|) for i = 1..64.
  static constexpr std::array<std::uint32_t, 64> kSines{
      0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
      0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
      0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
      0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
      0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
      0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
      0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
      0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

  static std::uint32_t word(const char* block, unsigned i) {
    std::uint32_t found = 0;  // byte by byte: little endian on every machine
    for (unsigned b = 0; b < 4; ++b) {
      found |= static_cast<std::uint32_t>(static_cast<unsigned char>(block[4 * i + b])) << (8 * b);
    }
    return found;
  }

  static void mix(Digest& state, const char* block) {
    auto [a, b, c, d] = state;
    for (unsigned i = 0; i < 64; ++i) {
      const unsigned round = i / 16;
      const std::uint32_t f = round == 0   ? (b & c) | (~b & d)
                              : round == 1 ? (d & b) | (~d & c)
                              : round == 2 ? b ^ c ^ d
                                           : c ^ (b | ~d);
      const unsigned at = round == 0 ? i : round == 1 ? 5 * i + 1 : round == 2 ? 3 * i + 5 : 7 * i;
      const std::uint32_t turned = std::rotl(a + f + kSines[i] + word(block, at % 16), kTurns[4 * round + i % 4]);
      a = std::exchange(d, std::exchange(c, std::exchange(b, b + turned)));
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
  }
};

}  // namespace lbsuite
