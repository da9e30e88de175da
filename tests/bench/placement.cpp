// What does a placement cost in C++: a look-up, a failure, a replay? Prints a line "what ns" (or "what events_per_us").

#include <cstdio>
#include <vector>

#include "bits/rng.hpp"
#include "placer/placer.hpp"
#include "timing.hpp"

namespace lbsuite::bench {
namespace {

std::vector<Change> servers(std::uint32_t count, bool weighted) {
  std::vector<Change> all;
  Rng rng(1);
  for (std::uint32_t i = 0; i < count; ++i) all.push_back({0x0A010001 + i, weighted ? 1 + rng.below(64) : 1});
  return all;
}

// The least of many: an event is too short for a mean to be anything but the machine's other work.
double ns_of_failure(std::uint32_t count, bool weighted) {
  const std::vector<Change> all = servers(count, weighted);
  Placer placer(4096, 4095);
  std::uint64_t revision = 0;
  placer.apply(++revision, all);
  Rng rng(2);
  double least = 1e18;
  for (int i = 0; i < 3000; ++i) {
    const Change up = all[rng.below(count)];
    const Change down{up.server, 0};
    const double before = seconds() * 1e9;
    const Delta delta = placer.apply(++revision, {&down, 1});
    least = std::min(least, seconds() * 1e9 - before);
    keep(delta.moves.size());
    placer.apply(++revision, {&up, 1});
  }
  return least;
}

double ns_of_replay(std::uint32_t count) {
  const std::vector<Change> all = servers(count, false);
  Placer placer(4096, 4095);
  std::uint64_t revision = 0;
  placer.apply(++revision, all);
  Rng rng(3);
  return ns_per_turn(1, [&](int, long turns) {
    for (long i = 0; i < turns; i += 2) {
      const Change up = all[rng.below(count)];
      const Change down{up.server, 0};
      keep(placer.apply(++revision, {&down, 1}).minimum);
      keep(placer.apply(++revision, {&up, 1}).minimum);
    }
  });
}

double ns_of_owner() {
  Placer placer(4096, 4095);
  placer.apply(1, servers(100, false));
  std::vector<std::uint32_t> objects;
  Rng rng(4);
  for (int i = 0; i < 4096; ++i) objects.push_back(rng.below(4096));
  return ns_per_turn(1, [&](int, long turns) {
    std::uint32_t sum = 0;
    for (long i = 0; i < turns; ++i) sum += placer.owner(objects[static_cast<std::size_t>(i) & 4095]);
    keep(sum);
  });
}

void show(const std::string& what, double ns) { std::printf("%s %.3f\n", what.c_str(), ns); }

}  // namespace
}  // namespace lbsuite::bench

int main() {
  using namespace lbsuite::bench;
  show("owner", ns_of_owner());
  for (const std::uint32_t count : {5, 100, 1000})
    show("failure/" + std::to_string(count), ns_of_failure(count, false));
  show("weighted_failure/1000", ns_of_failure(1000, true));
  show("replay/100", ns_of_replay(100));
}
