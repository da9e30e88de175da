#include "engine/leaderboard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "walk.hpp"

namespace lbsuite {
namespace {

constexpr std::uint32_t kScanAll = std::numeric_limits<std::uint32_t>::max();

EngineSettings settings(Accounting accounting, Signal signal, std::uint32_t scanned) {
  EngineSettings settings;
  settings.policy = parse_policy("least_load:choices=all");
  settings.accounting = accounting;
  settings.signal = signal;
  settings.scanned = scanned;
  return settings;
}

using Loads = std::tuple<Accounting, Signal, std::uint32_t>;
class EveryLoad : public testing::TestWithParam<Loads> {};
INSTANTIATE_TEST_SUITE_P(Loads, EveryLoad,
                         testing::Combine(testing::Values(Accounting::done, Accounting::reported),
                                          testing::Values(Signal::tasks, Signal::memory, Signal::cpu),
                                          testing::Values(3U, 20U, 90U)));

TEST_P(EveryLoad, IsPickedFromAsByALookAtAllOfThem) {
  const auto [accounting, signal, endpoints] = GetParam();
  Engine<Plain> known(settings(accounting, signal, 0));
  Engine<Shared> scanned(settings(accounting, signal, kScanAll));
  Engine<Shared> shared(settings(accounting, signal, 0));
  Engine<Plain> plain(settings(accounting, signal, kScanAll));
  Walk one(known, plain, endpoints);
  Walk other(shared, scanned, endpoints);
  for (int step = 0; step < 20'000 && !HasFatalFailure(); ++step) {
    one.step();
    other.step();
  }
  EXPECT_GT(one.picks(), 2000);
}

// A pick goes to one that no other is less loaded than; to nobody only if all are full.
void expect_the_least_loaded(Engine<Shared>& engine, double now) {
  double least = std::numeric_limits<double>::infinity();
  for (const Standing& standing : engine.standings(now)) {
    if (standing.state == State::ready) least = std::min(least, standing.score);
  }
  const Answer answer = engine.pick({}, now);
  const Pick* const pick = std::get_if<Pick>(&answer);
  ASSERT_EQ(pick == nullptr, least == std::numeric_limits<double>::infinity());
  if (pick == nullptr) return;
  const Standing picked = engine.standings(now)[pick->endpoint];
  EXPECT_NEAR(picked.score - 1.0 / picked.weight, least, 1e-6);
}

// Whoever else picks and ends, and whoever comes and goes: once all is still, it knows what a look at all would find.
TEST(Leaderboard, MissesNothingThatThreadsDo) {
  constexpr std::uint32_t kEndpoints = 100;
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> engine(settings(accounting, Signal::tasks, 64));
    for (std::uint32_t i = 0; i < kEndpoints; ++i) engine.apply(Joined{address(i), 1 + i % 3, 9, "", kUnordered, 0}, 0);
    const std::uint32_t two_choices = engine.policy("two_choices");
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t, lane = engine.open_lane()] {
        Rng rng(static_cast<std::uint64_t>(t));
        for (int i = 0; i < 10'000; ++i) {
          const Answer answer = engine.pick({.policy = i % 2 == 0 ? 0 : two_choices}, i * 1e-4, lane);
          const Pick* const pick = std::get_if<Pick>(&answer);
          if (pick != nullptr && accounting == Accounting::done && rng.below(4) != 0) engine.done(*pick, {}, 0);
        }
      });
    }
    for (std::uint32_t round = 0; round < 500; ++round) {
      const double now = round * 2e-3;
      engine.apply(Joined{address(kEndpoints + round % 3), 1, 9, "", kUnordered, 0}, now);
      Report said;
      said.tasks = round % 5;
      engine.apply(Reported{address(round % kEndpoints), said}, now);
      engine.apply(Left{address(kEndpoints + round % 3)}, now);
    }
    for (auto& thread : threads) thread.join();
    for (std::uint32_t i = 0; i < 2 * kEndpoints && !HasFatalFailure(); ++i) expect_the_least_loaded(engine, 9);
  }
}

TEST(Leaderboard, AllocatesNothingOnAPick) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> engine(settings(accounting, Signal::tasks, 64));
    for (std::uint32_t i = 0; i < 1000; ++i) engine.apply(Joined{address(i), 1, 0, "", kUnordered, 0}, 0);
    engine.pick({}, 0);  // the first makes the board
    engine.apply(Left{address(7)}, 0);
    const std::size_t before = allocations();
    for (int i = 0; i < 1000; ++i) engine.pick({}, 0.001 * i);
    EXPECT_EQ(allocations(), before);
  }
}

}  // namespace
}  // namespace lbsuite
