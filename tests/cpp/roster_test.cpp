#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "engine/engine.hpp"

namespace lbsuite {
namespace {

constexpr int kServers = 25;
constexpr int kThreads = 4;

std::string address(int i) { return "127.0.0.1:" + std::to_string(4000 + i); }

// Each thread has a lane of its own.
void in_threads(Engine<Shared>& engine, const std::function<void(std::uint32_t lane)>& work) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&, lane = engine.open_lane()] { work(lane); });
  for (auto& thread : threads) thread.join();
}

class EveryRoster : public testing::TestWithParam<int> {
 protected:
  RosterKind kind() const { return static_cast<RosterKind>(GetParam()); }

  EngineSettings settings() const {
    EngineSettings settings;
    settings.policy = parse_policy("round_robin");
    settings.roster = kind();
    return settings;
  }

  // More than one ticket at a time is a batch, and a batch gives each of 25 at most 3 turns.
  int most_turns_drawn_ahead() const { return kind() == RosterKind::snapshot ? (1 + kThreads) * 3 : 1; }
};
INSTANTIATE_TEST_SUITE_P(Rosters, EveryRoster, testing::Range(0, static_cast<int>(kRosters.size())),
                         [](const auto& test) { return std::string(kRosters[static_cast<std::size_t>(test.param)]); });

template <class Model>
void join(Engine<Model>& engine, std::uint32_t limit = 0) {
  for (int i = 0; i < kServers; ++i) engine.apply(Joined{address(i), 1, limit, "", kUnordered, 0}, 0);
}

TEST_P(EveryRoster, FindsTheOneThatIsUpFromManyThreads) {
  Engine<Shared> engine(settings());
  join(engine);
  for (int i = 0; i < kServers; ++i) {
    if (i != 17) engine.apply(Lost{address(i)}, 0);
  }
  std::atomic<int> misses = 0;
  in_threads(engine, [&](std::uint32_t lane) {
    for (int i = 0; i < 40'000; ++i) {
      engine.choose({}, 0, lane, [&](const Endpoint<Shared>* found) { misses += found == nullptr; });
    }
  });
  EXPECT_EQ(misses, 0);
}

TEST_P(EveryRoster, GivesEqualSharesFromManyThreadsWhoeverIsDown) {
  const std::function<bool(int)> layouts[] = {[](int) { return false; }, [](int i) { return i % 2 == 1; },
                                              [](int i) { return i >= 13; }};
  for (const auto& down : layouts) {
    Engine<Shared> engine(settings());
    join(engine);
    for (int i = 0; i < kServers; ++i) {
      if (down(i)) engine.apply(Lost{address(i)}, 0);
    }
    std::array<std::atomic<int>, kServers> counts{};
    in_threads(engine, [&](std::uint32_t lane) {
      for (int i = 0; i < 10'000; ++i) {
        engine.choose({}, 0, lane, [&](const Endpoint<Shared>* found) { ++counts.at(found->index); });
      }
    });
    int least = kThreads * 10'000;
    int most = 0;
    for (int i = 0; i < kServers; ++i) {
      const int count = counts[static_cast<std::size_t>(i)];
      if (down(i)) {
        EXPECT_EQ(count, 0);
      } else {
        least = std::min(least, count);
        most = std::max(most, count);
      }
    }
    // Where half are down a batch gives each of the others twice as many turns.
    EXPECT_LE(most - least, 2 * most_turns_drawn_ahead());
  }
}

TEST_P(EveryRoster, GivesEqualSharesWhenAllTicketsDrawnAreUsed) {
  Engine<Shared> engine(settings());
  join(engine);
  std::array<std::atomic<int>, kServers> counts{};
  in_threads(engine, [&](std::uint32_t lane) {
    for (int i = 0; i < 64 * kServers; ++i) {
      engine.choose({}, 0, lane, [&](const Endpoint<Shared>* found) { ++counts.at(found->index); });
    }
  });
  for (const auto& count : counts) EXPECT_EQ(count, 64 * kThreads);
}

// At every moment one of the two is up, though not the same: whoever looks finds it.
TEST_P(EveryRoster, FindsSomebodyWhileTheTurnGoesFromOneToAnother) {
  Engine<Shared> engine(settings());
  join(engine);
  for (int i = 1; i < kServers; ++i) engine.apply(Lost{address(i)}, 0);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int round = 0; round < 3000; ++round) {
      const int from = round % 2 == 0 ? 0 : 24;
      if (round % 5 == 0) {
        engine.apply(Left{address(24 - from)}, 0);
        engine.apply(Joined{address(24 - from), 1, 0, "", kUnordered, 0}, 0);
      }
      engine.apply(Reached{address(24 - from)}, 0);
      engine.apply(Lost{address(from)}, 0);
    }
    stop = true;
  });
  std::atomic<int> misses = 0;
  std::atomic<int> picks = 0;
  in_threads(engine, [&](std::uint32_t lane) {
    for (bool last = false; !last;) {
      last = stop;
      const Answer answer = engine.pick({}, 0, lane);
      misses += std::holds_alternative<NotReady>(answer);
      ++picks;
    }
  });
  writer.join();
  EXPECT_EQ(misses, 0) << "of " << picks;
}

TEST_P(EveryRoster, CountsEveryTaskWhileMembersComeAndGoAndFail) {
  Engine<Shared> engine(settings());
  join(engine, 3);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int round = 0; round < 2000; ++round) {
      engine.apply(Lost{address(round % 7)}, 0);
      engine.apply(Left{address(20 + round % 5)}, 0);
      engine.apply(Joined{address(20 + round % 5), 1, 3, "", kUnordered, 0}, 0);
      engine.apply(Reached{address(round % 7)}, 0);
    }
    stop = true;
  });
  std::atomic<int> nobody = 0;
  in_threads(engine, [&](std::uint32_t lane) {
    for (bool last = false; !last;) {
      last = stop;
      const Answer answer = engine.pick({}, 0, lane);
      const Pick* pick = std::get_if<Pick>(&answer);
      nobody += pick == nullptr;
      if (pick != nullptr) engine.done(*pick, {}, 0);
    }
  });
  writer.join();
  EXPECT_EQ(nobody, 0);
  for (const Standing& standing : engine.standings(0)) EXPECT_EQ(standing.tasks, 0) << standing.address;
}

TEST_P(EveryRoster, PicksTheSameWithPlainCells) {
  Engine<Shared> shared(settings());
  Engine<Plain> plain(settings());
  const auto walk = [](auto& engine) {
    join(engine);
    std::vector<std::uint32_t> picks;
    Rng rng(1);
    for (int step = 0; step < 2000; ++step) {
      const std::string endpoint = address(static_cast<int>(rng.below(kServers)));
      if (rng.below(2) == 0) {
        engine.apply(Lost{endpoint}, 0);
      } else {
        engine.apply(Reached{endpoint}, 0);
      }
      const Answer answer = engine.pick({}, 0);
      picks.push_back(std::holds_alternative<Pick>(answer) ? std::get<Pick>(answer).endpoint : kNobody);
    }
    return picks;
  };
  EXPECT_EQ(walk(shared), walk(plain));
}

TEST_P(EveryRoster, AllocatesNothingOnAPick) {
  Engine<Shared> engine(settings());
  join(engine);
  engine.apply(Lost{address(3)}, 0);
  engine.pick({}, 0);  // the first makes the lane's objects
  const std::size_t before = allocations();
  for (int i = 0; i < 1000; ++i) engine.pick({}, 0);
  EXPECT_EQ(allocations(), before);
}

}  // namespace
}  // namespace lbsuite
