#pragma once
// A seeded walk over all that can happen to those who wait, by two engines side by side.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.hpp"
#include "engine/event_log.hpp"
#include "walk.hpp"

namespace lbsuite {

// Two engines with waiting, told the same: they answer the same, and as a queue should.
template <class One, class Other>
class QueueWalk {
 public:
  QueueWalk(const EngineSettings& settings) : order_(settings.queue.order), one_(settings), other_(settings) {
    one_.record([this](const Record& record) { log_.push_back(write_record(record)); });
    for (std::uint32_t i = 0; i < kEndpoints; ++i) tell(Joined{address(i), 1, kLimit, "", kUnordered, 0});
  }

  void step() {
    now_ += rng_.below(4) * 0.05;
    switch (rng_.below(10)) {
      case 0:
        return cancel();
      case 1:
        one_.expire(now_);
        other_.expire(now_);
        return hear();
      case 2:
        return tell(Drained{address(rng_.below(kEndpoints)), rng_.below(3) != 0});
      case 3:
      case 4:
      case 5:
        return end();
      default:
        return pick();
    }
  }

  std::size_t answers() const { return answers_; }
  const std::vector<std::string>& log() const { return log_; }
  const Engine<One>& engine() const { return one_; }

 private:
  static constexpr std::uint32_t kEndpoints = 4, kLimit = 2;

  void tell(const Event& event) {
    ASSERT_EQ(one_.apply(event, now_), other_.apply(event, now_));
    hear();
  }

  void pick() {
    const std::string excluded = address(rng_.below(kEndpoints));
    const std::string_view excludes[] = {excluded};
    const bool picky = rng_.below(4) == 0;
    const Request request{.exclude = {excludes, picky ? 1U : 0U},
                          .deadline = rng_.below(2) == 0 ? now_ + rng_.below(10) * 0.1 : kNever,
                          .priority = rng_.below(3)};
    const Answer one = one_.pick(request, now_);
    const Answer other = other_.pick(request, now_);
    ASSERT_EQ(one.index(), other.index());
    if (const auto* pick = std::get_if<Pick>(&one)) taken(*pick, std::get<Pick>(other));
    if (const auto* ticket = std::get_if<Ticket>(&one)) {
      ASSERT_EQ(ticket->number, std::get<Ticket>(other).number);
      waiting_.insert({ticket->number, {picky, std::min(request.deadline, now_ + 1), request.priority}});
    }
    hear();
  }

  void taken(const Pick& one, const Pick& other) {
    ASSERT_EQ(one.endpoint, other.endpoint);
    ASSERT_EQ(one.sequence, other.sequence);
    open_.push_back(one);
    ASSERT_LE(std::count_if(open_.begin(), open_.end(), [&](const Pick& p) { return p.endpoint == one.endpoint; }),
              kLimit);
  }

  void end() {
    if (open_.empty()) return;
    std::swap(open_[rng_.below(static_cast<std::uint32_t>(open_.size()))], open_.back());
    const Pick ended = open_.back();
    open_.pop_back();
    one_.done(ended, {}, now_);
    other_.done(ended, {}, now_);
    hear();
  }

  void cancel() {
    const Ticket ticket{1 + rng_.below(static_cast<std::uint32_t>(answers_ + waiting_.size() + 1))};
    const bool cancelled = one_.cancel(ticket, now_);
    ASSERT_EQ(cancelled, other_.cancel(ticket, now_));
    ASSERT_EQ(cancelled, waiting_.erase(ticket.number) == 1);
    hear();
  }

  void hear() {
    const auto effects = one_.effects();
    const auto others = other_.effects();
    ASSERT_EQ(effects.size(), others.size());
    for (std::size_t i = 0; i < effects.size(); ++i) {
      const std::uint64_t number = effects[i].ticket.number;
      ASSERT_EQ(effects[i].kind, others[i].kind);
      ASSERT_EQ(number, others[i].ticket.number);
      if (number == 0) continue;  // it wants a probe
      ASSERT_TRUE(waiting_.contains(number)) << "it was cancelled, or is over";
      const Wait wait = waiting_[number];
      waiting_.erase(number);
      ++answers_;
      ASSERT_EQ(effects[i].kind == EffectKind::timed_out, now_ >= wait.until);
      if (effects[i].kind != EffectKind::answered) continue;
      taken(effects[i].pick, others[i].pick);
      passes_nobody(number, wait);
    }
  }

  // Whoever waits on is behind the one that was answered, or may not have what is free.
  struct Wait {
    bool picky = false;
    double until = 0;
    std::uint32_t priority = 0;
  };
  void passes_nobody(std::uint64_t number, const Wait& wait) {
    for (const auto& [other, its] : waiting_) {
      if (its.picky || now_ >= its.until) continue;
      bool passed = order_ == QueueOrder::fifo && number > other;
      passed |= order_ == QueueOrder::deadline && wait.until > its.until;
      passed |= order_ == QueueOrder::priority && wait.priority > its.priority;
      ASSERT_FALSE(passed) << other << " should go before " << number;
    }
  }

  Rng rng_{23};
  const QueueOrder order_;
  Engine<One> one_;
  Engine<Other> other_;
  double now_ = 100;
  std::vector<Pick> open_;
  std::map<std::uint64_t, Wait> waiting_;
  std::size_t answers_ = 0;
  std::vector<std::string> log_;
};

}  // namespace lbsuite
