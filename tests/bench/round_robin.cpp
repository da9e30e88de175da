// What does a round_robin pick of 25 endpoints cost, in wall time over all threads, on each kind of roster, and on the
// default one where picks are asked for in hundreds? Usage: round_robin THREADS; prints a line "roster ns" for each.

#include <array>
#include <cstdio>
#include <cstdlib>

#include "timing.hpp"

namespace lbsuite::bench {
namespace {

double ns_per_pick(RosterKind roster, int threads) {
  Engine<Shared> engine({.policy = parse_policy("round_robin"), .roster = roster});
  join(engine, 25);
  while (engine.open_lane() + 1 < static_cast<std::uint32_t>(threads)) {
  }
  return ns_per_turn(threads, [&](int thread, long turns) {
    const Request request;
    for (long i = 0; i < turns; ++i) {
      engine.choose(request, 0, static_cast<std::uint32_t>(thread), [](const auto* endpoint) { keep(endpoint); });
    }
  });
}

// Many picks asked for at once, in the default roster.
double ns_per_pick_of_many(int threads) {
  Engine<Shared> engine({.policy = parse_policy("round_robin")});
  join(engine, 25);
  while (engine.open_lane() + 1 < static_cast<std::uint32_t>(threads)) {
  }
  return ns_per_turn(threads, [&](int thread, long turns) {
    std::array<std::uint32_t, 256> chosen;
    for (long i = 0; i < turns; i += chosen.size()) {
      engine.choose_many({}, 0, static_cast<std::uint32_t>(thread), chosen);
      keep(chosen);
    }
  });
}

}  // namespace
}  // namespace lbsuite::bench

int main(int count, char** words) {
  const int threads = count == 2 ? std::atoi(words[1]) : 0;
  if (threads < 1 || threads > 255) {
    std::fprintf(stderr, "usage: round_robin THREADS (1..255)\n");
    return 2;
  }
  for (std::size_t i = 0; i < lbsuite::kRosters.size(); ++i) {
    const double ns = lbsuite::bench::ns_per_pick(static_cast<lbsuite::RosterKind>(i), threads);
    std::printf("%s %.3f\n", std::string(lbsuite::kRosters[i]).c_str(), ns);
  }
  std::printf("snapshot,many %.3f\n", lbsuite::bench::ns_per_pick_of_many(threads));
}
