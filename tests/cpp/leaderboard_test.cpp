#include "engine/leaderboard.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "engine/engine.hpp"

namespace lbsuite {
namespace {

constexpr std::uint32_t kScanAll = std::numeric_limits<std::uint32_t>::max();

std::string address(std::uint32_t i) { return "127.0.0.1:" + std::to_string(4000 + i); }

EngineSettings settings(Accounting accounting, Signal signal, std::uint32_t scanned,
                        std::string_view policy = "least_load:choices=all") {
  EngineSettings settings;
  settings.policy = parse_policy(policy);
  settings.accounting = accounting;
  settings.signal = signal;
  settings.scanned = scanned;
  return settings;
}

Report report(Rng& rng) {
  Report report;
  report.tasks = rng.below(5);
  report.memory = std::uint64_t{rng.below(8)} << 22;
  report.cpu = rng.below(8) / 16.0;
  report.available = rng.below(16) != 0;
  report.interval_s = rng.below(2) * 0.5;
  report.prompt_s = rng.below(3) * 0.05;
  if (rng.below(2) == 0) report.limit = rng.below(6);
  if (rng.below(2) == 0) report.begun = rng.below(20);
  if (rng.below(4) != 0) {
    report.finished = rng.below(100);
    report.busy_s = rng.below(40) / 4.0;
  }
  return report;
}

// Tells `engines` the same, all that an engine can be told, and holds their picks to be the same at every step.
template <class Model>
class Walk {
 public:
  Walk(Engine<Model>& one, Engine<Model>& other, std::uint32_t endpoints) : engines_{&one, &other}, most_(endpoints) {
    for (std::uint32_t i = 0; i < endpoints; ++i) tell(Joined{address(i), 1, 0, "", kUnordered, 0});
  }

  void step() {
    now_ += rng_.below(3) == 0 ? rng_.below(100) / 100.0 : rng_.below(100) * 1e-5;
    const std::string who = address(rng_.below(most_ + 4));
    switch (rng_.below(20)) {
      case 0:
        return tell(Joined{who, 1 + rng_.below(3), rng_.below(6), "", kUnordered, rng_.below(2) * 20.0});
      case 1:
        return rng_.below(4) == 0 ? tell(Left{who}) : tell(Drained{who, rng_.below(4) != 0});
      case 2:
        return rng_.below(2) == 0 ? tell(Lost{who}) : tell(Reached{who});
      case 3:
      case 4:
      case 5:
        return tell(Reported{who, report(rng_)});
      case 6:
        for (auto* engine : engines_) engine->expire(now_);
        return;
      case 7:
      case 8:
      case 9:
        return end();
      default:
        return pick();
    }
  }

  int picks() const { return picks_; }

 private:
  void tell(const Event& event) {
    for (auto* engine : engines_) engine->apply(event, now_);
  }

  void end() {
    if (open_.empty() || engines_[0]->accounting() == Accounting::reported) return;
    std::swap(open_[rng_.below(static_cast<std::uint32_t>(open_.size()))], open_.back());
    for (auto* engine : engines_) engine->done(open_.back(), {}, now_);
    open_.pop_back();
  }

  void pick() {
    const std::string excluded = address(rng_.below(most_));
    const std::string_view excludes[] = {excluded};
    const Request request{.exclude = {excludes, rng_.below(8) == 0 ? 1U : 0U}};
    const Answer one = engines_[0]->pick(request, now_);
    const Answer other = engines_[1]->pick(request, now_);
    ASSERT_EQ(one.index(), other.index());
    const Pick* const pick = std::get_if<Pick>(&one);
    if (pick == nullptr) return;
    ASSERT_EQ(pick->endpoint, std::get<Pick>(other).endpoint) << "pick " << picks_ << " at " << now_;
    open_.push_back(*pick);
    ++picks_;
  }

  Rng rng_{17};
  std::array<Engine<Model>*, 2> engines_;
  const std::uint32_t most_;
  double now_ = 100;
  std::vector<Pick> open_;
  int picks_ = 0;
};

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
  Walk<Plain> one(known, plain, endpoints);
  Walk<Shared> other(shared, scanned, endpoints);
  for (int step = 0; step < 20'000 && !HasFatalFailure(); ++step) {
    one.step();
    other.step();
  }
  EXPECT_GT(one.picks(), 2000);
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
    for (std::uint32_t i = 0; i < 2 * kEndpoints; ++i) {
      double least = std::numeric_limits<double>::infinity();
      for (const Standing& standing : engine.standings(9)) {
        if (standing.state == State::ready) least = std::min(least, standing.score);
      }
      const Answer answer = engine.pick({}, 9);
      const Pick* const pick = std::get_if<Pick>(&answer);
      ASSERT_EQ(pick == nullptr, least == std::numeric_limits<double>::infinity());
      if (pick == nullptr) break;
      const double after = engine.standings(9)[pick->endpoint].score;
      const double weight = engine.standings(9)[pick->endpoint].weight;
      EXPECT_NEAR(after - 1 / weight, least, 1e-6) << "pick " << i;
    }
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
