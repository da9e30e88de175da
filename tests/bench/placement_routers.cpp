// What does a key cost in one thread, for every kind of key router? Prints a line "what ns" for each; what is a kind and
// the number of members.

#include <cstdio>

#include "placer/key_router.hpp"
#include "timing.hpp"

namespace lbsuite::bench {
namespace {

constexpr std::size_t kKeys = 1 << 16;  // more than a branch predictor learns by heart

double ns_a_key(const std::string& kind, int members) {
  routers::Members named;
  for (int i = 0; i < members; ++i) named.push_back({"10.0.0." + std::to_string(i), 1});
  const routers::KeyRouter router(kind, named);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < kKeys; ++i) keys.push_back(fold(i + 1, 0xD1B54A32D192ED03));
  std::vector<std::uint32_t> indices(kKeys);
  // The quickest pass: others on this machine do not count.
  double least = 1;
  for (const double end = seconds() + 0.1; seconds() < end;) {
    const double began = seconds();
    router.route_many(keys, indices.data());
    keep(indices.data());
    least = std::min(least, seconds() - began);
  }
  return least * 1e9 / static_cast<double>(kKeys);
}

}  // namespace
}  // namespace lbsuite::bench

int main() {
  for (const std::string& kind : lbsuite::routers::names()) {
    for (const int members : {5, 100, 1000}) {
      std::printf("%s/%d %.3f\n", kind.c_str(), members, lbsuite::bench::ns_a_key(kind, members));
    }
  }
}
