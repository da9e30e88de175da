#include "roster/tournament.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "allocations.hpp"
#include "bits/rng.hpp"

namespace lbsuite {
namespace {

// A number that falls in up to three straight lines and then stays; now and then one that may not win.
class Falling {
 public:
  Falling(Rng& rng, double now) : since_(now) {
    value_ = rng.below(10) == 0 ? std::numeric_limits<double>::infinity() : rng.below(4) + rng.below(4) * 4e-10;
    for (std::uint32_t lines = rng.below(4); lines > 0; --lines) {
      now += (1 + rng.below(8)) / 4.0;
      lines_.push_back({now, rng.below(4) * 0.25});
    }
  }

  Course course(double now) const {
    double value = value_;
    double since = since_;
    for (const Line& line : lines_) {
      value -= line.fall * (std::min(now, line.until) - since);
      since = line.until;
      if (now < line.until) return {value, line.fall, line.until};
    }
    return {value};
  }
  double at(double now) const { return course(now).value; }

 private:
  struct Line {
    double until;
    double fall;
  };
  double since_;
  double value_;
  std::vector<Line> lines_;
};

std::vector<std::uint32_t> least_of(const std::vector<Falling>& all, double now) {
  double least = std::numeric_limits<double>::infinity();
  for (const Falling& one : all) least = std::min(least, one.at(now));
  std::vector<std::uint32_t> tied;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (std::isfinite(least) && all[i].at(now) <= least + kTie) tied.push_back(i);
  }
  return tied;
}

std::vector<std::uint32_t> least_of(const Tournament& tournament) {
  std::vector<std::uint32_t> tied;
  for (std::uint32_t nth = 0; nth < tournament.ties(); ++nth) tied.push_back(tournament.tied(nth));
  return tied;
}

class EverySize : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, EverySize, testing::Values(1, 2, 3, 4, 5, 16, 17, 100, 257));

TEST_P(EverySize, AgreesWithALookAtAllWhoeverChangesAndWhateverTimePasses) {
  Rng rng(GetParam());
  double now = 100;
  std::vector<Falling> all;
  for (std::uint32_t i = 0; i < GetParam(); ++i) all.emplace_back(rng, now);
  Tournament tournament(GetParam());
  for (int step = 0; step < 4000; ++step) {
    // Now and then by less than a tie parts in.
    now += rng.below(3) == 0 ? rng.below(100) / 50.0 : rng.below(4) * 4e-10;
    for (std::uint32_t changes = rng.below(4); changes > 0; --changes) {
      const std::uint32_t which = rng.below(GetParam());
      all[which] = Falling(rng, now);
      tournament.recall(which);
    }
    tournament.advance(now, [&](std::uint32_t i) { return all[i].course(now); });
    ASSERT_EQ(least_of(tournament), least_of(all, now)) << "at step " << step << ", " << now;
  }
}

TEST(Tournament, AllocatesNothingOnceMade) {
  Rng rng(1);
  std::vector<Falling> all;
  for (int i = 0; i < 100; ++i) all.emplace_back(rng, 0);
  Tournament tournament(100);
  const std::size_t before = allocations();
  for (std::uint32_t step = 0; step < 1000; ++step) {
    tournament.recall(step % 100);
    tournament.advance(step, [&](std::uint32_t i) { return all[i].course(step); });
    EXPECT_LT(tournament.tied(tournament.ties() - 1), 100U);
  }
  EXPECT_EQ(allocations(), before);
}

// What it is for: 1,000 numbers of which one changes at a time are not looked at one by one.
TEST(Tournament, AsksOnlyThoseThatWereRecalledOrHaveTurned) {
  int asked = 0;
  Tournament tournament(1000);
  const auto course = [&](std::uint32_t i) {
    ++asked;
    return Course{static_cast<double>(i % 7)};
  };
  tournament.advance(0, course);
  EXPECT_EQ(asked, 1000);
  EXPECT_EQ(tournament.ties(), 143U);
  tournament.recall(500);
  tournament.advance(1, course);
  EXPECT_EQ(asked, 1001);
}

}  // namespace
}  // namespace lbsuite
