#include "sick_fleet.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "walk.hpp"

namespace lbsuite {
namespace {

using driver::Fault;
using driver::Felt;

class OfTheSick : public testing::TestWithParam<std::tuple<std::string, Accounting>> {
 protected:
  static Felt run(std::vector<std::string> stages) {
    return driver::run(
        {.policy = std::get<0>(GetParam()), .stages = std::move(stages), .accounting = std::get<1>(GetParam())});
  }
};
INSTANTIATE_TEST_SUITE_P(Policies, OfTheSick,
                         testing::Combine(testing::Values("least_load:choices=all", "two_choices", "peak_ewma"),
                                          testing::Values(Accounting::done, Accounting::reported)),
                         [](const auto& test) {
                           const std::string policy = std::get<0>(test.param);
                           const bool done = std::get<1>(test.param) == Accounting::done;
                           return policy.substr(0, policy.find(':')) + (done ? "_done" : "_reported");
                         });

TEST_P(OfTheSick, CallersFeelLittle) {
  const Felt felt = run({"outlier_ejection", "panic"});
  EXPECT_LE(felt.failed_share(), 0.005);
  // Ejected for 30 s, and for 60 s after one failed trial; what was sent in the first seconds does not count.
  EXPECT_LE(felt.sent_to[static_cast<std::size_t>(Fault::failing)], 1);
  EXPECT_GT(run({}).failed_share(), 0.01);
}

TEST(OfTheSilent, CallersFeelLittle) {
  for (const char* policy : {"least_load:choices=all", "two_choices", "peak_ewma"}) {
    const Felt felt = driver::run({.policy = policy, .stages = {"outlier_ejection", "panic"}, .silent = true});
    EXPECT_LE(felt.failed_share(), 0.005) << policy;
    EXPECT_LE(felt.sent_to[static_cast<std::size_t>(Fault::hole)], 10) << policy;
  }
}

TEST_P(OfTheSick, WithoutATrialEachReturnCostsWhatTheFirstTimeDid) {
  const Felt felt = run({"outlier_ejection:trial=0", "panic"});
  EXPECT_GE(felt.sent_to[static_cast<std::size_t>(Fault::failing)], 5);
}

// Both kinds of cells, whatever the stages make of a walk.
TEST(Stages, PicksTheSameWithPlainCellsAsWithSharedOnes) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    EngineSettings settings{parse_policy("round_robin"), 7, Signal::tasks, accounting, {true, true}};
    settings.stages = {parse_stage("outlier_ejection:consecutive=2,interval_s=1,base_s=1,max_share=0.6,"
                                   "success_rate_requests=5,failure_share_requests=5"),
                       parse_stage("panic")};
    Engine<Shared> shared(settings);
    Engine<Plain> plain(settings);
    Walk walk(shared, plain, 10);
    std::size_t ejected = 0, panics = 0;
    for (int step = 0; step < 20'000 && !testing::Test::HasFatalFailure(); ++step) {
      walk.step();
      const auto effects = shared.effects(), others = plain.effects();
      ASSERT_EQ(effects.size(), others.size());
      for (const Effect& effect : effects) {
        ejected += effect.kind == EffectKind::ejected;
        panics += effect.kind == EffectKind::panic;
      }
    }
    EXPECT_GT(ejected, 20U);
    EXPECT_GT(panics, 5U);
    EXPECT_GT(walk.picks(), 500);
  }
}

}  // namespace
}  // namespace lbsuite
