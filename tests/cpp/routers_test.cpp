#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "bits/md5.hpp"
#include "bits/neg_log2.hpp"
#include "placer/key_router.hpp"

namespace lbsuite::routers {
namespace {

std::string hex(const Md5::Digest& digest) {
  std::string text;
  for (const std::uint32_t word : digest) {
    for (unsigned byte = 0; byte < 4; ++byte) {
      for (const unsigned shift : {4U, 0U}) text += "0123456789abcdef"[word >> (8 * byte + shift) & 15];
    }
  }
  return text;
}

// RFC 1321, A.5.
TEST(Md5, MatchesTheRfc) {
  EXPECT_EQ(hex(Md5::hash("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(Md5::hash("a")), "0cc175b9c0f1b6a831c399e269772661");
  EXPECT_EQ(hex(Md5::hash("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(Md5::hash("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(Md5::hash("abcdefghijklmnopqrstuvwxyz")), "c3fcd3d76192e4007dfb496cca67e13b");
  EXPECT_EQ(hex(Md5::hash("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")),
            "d174ab98d277d9f5a5611c2c9f419d9f");
  EXPECT_EQ(hex(Md5::hash("12345678901234567890123456789012345678901234567890123456789012345678901234567890")),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(NegLog2, IsNearTheLogarithmAndNeverRises) {
  std::uint64_t before = NegLog2::of(0);
  EXPECT_EQ(before, std::uint64_t{64} << 40);
  for (std::uint64_t hash = 1; hash < std::uint64_t{1} << 63; hash += hash / 2'500 + 1) {
    const std::uint64_t found = NegLog2::of(hash);
    EXPECT_LE(found, before);
    EXPECT_NEAR(static_cast<double>(found) * 0x1p-40, 64 - std::log2(static_cast<double>(hash)), 3e-6);
    before = found;
  }
  EXPECT_GE(NegLog2::of(~std::uint64_t{0}), 1U);
  EXPECT_LE(NegLog2::of(~std::uint64_t{0}), 3U);
}

// Envoy, test/common/upstream/maglev_lb_test.cc: Basic, BasicWithHostName, Weighted.
TEST(Maglev, FillsItsTableAsEnvoyDoes) {
  Members servers;
  Members ports;
  for (int port = 90; port <= 95; ++port) {
    servers.push_back({"127.0.0.1:" + std::to_string(port), 1});
    ports.push_back({std::to_string(port), 1});
  }
  using Table = std::vector<std::uint16_t>;
  EXPECT_EQ(Maglev::table(servers, 7), (Table{2, 4, 0, 1, 5, 0, 3}));
  EXPECT_EQ(Maglev::table(ports, 7), (Table{2, 5, 0, 3, 4, 1, 0}));
  EXPECT_EQ(Maglev::table({{"127.0.0.1:90", 1}, {"127.0.0.1:91", 2}}, 17),
            (Table{1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1}));
}

TEST(KeyRouter, AllocatesNothingForAKey) {
  Members members;
  for (int i = 0; i < 20; ++i) members.push_back({"cache-" + std::to_string(i), 1});
  for (const std::string& kind : names()) {
    const KeyRouter router(kind, members, {1.5, std::nullopt});
    const std::size_t before = allocations();
    for (std::uint64_t key = 0; key < 100; ++key) router.route(router.hash(key) ^ router.hash("a key of some length"));
    EXPECT_EQ(allocations(), before) << kind;
  }
}

}  // namespace
}  // namespace lbsuite::routers
