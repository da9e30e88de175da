#include "roster/shares.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "walk.hpp"

namespace lbsuite {
namespace {

EngineSettings settings(std::string_view policy, Accounting accounting, std::vector<std::string_view> stages) {
  EngineSettings made{parse_policy(policy), 7, Signal::tasks, accounting, {true, true}};
  for (const std::string_view stage : stages) made.stages.push_back(parse_stage(stage));
  return made;
}

const std::vector<std::string_view> kAll = {"tiers",
                                            "prefer_zone:zone=a",
                                            "subset:k=5,client=2",
                                            "slow_start:window_s=5,soon_s=0",
                                            "static_weights",
                                            "panic:threshold=0.4",
                                            "max_age"};

class EveryPolicyInStages : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Policies, EveryPolicyInStages, testing::ValuesIn(policy_names()),
                         [](const auto& test) { return test.param; });

TEST_P(EveryPolicyInStages, PicksTheSameWithPlainCellsAsWithSharedOnes) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> shared(settings(GetParam(), accounting, kAll));
    Engine<Plain> plain(settings(GetParam(), accounting, kAll));
    Walk walk(shared, plain, 16);
    for (int step = 0; step < 5000 && !HasFatalFailure(); ++step) walk.step();
    EXPECT_GT(walk.picks(), 500);
  }
}

TEST_P(EveryPolicyInStages, AllocatesNothingOnAPick) {
  Engine<Shared> engine(settings(GetParam(), Accounting::done, {"tiers", "slow_start:soon_s=0", "static_weights"}));
  for (std::uint32_t i = 0; i < 40; ++i) engine.apply(Joined{address(i), 1 + i % 3, 30, "", kUnordered, 0, i % 2}, i);
  for (int i = 0; i < 700; ++i) engine.pick({.key = "key"}, 40);  // fills the first tier
  const std::size_t before = allocations();
  for (int i = 0; i < 300; ++i) engine.pick({.key = "key"}, 40);
  EXPECT_EQ(allocations(), before);
}

TEST_P(EveryPolicyInStages, SpillsAndPassesNoLimitUnderThreads) {
  Engine<Shared> engine(settings(GetParam(), Accounting::done, {"tiers", "static_weights"}));
  for (std::uint32_t i = 0; i < 6; ++i) engine.apply(Joined{address(i), 1 + i % 3, 1, "", kUnordered, 0, i / 3}, 0);
  std::array<std::atomic<int>, 6> tasks{};
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 5; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      for (int i = 0; i < 5'000; ++i) {
        const Answer answer = engine.pick({.key = "key"}, 0, lane);
        const Pick* pick = std::get_if<Pick>(&answer);
        if (pick == nullptr) continue;
        if (++tasks[pick->endpoint] > 1) most = 2;
        if (i % 16 == 0) std::this_thread::yield();
        --tasks[pick->endpoint];
        engine.done(*pick, {}, 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 0);
  for (const Standing& standing : engine.standings(0)) EXPECT_EQ(standing.tasks, 0) << standing.address;
}

TEST(Shares, AreKeptByManyThreadsTogether) {
  Engine<Shared> engine(settings("round_robin", Accounting::done, {"static_weights"}));
  for (std::uint32_t i = 0; i < 4; ++i) engine.apply(Joined{address(i), 1 + i, 0, "", kUnordered, 0}, 0);
  std::array<std::atomic<int>, 4> found{};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      for (int i = 0; i < 25'000; ++i) {
        if (i % 2 == 0) {
          const Answer answer = engine.pick({}, 0, lane);
          ++found[std::get<Pick>(answer).endpoint];
        } else {
          engine.choose({}, 0, lane, [&](const auto* endpoint) { ++found[endpoint->index]; });
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) {
    const double share = 10'000 * (static_cast<double>(i) + 1);
    EXPECT_NEAR(found[i], share, share / 10);
  }
}

}  // namespace
}  // namespace lbsuite
