#pragma once
// bits: what every other room is built on.
//   hash, rng  the only hashing and randomness there is, fixed on every machine and in every process, so that a pick, a
//              replay and a placement come out the same everywhere
//   md5        for rings that others must agree with
//   neg_log2   what weighted choices compare     distribution  how sizes are spread
//   cell       what counters are kept in          course  a number that falls with time
//   maglev     a table that names share by weight
//   check      refuses bad input                  fields, spec  settings and choices from a list, as text
// Anyone may call; nothing here locks. Only check and what reads or checks by it fails.

#include <bit>
#include <cstdint>
#include <string_view>

namespace lbsuite {

// XXH64 (Yann Collet, xxHash specification 0.1.1): one pass over the bytes; checked against the reference's vectors.
class Xxh64 {
 public:
  static constexpr std::uint64_t hash(std::string_view bytes, std::uint64_t seed = 0) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    std::uint64_t h = seed + kPrime5;
    if (bytes.size() >= 32) {
      std::uint64_t lane[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
      for (; end - at >= 32; at += 32) {
        for (int i = 0; i < 4; ++i) lane[i] = round(lane[i], read<std::uint64_t>(at + 8 * i));
      }
      h = std::rotl(lane[0], 1) + std::rotl(lane[1], 7) + std::rotl(lane[2], 12) + std::rotl(lane[3], 18);
      for (const std::uint64_t value : lane) h = (h ^ round(0, value)) * kPrime1 + kPrime4;
    }
    h += bytes.size();
    for (; end - at >= 8; at += 8) {
      h = std::rotl(h ^ round(0, read<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
    }
    if (end - at >= 4) {
      h = std::rotl(h ^ (read<std::uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
      at += 4;
    }
    for (; at != end; ++at) h = std::rotl(h ^ (static_cast<unsigned char>(*at) * kPrime5), 11) * kPrime1;
    return avalanche(h);
  }

 private:
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
  static constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
  static constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
  static constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
  static constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

  template <class Word>
  static constexpr std::uint64_t read(const char* at) {
    std::uint64_t word = 0;  // byte by byte: little endian on every machine
    for (std::size_t i = 0; i < sizeof(Word); ++i) {
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    return word;
  }
  static constexpr std::uint64_t round(std::uint64_t lane, std::uint64_t word) {
    return std::rotl(lane + word * kPrime2, 31) * kPrime1;
  }
  static constexpr std::uint64_t avalanche(std::uint64_t h) {
    h = (h ^ (h >> 33)) * kPrime2;
    h = (h ^ (h >> 29)) * kPrime3;
    return h ^ (h >> 32);
  }
};

// Both halves of a product folded into one: mixes a word with another at the price of a multiplication (as wyhash does,
// Wang Yi, 2019).
constexpr std::uint64_t fold(std::uint64_t word, std::uint64_t factor) {
  const auto product = static_cast<unsigned __int128>(word) * factor;
  return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
}

// A hash brought into 0..bound-1 by its high bits.
constexpr std::uint32_t scaled(std::uint64_t hash, std::uint32_t bound) {
  return static_cast<std::uint32_t>(static_cast<unsigned __int128>(hash) * bound >> 64);
}

}  // namespace lbsuite
