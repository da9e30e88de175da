#include "stage/size_guard.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "driver.hpp"
#include "walk.hpp"

namespace lbsuite {
namespace {

using driver::Measured;
using driver::Scene;

EngineSettings guarded(const char* policy, const char* guard) {
  return {.policy = parse_policy(policy), .stages = {parse_stage(guard)}};
}

// One task in a hundred is a thousand times as large as the others.
double mixed(Rng& rng) { return (rng.below(100) == 0 ? 1000 : 1) * Exponential().draw(rng) / 10.99; }

TEST(SizeGuard, KeepsSlotsForTheSmallWhileTheBigRun) {
  Scene scene{.endpoints = 3,
              .load = 0.7,
              .slots = 4,
              .limit = 4,
              .accounting = Accounting::done,
              .size = mixed,
              .cost = 1000,
              .small = 1,
              .tasks = 30'000};
  const Measured without = driver::run(scene);
  scene.stages = {parse_stage("size_guard:share=0.75")};
  const Measured with = driver::run(scene);
  EXPECT_LT(with.small_p99, without.small_p99 / 3) << "without it " << without.small_p99;
}

// How many big tasks each endpoint has, as told by picks and their ends.
class Watched {
 public:
  Watched(const char* policy, double share)
      : engine_(guarded(policy, share == 0.5 ? "size_guard:factor=2" : "size_guard:factor=2,share=0.3")),
        share_(share) {
    for (std::uint32_t i = 0; i < kEndpoints; ++i) join(i);
  }

  void step() {
    now_ += 0.01;
    if (rng_.below(3) == 0) return end();
    if (rng_.below(500) == 0) return join(rng_.below(kEndpoints));
    const Answer answer = engine_.pick({.cost = rng_.below(4) == 0 ? 1000 : 1 + rng_.below(5)}, now_);
    const Pick* pick = std::get_if<Pick>(&answer);
    if (pick == nullptr) return;
    open_.push_back(*pick);
    if (!pick->big) return;
    ++big_;
    const auto most = std::max(1, static_cast<int>(share_ * limits_[pick->endpoint]));
    EXPECT_LE(++running_[pick->endpoint], std::max(most, over_[pick->endpoint]));
  }

  int big() const { return big_; }

 private:
  static constexpr std::uint32_t kEndpoints = 5;

  // A limit that falls ends no task.
  void join(std::uint32_t i) {
    limits_[i] = static_cast<int>(1 + rng_.below(8));
    over_[i] = running_[i];
    engine_.apply(Joined{address(i), 1, static_cast<std::uint32_t>(limits_[i]), "", kUnordered, 0}, now_);
  }

  void end() {
    if (open_.empty()) return;
    std::swap(open_[rng_.below(static_cast<std::uint32_t>(open_.size()))], open_.back());
    running_[open_.back().endpoint] -= open_.back().big;
    engine_.done(open_.back(), {}, now_);
    open_.pop_back();
  }

  Engine<Plain> engine_;
  const double share_;
  Rng rng_{5};
  double now_ = 1;
  std::vector<Pick> open_;
  int limits_[kEndpoints] = {};
  int running_[kEndpoints] = {};
  int over_[kEndpoints] = {};
  int big_ = 0;
};

class EveryPolicy : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Policies, EveryPolicy, testing::ValuesIn(policy_names()));

TEST_P(EveryPolicy, GivesBigTasksTheirShareOfSlotsAndNoMore) {
  for (const double share : {0.3, 0.5}) {
    Watched watched(GetParam().c_str(), share);
    for (int step = 0; step < 10'000 && !HasFailure(); ++step) watched.step();
    EXPECT_GT(watched.big(), 100);
  }
}

TEST(SizeGuard, IsNotPassedByThreadsThatPickAtOneMoment) {
  Engine<Shared> engine(guarded("least_load:choices=2", "size_guard"));
  for (std::uint32_t i = 0; i < 5; ++i) engine.apply(Joined{address(i), 1, 1000, "", kUnordered, 0}, 0);
  engine.pick({}, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      // Small ones in between, so that the big stay big.
      for (int i = 0; i < 100; ++i) {
        for (int small = 0; small < 3; ++small) engine.pick({}, 0, lane);
      }
      while (std::holds_alternative<Pick>(engine.pick({.cost = 4'000'000'000}, 0, lane))) {
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const Standing& standing : engine.standings(0)) EXPECT_LE(standing.tasks, 500 + 1201);
}

TEST(SizeGuard, AgreesWithItselfWhateverCellsItHas) {
  Engine<Plain> plain(guarded("least_load:choices=2", "size_guard:factor=2"));
  Engine<Shared> shared(guarded("least_load:choices=2", "size_guard:factor=2"));
  Walk walk(plain, shared, 5);
  for (int step = 0; step < 20'000 && !testing::Test::HasFatalFailure(); ++step) walk.step();
  EXPECT_GT(walk.picks(), 2000);
}

TEST(SizeGuard, NeedsToHearOfEachEnd) {
  EngineSettings settings = guarded("round_robin", "size_guard");
  settings.accounting = Accounting::reported;
  EXPECT_THROW(Engine<Plain>{settings}, std::invalid_argument);
}

}  // namespace
}  // namespace lbsuite
