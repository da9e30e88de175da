#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "bits/hash.hpp"
#include "bits/rng.hpp"

namespace lbsuite {
namespace {

// Vectors made with xxHash 0.8.4 by way of the Python package xxhash.
TEST(Xxh64, MatchesTheReference) {
  std::string bytes(101, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  EXPECT_EQ(Xxh64::hash(""), 0xef46db3751d8e999);
  EXPECT_EQ(Xxh64::hash("a"), 0xd24ec4f1a98c6e5b);
  EXPECT_EQ(Xxh64::hash("abc"), 0x44bc2cf5ad770999);
  EXPECT_EQ(Xxh64::hash("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1);
  EXPECT_EQ(Xxh64::hash("127.0.0.1:50051", 7), 0x2cfdac3a32509564);
  EXPECT_EQ(Xxh64::hash(bytes, 2654435761), 0xa1c6d4174c37136d);
}

// From the authors' C code, as published with the crate rand_xoshiro.
TEST(Rng, MatchesTheReference) {
  Rng rng(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  for (const std::uint64_t expected : {41943041ULL, 58720359ULL, 3588806011781223ULL, 3591011842654386ULL,
                                       9228616714210784205ULL, 9973669472204895162ULL}) {
    EXPECT_EQ(rng.next(), expected);
  }
  SplitMix64 fill(1234567);
  EXPECT_EQ(fill.next(), 6457827717110365317ULL);
  EXPECT_EQ(fill.next(), 3203168211198807973ULL);
}

TEST(Rng, BelowIsUniform) {
  Rng rng(42);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[rng.below(7)];
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - 10'000) * (count - 10'000) / 10'000.0;
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace lbsuite
