#pragma once
// A seeded walk over all that an engine can be told, by two engines side by side.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite {

inline std::string address(std::uint32_t i) { return "127.0.0.1:" + std::to_string(4000 + i); }

inline Report any_report(Rng& rng) {
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
  report.own_finished = rng.below(10);
  report.own_failed = std::min<std::uint64_t>(report.own_finished, rng.below(20));
  report.own_refused = std::min<std::uint64_t>(report.own_failed, rng.below(3));
  return report;
}

// Tells two engines the same, all that an engine can be told, and holds their picks to be the same at every step.
template <class One, class Other>
class Walk {
 public:
  Walk(Engine<One>& one, Engine<Other>& other, std::uint32_t endpoints) : one_(one), other_(other), most_(endpoints) {
    for (std::uint32_t i = 0; i < endpoints; ++i) tell(Joined{address(i), 1, 0, "", kUnordered, 0});
  }

  void step() {
    now_ += rng_.below(3) == 0 ? rng_.below(100) / 100.0 : rng_.below(100) * 1e-5;
    const std::string who = address(rng_.below(most_ + 4));
    switch (rng_.below(20)) {
      case 0:
        return tell(Joined{who, 1 + rng_.below(3), rng_.below(6), rng_.below(2) == 0 ? "a" : "", kUnordered,
                           rng_.below(2) * 20.0, rng_.below(3)});
      case 1:
        return rng_.below(4) == 0 ? tell(Left{who}) : tell(Drained{who, rng_.below(4) != 0});
      case 2:
        return rng_.below(2) == 0 ? tell(Lost{who}) : tell(Reached{who});
      case 3:
      case 4:
      case 5:
        return tell(Reported{who, any_report(rng_)});
      case 6:
        one_.expire(now_);
        other_.expire(now_);
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
  int refused(NotReady why) const { return refused_[static_cast<std::size_t>(why)]; }

 private:
  void tell(const Event& event) { ASSERT_EQ(one_.apply(event, now_), other_.apply(event, now_)); }

  void end() {
    if (open_.empty() || one_.accounting() == Accounting::reported) return;
    std::swap(open_[rng_.below(static_cast<std::uint32_t>(open_.size()))], open_.back());
    const Outcome outcome{rng_.below(100) * 1e-3, rng_.below(2) == 0};
    one_.done(open_.back(), outcome, now_);
    other_.done(open_.back(), outcome, now_);
    open_.pop_back();
  }

  void pick() {
    const std::string excluded = address(rng_.below(most_));
    const std::string_view excludes[] = {excluded};
    const Request request{.cost = rng_.below(4) == 0 ? rng_.below(20) : 1,
                          .exclude = {excludes, rng_.below(8) == 0 ? 1U : 0U},
                          .priority = rng_.below(4),
                          .attempt = rng_.below(8) == 0 ? 1U : 0U};
    const Answer one = one_.pick(request, now_);
    const Answer other = other_.pick(request, now_);
    ASSERT_EQ(one.index(), other.index());
    const NotReady* const nobody = std::get_if<NotReady>(&one);
    if (nobody != nullptr) ++refused_[static_cast<std::size_t>(*nobody)];
    const Pick* const pick = std::get_if<Pick>(&one);
    if (pick == nullptr) return;
    ASSERT_EQ(pick->endpoint, std::get<Pick>(other).endpoint) << "pick " << picks_ << " at " << now_;
    open_.push_back(*pick);
    ++picks_;
  }

  Rng rng_{17};
  Engine<One>& one_;
  Engine<Other>& other_;
  const std::uint32_t most_;
  double now_ = 100;
  std::vector<Pick> open_;
  int picks_ = 0;
  std::array<int, kNotReady.size()> refused_{};
};

}  // namespace lbsuite
