// What dead reckoning is worth, in virtual time: few tasks and generous bounds. `tests/bench/estimate.cpp` has the
// whole tables.

#include <gtest/gtest.h>

#include <thread>

#include "driver.hpp"

namespace lbsuite {
namespace {

using driver::Estimate;
using driver::Scene;

double mean(const Scene& scene) { return driver::run(scene).mean; }

// A scene with another policy.
Scene by(Scene scene, const char* policy) {
  scene.policy = policy;
  return scene;
}

// A scene with other news.
Scene seeing(Scene scene, Estimate estimate) {
  scene.estimate = estimate;
  return scene;
}

Finished fleet_of(double tasks, double busy_s) {
  Finished fleet;
  fleet.add(tasks, busy_s, 1e9);
  return fleet;
}

Report told(std::uint64_t finished, double busy_s) {
  Report report;
  report.finished = finished;
  report.busy_s = busy_s;
  return report;
}

TEST(Driver, GivesTheSameRunToTheSameSeed) {
  const Scene scene{.endpoints = 10, .balancers = 3, .tasks = 5000};
  EXPECT_EQ(mean(scene), mean(scene));
}

TEST(Estimate, IsWorthItsWhileHoweverOldReportsAre) {
  const double bounds[] = {1.35, 2.1, 3.7};
  for (int i = 0; i < 3; ++i) {
    for (const bool tokens : {true, false}) {
      const Scene scene{.report_every = std::pow(10, i - 1), .tokens = tokens, .tasks = 50'000};
      EXPECT_LT(mean(scene), bounds[i]) << "reports every " << scene.report_every << ", tokens: " << tokens;
    }
  }
}

TEST(Estimate, BeatsWhatReportsSayAndOwnPicksAddedToThat) {
  const Scene scene{.report_every = 10, .tasks = 30'000};
  const double reckoned = mean(scene);
  EXPECT_GT(mean(seeing(scene, Estimate::as_reported)), 3 * reckoned);
  EXPECT_GT(mean(seeing(scene, Estimate::own_picks)), 1.3 * reckoned);
}

TEST(Estimate, ServesEndpointsWithSeveralSlots) {
  for (const double every : {0.1, 1.0, 10.0}) {
    const Scene scene{.endpoints = 50, .load = 0.8, .report_every = every, .slots = 8, .tasks = 80'000};
    EXPECT_LT(mean(scene), 1.2) << "reports every " << every;
  }
}

TEST(Estimate, NeedsNoWeightForOneThatIsTenTimesSlower) {
  for (const int slots : {1, 8}) {
    const Scene scene{
        .endpoints = 50, .load = 0.8, .report_every = 1, .slots = slots, .speeds = {0.1}, .tasks = 30'000};
    EXPECT_LT(mean(scene), 0.93 * mean(by(scene, "round_robin"))) << slots << " slots";
    EXPECT_LT(mean(scene), 1.7) << slots << " slots";
  }
}

TEST(Estimate, SendsMoreToTheFastThanTasksAloneWould) {
  std::vector<double> speeds;
  for (int i = 0; i < 30; ++i) speeds.push_back(i % 2 == 0 ? 0.5 : 2);
  for (const int slots : {1, 8}) {
    const Scene scene{
        .endpoints = 30, .load = 0.8, .report_every = 0.1, .slots = slots, .speeds = speeds, .tasks = 30'000};
    EXPECT_LT(mean(scene), slots == 1 ? 1.05 : 0.85);
  }
}

TEST(Auto, IsNotFarFromTheBestChoiceWhoeverElsePicks) {
  for (const int balancers : {3, 30}) {
    for (const double every : {0.1, 1.0, 10.0}) {
      const Scene scene{
          .endpoints = 25, .balancers = balancers, .report_every = every, .tasks = every < 1 ? 5'000 : 30'000};
      double best = kNever;
      for (const char* fixed : {"least_load:choices=2", "least_load:choices=5", "least_load:choices=all"}) {
        best = std::min(best, mean(by(scene, fixed)));
      }
      const double found = mean(by(scene, "least_load:choices=auto"));
      EXPECT_LT(found, 1.3 * best) << balancers << " balancers, reports every " << every;
    }
  }
}

TEST(Limits, RefuseFewPicksOfSeveralBalancers) {
  for (const double service_s : {0.06, 1.0}) {
    const Scene scene{.endpoints = 25,
                      .balancers = 3,
                      .report_every = 0.5 / service_s,
                      .slots = 10,
                      .limit = 10,
                      .callers = 100,
                      .service_s = service_s,
                      .prompt_s = 0.1,
                      .way_s = 0.0005,
                      .tasks = 20'000};
    EXPECT_LE(driver::run(scene).refused, 0.02) << "services of " << service_s << " s";
  }
}

TEST(Limits, AreNeverPassedByThreadsThatPickAtOneMoment) {
  Engine<Shared> engine({parse_policy("least_load:choices=2"), 7, Signal::tasks, Accounting::reported});
  for (int i = 0; i < 5; ++i) engine.apply(Joined{std::to_string(i), 1, 2000, "", kUnordered, 0}, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, lane = engine.open_lane()] {
      while (std::holds_alternative<Pick>(engine.pick({}, 0, lane))) {
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const Standing& standing : engine.standings(0)) EXPECT_EQ(standing.tasks, 2000);
}

TEST(DrainRate, LeansOnTheFleetUntilItHasSeenEnough) {
  Finished fleet = fleet_of(1000, 1000);
  DrainRate rate;
  EXPECT_EQ(rate.per_second(), 0);
  rate.learn(told(1, 0.1), fleet);
  EXPECT_LT(rate.per_second(), 1.5) << "one quick task makes no quick endpoint";
  for (int i = 1; i <= 100; ++i) rate.learn(told(1 + 4U * i, 0.1 + i), fleet);
  EXPECT_NEAR(rate.per_second(), 4, 0.4);
}

TEST(DrainRate, FallsWhileNothingEndsAndIgnoresIdleTime) {
  Finished fleet = fleet_of(1000, 1000);
  DrainRate rate;
  for (int i = 1; i <= 100; ++i) rate.learn(told(static_cast<std::uint64_t>(i), i), fleet);
  rate.learn(told(100, 100), fleet);
  EXPECT_NEAR(rate.per_second(), 1, 0.01);
  for (int i = 1; i <= 100; ++i) rate.learn(told(100, 100 + i * 10), fleet);
  EXPECT_LT(rate.per_second(), 0.05);
}

TEST(DrainRate, BeginsAgainWithAProcessThatStartedAnew) {
  Finished fleet = fleet_of(1000, 1000);
  DrainRate rate;
  for (int i = 1; i <= 100; ++i) rate.learn(told(2U * i, i), fleet);
  rate.learn(told(2, 1), fleet);
  EXPECT_NEAR(rate.per_second(), 2, 0.1);
}

}  // namespace
}  // namespace lbsuite
