#pragma once
#include "bits/fields.hpp"
#include "policy/parts/failing.hpp"
#include "policy/parts/peak.hpp"
#include "policy/parts/per_place.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// The cheaper of two distinct ready endpoints (Finagle, PeakEwma.scala and P2CPick.scala): one costs its latency, which
// jumps to each peak and decays, times the tasks it would have. One not heard of yet is tried, and then waited for.
// Ours: an error counts for the latency known so far at least, one that fails costs more, and looking changes nothing.
class PeakEwma {
 public:
  static constexpr std::string_view name = "peak_ewma";
  static constexpr std::string_view goes_by = "least cost of two";
  static constexpr Needs needs = {.outcomes = true};
  struct Settings : PolicySettings {
    Real decay_s{10, 0.001, 1e6}, penalty_s{140737, 0, 1e9};  // 2^63 >> 16 nanoseconds
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("decay_s", decay_s);
      visit("penalty_s", penalty_s);
    }
  };
  using Shared = NothingShared;
  explicit PeakEwma(const Settings& settings, Shared&) : settings_(settings) {}

  void room(std::uint32_t places) { seen_.room(places); }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    std::uint32_t best = kNobody;
    double lowest = 0;
    for (const std::uint32_t i : Sample(candidates, 2, rng)) {
      const double cost = this->cost(seen_[candidates.place(i)], candidates.estimate(i), candidates.now());
      candidates.weighed(i, cost);
      if (best == kNobody || cost < lowest * (1 - 1e-9)) best = i, lowest = cost;  // less is a rounding error
    }
    return best;
  }

  void ended(const Endings& endings, double now) {
    auto& [peak, failing] = seen_[endings.place];
    const double latency_s = endings.counted_s(peak.known() ? peak.latency_s() : all_.latency_s());
    peak.observe(latency_s, now, settings_.decay_s);
    failing.ended(endings, now);
    if (endings.failed < endings.count) all_.observe(latency_s, now, settings_.decay_s);
  }

 private:
  using Seen = std::pair<Peak, Failing>;
  double cost(const Seen& seen, double tasks, double now) const {
    if (!seen.first.known()) return tasks > 0 ? settings_.penalty_s + tasks : 0;
    return seen.second.charged(seen.first.latency_s(now, settings_.decay_s), now) * (tasks + 1);
  }
  const Settings settings_;
  PerPlace<Seen> seen_;
  Peak all_;  // of every success
};

}  // namespace lbsuite
