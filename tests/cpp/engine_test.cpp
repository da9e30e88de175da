#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "walk.hpp"

namespace lbsuite {
namespace {

template <class Model>
void join(Engine<Model>& engine, int count, std::uint32_t limit = 0) {
  for (int i = 0; i < count; ++i) engine.apply(Joined{address(i), 1, limit, "", kUnordered, 0}, 0);
}

EngineSettings settings(std::string_view policy, Accounting accounting = Accounting::done) {
  return {parse_policy(policy), 7, Signal::tasks, accounting, {true, true}};
}

class EveryPolicy : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Policies, EveryPolicy, testing::ValuesIn(policy_names()),
                         [](const auto& test) { return test.param; });

TEST_P(EveryPolicy, PicksTheSameWithPlainCellsAsWithSharedOnes) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> shared(settings(GetParam(), accounting));
    Engine<Plain> plain(settings(GetParam(), accounting));
    Walk walk(shared, plain, 10);
    for (int step = 0; step < 5000 && !HasFatalFailure(); ++step) walk.step();
    EXPECT_GT(walk.picks(), 500);
  }
}

TEST_P(EveryPolicy, AllocatesNothingOnAPickAndItsEnd) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> engine(settings(GetParam(), accounting));
    join(engine, 40);
    const Answer first = engine.pick({}, 0);  // makes the lane's objects
    if (accounting == Accounting::done) engine.done(std::get<Pick>(first), {}, 0);
    const std::size_t before = allocations();
    for (int i = 0; i < 1000; ++i) {
      const Answer answer = engine.pick({.key = "key"}, 0.001 * i);
      if (accounting == Accounting::done) engine.done(std::get<Pick>(answer), {}, 0.001 * i);
      engine.choose({}, 0.001 * i, 0, [](const auto*) {});
    }
    EXPECT_EQ(allocations(), before);
  }
}

TEST_P(EveryPolicy, ChoosesManyAsItChoosesOneByOne) {
  Engine<Shared> engine(settings(GetParam()));
  Engine<Shared> twin(settings(GetParam()));
  join(engine, 25, 3);
  join(twin, 25, 3);
  std::array<std::uint32_t, 1000> many{};
  EXPECT_EQ(engine.choose_many({}, 0, 0, many), many.size());
  for (const std::uint32_t index : many) {
    twin.choose({}, 0, 0, [&](const auto* endpoint) { ASSERT_EQ(endpoint->index, index); });
  }
  Engine<Shared> empty(settings(GetParam()));
  EXPECT_EQ(empty.choose_many({}, 0, 0, many), 0U);
}

TEST_P(EveryPolicy, NeverPassesALimitUnderThreads) {
  Engine<Shared> engine(settings(GetParam()));
  join(engine, 5, 3);
  std::array<std::atomic<int>, 5> tasks{};
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      for (int i = 0; i < 20'000; ++i) {
        const Answer answer = engine.pick({}, 0, lane);
        if (const Pick* pick = std::get_if<Pick>(&answer)) {
          const int now = ++tasks[pick->endpoint];
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          --tasks[pick->endpoint];
          engine.done(*pick, {}, 0);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 3);
  for (const Standing& standing : engine.standings(0)) EXPECT_EQ(standing.tasks, 0) << standing.address;
}

TEST_P(EveryPolicy, PicksWhileMembersComeAndGo) {
  Engine<Shared> engine(settings(GetParam()));
  engine.apply(Joined{"127.0.0.1:1", 1, 0, "", kUnordered, 0}, 0);
  std::atomic<bool> stop = false;
  std::atomic<int> nobody = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      while (!stop) {
        const Answer answer = engine.pick({}, 0, lane);
        if (const Pick* pick = std::get_if<Pick>(&answer)) {
          engine.done(*pick, {}, 0);
        } else {
          ++nobody;
        }
      }
    });
  }
  for (int round = 0; round < 2000; ++round) {
    join(engine, 8);
    for (int i = 0; i < 8; ++i) engine.apply(Left{address(i)}, 0);
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(nobody, 0) << "one endpoint was there all the time";
}

TEST(RoundRobin, FindsTheOneThatIsUpHoweverManyAreFull) {
  Engine<Shared> engine(settings("round_robin"));
  join(engine, 25, 1);
  engine.apply(Joined{"127.0.0.1:9", 1, 0, "", kUnordered, 0}, 0);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(std::holds_alternative<Pick>(engine.pick({}, 0)));
}

TEST(Engine, RefusesWhatItCannotHold) {
  Engine<Plain> engine(settings("random"));
  EXPECT_THROW(engine.apply(Joined{}, 0), std::invalid_argument);
  EXPECT_THROW(engine.pick({.policy = 9}, 0), std::invalid_argument);
  EXPECT_THROW(engine.pick({}, 0, 7), std::invalid_argument);
  Report report;
  report.cpu = -1;
  EXPECT_THROW(engine.apply(Reported{"a:1", report}, 0), std::invalid_argument);
  Engine<Plain> reported(settings("random", Accounting::reported));
  EXPECT_THROW(reported.done({}, {}, 0), std::invalid_argument);
  for (int choices = 1; choices <= 32; ++choices) engine.policy("least_load:choices=" + std::to_string(choices));
  EXPECT_EQ(engine.policy("least_load:choices=7"), engine.policy("least_load:choices=7"));
}

}  // namespace
}  // namespace lbsuite
