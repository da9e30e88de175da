#include "engine/queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "engine/replay.hpp"
#include "queue_walk.hpp"

namespace lbsuite {
namespace {

EngineSettings waiting(QueueSettings queue, std::string_view policy = "least_load:choices=all",
                       Accounting accounting = Accounting::done) {
  EngineSettings settings{parse_policy(policy), 7, Signal::tasks, accounting};
  settings.queue = queue;
  return settings;
}

template <class Model>
void join(Engine<Model>& engine, int count, std::uint32_t limit, double now = 0) {
  for (int i = 0; i < count; ++i)
    engine.apply(Joined{address(static_cast<std::uint32_t>(i)), 1, limit, "", kUnordered, 0}, now);
}

std::vector<std::uint64_t> answered(std::vector<Effect> effects, EffectKind kind = EffectKind::answered) {
  std::vector<std::uint64_t> tickets;
  for (const Effect& effect : effects) {
    if (effect.kind == kind) tickets.push_back(effect.ticket.number);
  }
  return tickets;
}

TEST(AQueue, AnswersInTheOrderOfComing) {
  Engine<Plain> engine(waiting({10}));
  join(engine, 2, 1);
  const Answer first = engine.pick({}, 0);
  engine.pick({}, 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(std::holds_alternative<Ticket>(engine.pick({}, 1)));
  engine.done(std::get<Pick>(first), {}, 2);
  join(engine, 4, 1, 3);
  EXPECT_EQ(answered(engine.effects()), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(AQueue, ByDeadlineAnswersWhoCanWaitLeastAndByPriorityTheMostImportant) {
  for (const auto& [order, expected] : {std::pair(QueueOrder::deadline, std::vector<std::uint64_t>{3, 1, 2}),
                                        std::pair(QueueOrder::priority, std::vector<std::uint64_t>{2, 1, 3})}) {
    Engine<Plain> engine(waiting({10, 5, order}));
    join(engine, 1, 1);
    engine.pick({}, 0);
    engine.pick({.deadline = 8, .priority = 1}, 1);
    engine.pick({}, 1);
    engine.pick({.deadline = 5, .priority = 1}, 1);
    engine.apply(Joined{address(0), 1, 4, "", kUnordered, 0}, 2);
    EXPECT_EQ(answered(engine.effects()), expected);
  }
}

TEST(AQueue, HasABoundAndATimeLimit) {
  Engine<Plain> engine(waiting({10, 2}));
  join(engine, 1, 1);
  const Answer first = engine.pick({}, 0);
  engine.pick({.deadline = 4}, 0);
  engine.pick({}, 1);
  EXPECT_EQ(std::get<NotReady>(engine.pick({}, 1)), NotReady::all_full);
  EXPECT_EQ(engine.next_deadline(), 4);
  engine.expire(4);
  EXPECT_EQ(answered(engine.effects(), EffectKind::timed_out), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(engine.next_deadline(), 11);
  EXPECT_EQ(std::get<NotReady>(engine.pick({.deadline = 5}, 5)), NotReady::all_full) << "its time is up already";
  engine.done(std::get<Pick>(first), {}, 11);
  EXPECT_EQ(answered(engine.effects(), EffectKind::timed_out), (std::vector<std::uint64_t>{2}))
      << "not answered too late";
  EXPECT_TRUE(std::holds_alternative<Pick>(engine.pick({}, 12)));
}

TEST(AQueue, IsForThoseWhoMayHopeOnly) {
  Engine<Plain> engine(waiting({10}));
  EXPECT_EQ(std::get<NotReady>(engine.pick({}, 0)), NotReady::none);
  join(engine, 1, 1);
  engine.pick({}, 0);
  EXPECT_TRUE(std::holds_alternative<Ticket>(engine.pick({}, 0)));
  engine.apply(Left{address(0)}, 1);
  EXPECT_EQ(std::get<NotReady>(engine.pick({}, 1)), NotReady::none);
}

TEST(AQueue, LetsPassWhomTheFirstExcludes) {
  Engine<Plain> engine(waiting({10}));
  join(engine, 2, 1);
  const Answer first = engine.pick({}, 0);
  const Answer second = engine.pick({}, 0);
  const std::string freed = *engine.address(std::get<Pick>(first).endpoint, 0);
  const std::string_view excludes[] = {freed};
  engine.pick({.exclude = excludes}, 1);
  engine.pick({}, 1);
  engine.done(std::get<Pick>(first), {}, 2);
  EXPECT_EQ(answered(engine.effects()), (std::vector<std::uint64_t>{2}));
  engine.done(std::get<Pick>(second), {}, 3);
  EXPECT_EQ(answered(engine.effects()), (std::vector<std::uint64_t>{1}));
}

TEST(AQueue, IsAnsweredByWhateverMakesRoom) {
  const auto full_report = [](bool available, std::uint32_t tasks) {
    Report report;
    report.tasks = tasks;
    report.available = available;
    return report;
  };
  const std::vector<std::pair<const char*, std::vector<Event>>> cases = {
      {"a report", {Reported{address(0), full_report(true, 0)}}},
      {"a limit", {Joined{address(0), 1, 9, "", kUnordered, 0}}},
      {"a join", {Joined{address(5), 1, 1, "", kUnordered, 0}}},
      {"a connection", {Joined{address(5), 1, 0, "", kUnordered, 0}}},
      {"an undrain", {Drained{address(1), true}}},
      {"one who is back", {Reached{address(2)}}},
  };
  for (const auto& [what, events] : cases) {
    Engine<Plain> engine(waiting({10}, "random", Accounting::reported));
    join(engine, 3, 1);
    engine.apply(Drained{address(1)}, 0);
    engine.apply(Lost{address(2)}, 0);
    ASSERT_TRUE(std::holds_alternative<Pick>(engine.pick({}, 0)));
    ASSERT_TRUE(std::holds_alternative<Ticket>(engine.pick({}, 0)));
    Report begun = full_report(true, 1);
    begun.begun = 1;
    engine.apply(Reported{address(0), begun}, 0.1);
    EXPECT_TRUE(answered(engine.effects()).empty()) << what;
    for (const Event& event : events) engine.apply(event, 0.5);
    EXPECT_EQ(answered(engine.effects()).size(), 1U) << what;
  }
}

TEST(AQueue, GivesAWaitersSlotBackWhenThePickNeverArrives) {
  Engine<Plain> engine(waiting({60}, "random", Accounting::reported));
  join(engine, 1, 1);
  engine.pick({}, 0);
  for (int i = 0; i < 3; ++i) engine.pick({}, 0);
  for (int second = 1; second <= 3; ++second) {
    engine.expire(second + 0.1 * second);
    EXPECT_EQ(answered(engine.effects()), (std::vector<std::uint64_t>{static_cast<std::uint64_t>(second)}))
        << "one slot, and whoever has it is forgotten after a second";
  }
}

class EveryOrder : public testing::TestWithParam<QueueOrder> {};
INSTANTIATE_TEST_SUITE_P(Orders, EveryOrder,
                         testing::Values(QueueOrder::fifo, QueueOrder::deadline, QueueOrder::priority));

TEST_P(EveryOrder, HoldsWhateverHappensAndIsReplayedAsItWas) {
  for (const std::string& policy : policy_names()) {
    SCOPED_TRACE(policy);
    QueueWalk<Shared, Plain> walk(waiting({1, 20, GetParam()}, policy));
    for (int step = 0; step < 3000 && !HasFatalFailure(); ++step) walk.step();
    EXPECT_GT(walk.answers(), 200U);
    Engine<Plain> again(settings_of(read_heading(write_heading(heading_of(walk.engine())))));
    Replay<Plain> replay(again);
    for (const std::string& line : walk.log()) replay.feed(line);
    EXPECT_GT(replay.picks().size(), 1000U);
    EXPECT_EQ(replay.differing(), 0U);
  }
}

TEST(AQueue, OfAnotherPolicyIsReplayedToo) {
  QueueWalk<Shared, Plain> walk(waiting({1}, "round_robin"));
  for (int step = 0; step < 3000 && !testing::Test::HasFatalFailure(); ++step) walk.step();
  for (const double wait_s : {1.0, 0.0}) {
    Engine<Plain> engine(waiting({wait_s}, "random"));
    Replay<Plain> replay(engine, true);
    for (const std::string& line : walk.log()) replay.feed(line);
    EXPECT_GT(replay.picks().size(), 1000U);
    int tasks = 0;
    for (const Standing& standing : engine.standings(1e4)) tasks += standing.tasks;
    EXPECT_LE(tasks, 8) << "what the record ended has ended";
  }
}

// Callers who wait for one another's slots, each on a thread: one lost wake-up and they stand still.
class Crowd {
 public:
  explicit Crowd(Engine<Shared>& engine) : engine_(engine) {}

  void call(std::uint32_t lane, int times) {
    for (int i = 0; i < times; ++i) {
      const Answer answer = engine_.pick({}, 0, lane);
      const auto* ticket = std::get_if<Ticket>(&answer);
      const std::optional<Pick> pick = ticket == nullptr ? std::get<Pick>(answer) : wait(*ticket);
      if (!pick) return;
      const int now = ++in_flight_;
      for (int seen = most_; seen < now && !most_.compare_exchange_weak(seen, now);) {
      }
      --in_flight_;
      engine_.done(*pick, {}, 0);
    }
  }

  int most() const { return most_; }
  bool late() const { return late_; }

 private:
  std::optional<Pick> wait(const Ticket& ticket) {
    while (!late_) {
      late_ = late_ || std::chrono::steady_clock::now() > deadline_;
      const std::lock_guard lock(telling_);
      for (const Effect& effect : engine_.effects()) told_.insert({effect.ticket.number, effect.pick});
      const auto found = told_.extract(ticket.number);
      if (!found.empty()) return found.mapped();
    }
    return std::nullopt;
  }

  Engine<Shared>& engine_;
  const std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::mutex telling_;
  std::map<std::uint64_t, Pick> told_;
  std::atomic<int> in_flight_ = 0, most_ = 0;
  std::atomic<bool> late_ = false;
};

TEST(AQueue, WakesWhoeverWaitsUnderThreads) {
  Engine<Shared> engine(waiting({1000}));
  join(engine, 2, 1);
  Crowd crowd(engine);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&, lane = engine.open_lane()] { crowd.call(lane, 5000); });
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(crowd.late()) << "a caller waits though slots are free";
  EXPECT_LE(crowd.most(), 2);
  for (const Standing& standing : engine.standings(0)) EXPECT_EQ(standing.tasks, 0);
}

TEST(AQueue, RefusesSettingsThatMakeNoSense) {
  EXPECT_THROW(Engine<Plain>(waiting({-1})), std::invalid_argument);
  EXPECT_THROW(Engine<Plain>(waiting({1e9})), std::invalid_argument);
  EXPECT_THROW(Engine<Plain>(waiting({1, 0})), std::invalid_argument);
}

}  // namespace
}  // namespace lbsuite
