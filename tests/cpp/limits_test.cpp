// Limits that learn, of endpoints and the whole; the budget of retries; and what they are for: a fleet that is asked for
// too much serves on, and is well again as soon as it is asked for less.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "allocations.hpp"
#include "overload.hpp"
#include "walk.hpp"

namespace lbsuite {
namespace {

EngineSettings settings(const std::vector<std::string>& stages, Accounting accounting) {
  EngineSettings settings{parse_policy("least_load"), 7, Signal::tasks, accounting};
  for (const std::string& stage : stages) settings.stages.push_back(parse_stage(stage));
  return settings;
}

class EveryKind : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Limits, EveryKind, testing::ValuesIn(kLimitKinds),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EveryKind, RefusesTheSameWithPlainCellsAsWithSharedOnes) {
  const std::string how = "kind=" + std::string(GetParam()) + ",window_s=0.1,timeout_s=0.05,";
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    const EngineSettings chosen = settings({"endpoint_limit:" + how + "limit=5,least=2",
                                            "total_limit:" + how + "limit=30,least=15", "retry_budget:per_s=0.1"},
                                           accounting);
    Engine<Shared> shared(chosen);
    Engine<Plain> plain(chosen);
    Walk walk(shared, plain, 10);
    for (int step = 0; step < 20000 && !HasFatalFailure(); ++step) walk.step();
    EXPECT_GT(walk.picks(), 500);
    EXPECT_GT(walk.refused(NotReady::shed), 0);
    EXPECT_GT(walk.refused(NotReady::over_budget), 0);
  }
}

TEST_P(EveryKind, AllocatesNothingOnAPickAndItsEnd) {
  const std::string how = "kind=" + std::string(GetParam());
  Engine<Shared> engine(settings({"endpoint_limit:" + how, "total_limit:" + how, "retry_budget"}, Accounting::done));
  for (std::uint32_t i = 0; i < 10; ++i) engine.apply(Joined{address(i), 1, 0, "", kUnordered, 0}, 0);
  const auto serve = [&](double now) { engine.done(std::get<Pick>(engine.pick({}, now)), {0.01, false}, now); };
  serve(0);  // makes the lane's objects
  const std::size_t before = allocations();
  for (int i = 1; i < 1000; ++i) serve(0.01 * i);
  EXPECT_EQ(allocations(), before);
}

class Overload : public testing::TestWithParam<overload::Scene> {};
INSTANTIATE_TEST_SUITE_P(Fleets, Overload,
                         testing::Values(overload::Scene{}, overload::Scene{.cancels = true},
                                         overload::Scene{.accounting = Accounting::reported, .cancels = true}),
                         [](const auto& test) {
                           if (!test.param.cancels) return "WorksOnForWhoGaveUp";
                           return test.param.accounting == Accounting::done ? "Drops" : "DropsAndReports";
                         });

TEST_P(Overload, LeavesCallersMostOfWhatCouldBeHadAndIsGoneFiveSecondsAfter) {
  for (const std::string stage :
       {"endpoint_limit:kind=gradient2", "endpoint_limit:kind=gradient2,least=1,window_s=0.1",
        "endpoint_limit:kind=aimd,timeout_s=0.5", "total_limit:kind=gradient2,limit=200,least=20,most=2000,queue=40",
        "total_limit:kind=aimd,limit=200,least=20,most=2000,timeout_s=0.5"}) {
    overload::Scene scene = GetParam();
    scene.stages = {stage};
    const overload::Told told = run(scene);
    EXPECT_GE(overload::goodput(told, 10, 20), 0.8) << stage;
    EXPECT_GE(overload::goodput(told, 25, 40), 0.95) << stage;
  }
}

TEST(Unlimited, AFleetThatWorksOnForWhoGaveUpDoesNotComeBackByItself) {
  for (const std::vector<std::string>& stages :
       std::vector<std::vector<std::string>>{{}, {"endpoint_limit:kind=fixed,limit=200"}}) {
    const overload::Told told = run(overload::Scene{.stages = stages});
    EXPECT_LT(overload::goodput(told, 25, 40), 0.05);
  }
}

}  // namespace
}  // namespace lbsuite
