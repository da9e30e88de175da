// What does a round_robin pick of 25 endpoints cost, in wall time over all threads, on each kind of roster, and on the
// default one where picks are asked for in hundreds? Usage: round_robin THREADS; prints a line "roster ns" for each.

#include <array>
#include <cstdio>
#include <cstdlib>

#include "timing.hpp"

namespace lbsuite::bench {
namespace {

// loop(engine, lane, turns) makes so many picks.
template <class Loop>
double ns_per_pick(RosterKind roster, int threads, Loop&& loop) {
  Engine<Shared> engine({.policy = parse_policy("round_robin"), .roster = roster});
  join(engine, 25);
  while (engine.open_lane() + 1 < static_cast<std::uint32_t>(threads)) {
  }
  return ns_per_turn(threads, [&](int thread, long turns) { loop(engine, static_cast<std::uint32_t>(thread), turns); });
}

void one_by_one(Engine<Shared>& engine, std::uint32_t lane, long turns) {
  const Request request;
  for (long i = 0; i < turns; ++i) engine.choose(request, 0, lane, [](const auto* endpoint) { keep(endpoint); });
}

void in_hundreds(Engine<Shared>& engine, std::uint32_t lane, long turns) {
  std::array<std::uint32_t, 256> chosen;
  for (long i = 0; i < turns; i += chosen.size()) {
    engine.choose_many({}, 0, lane, chosen);
    keep(chosen);
  }
}

void measure(int threads) {
  for (std::size_t i = 0; i < kRosters.size(); ++i) {
    const double ns = ns_per_pick(static_cast<RosterKind>(i), threads, one_by_one);
    std::printf("%s %.3f\n", std::string(kRosters[i]).c_str(), ns);
  }
  std::printf("snapshot,many %.3f\n", ns_per_pick(RosterKind::snapshot, threads, in_hundreds));
}

}  // namespace
}  // namespace lbsuite::bench

int main(int count, char** words) {
  const int threads = count == 2 ? std::atoi(words[1]) : 0;
  if (threads < 1 || threads > 255) {
    std::fprintf(stderr, "usage: round_robin THREADS (1..255)\n");
    return 2;
  }
  lbsuite::bench::measure(threads);
}
