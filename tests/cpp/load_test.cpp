#include "roster/load.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace lbsuite {
namespace {

constexpr std::uint32_t kMostCost = std::numeric_limits<std::uint32_t>::max();

TEST(Load, TakesNoMoreTasksThanItsCountHolds) {
  const Ranking<Plain> ranking(Signal::tasks);
  Load<Plain> load(Accounting::done);
  for (std::int32_t i = 0; i < Tally<Plain>::kMost; ++i) ASSERT_TRUE(load.take(0, kMostCost));
  for (int i = 0; i < 1 << 17; ++i) ASSERT_FALSE(load.take(0, kMostCost));
  EXPECT_EQ(load.tasks(), Tally<Plain>::kMost);
  EXPECT_EQ(load.picks(), static_cast<std::uint64_t>(Tally<Plain>::kMost));
  EXPECT_EQ(load.work(ranking), static_cast<double>(Tally<Plain>::kMost) * kMostCost);
  for (std::int32_t i = 0; i < Tally<Plain>::kMost; ++i) load.end(kMostCost);
  EXPECT_EQ(load.tasks(), 0);
  EXPECT_EQ(load.work(ranking), 0);
  EXPECT_TRUE(load.take(0, 1));
}

TEST(Load, KnowsTheCostsOfPicksOnTheirWay) {
  Ranking<Plain> ranking(Signal::tasks);
  Load<Plain> load(Accounting::reported);
  for (std::uint32_t cost = 1; cost <= 10; ++cost) load.take(0, cost);
  EXPECT_EQ(load.work(ranking), 55);
  EXPECT_EQ(load.score(0, ranking), 55);
  Report report;
  report.begun = 7;
  load.report(report, 0, ranking);
  EXPECT_EQ(load.work(ranking), 8 + 9 + 10);
  EXPECT_EQ(load.forget(2, 1, ranking), 3U);
  EXPECT_EQ(load.work(ranking), 0);
  EXPECT_EQ(load.score(2, ranking), 0);
}

TEST(Ranking, FollowsTheMeanCostInStrides) {
  Ranking<Plain> ranking(Signal::tasks);
  ranking.learn_costs(1000, 100);
  EXPECT_EQ(ranking.cost(), 1);
  for (int i = 0; i < 10; ++i) ranking.learn_costs(1000, 9000);
  EXPECT_NEAR(ranking.cost(), 10, 2);
  for (int i = 0; i < 10; ++i) ranking.learn_costs(1000, 0);
  EXPECT_NEAR(ranking.cost(), 1, 0.2);
}

}  // namespace
}  // namespace lbsuite
