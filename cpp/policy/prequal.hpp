#pragma once
#include <algorithm>

#include "bits/fields.hpp"
#include "policy/parts/positions.hpp"
#include "policy/parts/probe_pool.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Prequal (Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance: introducing Prequal", 2024).
// Each pick asks for probes of random distinct endpoints; their answers, how many requests are in flight (RIF) and what
// one would take, wait in a pool. A pick takes the best in the pool: of the cold, whose RIF is within a quantile of the
// RIFs heard lately, the quickest; if all are hot, the one of least RIF. Cost: one look at each probe in the pool.
//   As in the paper (defaults): 3 probes a pick, fractions spread evenly; a pool of 16, the newest probe of each
//   endpoint, none older than 1 s; quantile .84; after use RIF + 1; each probe may be used
//   max(1, (1 + delta) / ((1 - pool/endpoints) probes - removes)) times, rounded at random, delta 1; 1 probe removed a
//   pick, the oldest and the worst (highest RIF of the hot, else slowest) in turn; random below 2 usable probes.
//   Read: the paper's abstract and introduction, and an independent implementation (prequal-rs), which writes the budget
//   as 1 + delta / (...); ours follows from what the pool gains and loses a pick: gain (1 - pool/endpoints) probes, loss
//   removes + 1/budget, and the gain shall exceed the loss by delta/budget.
//   Open: the window of the quantile (64 answers here), ties (the lower other signal, then the older probe), and how the
//   endpoint estimates its latency (the paper: the median of recent ones at about its RIF), which is the host's.
//   Ours: where probes cannot keep up (24 endpoints and fewer by the defaults) a probe is used up to `reuses` times;
//   removal leaves two; a failure drops the probes of its endpoint, as one that fails fast looks idle.
//   With 16 endpoints and fewer, the usual case, the pool has room for everyone, and a pick compares most of them.
class Prequal {
 public:
  static constexpr std::string_view name = "prequal";
  static constexpr std::string_view goes_by = "quickest of the cold, or the hot with the fewest in flight, as probed";
  static constexpr Needs needs = {.probes = true};
  struct Settings : PolicySettings {
    Real probes{3, 0, Sample::kMost}, age_s{1, 0.001, 3600}, q_rif{0.84, 0, 1}, delta{1, 0, 1000}, removes{1, 0, 64};
    Whole pool{16, 2, 64}, reuses{16, 1, 1000};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("probes", probes);
      visit("pool", pool);
      visit("age_s", age_s);
      visit("q_rif", q_rif);
      visit("delta", delta);
      visit("removes", removes);
      visit("reuses", reuses);
    }
  };
  using Shared = NothingShared;
  using Plan = Positions;

  explicit Prequal(const Settings& settings, Shared&) : settings_(settings), pool_(settings.pool) {
    wanted_.reserve(Sample::kMost);
  }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Plan& plan, const Request&, Rng& rng) {
    pool_.forget_before(candidates.now() - settings_.age_s);
    const std::uint32_t chosen = choose(candidates, plan, rng);
    remove();
    const Sample drawn(Everyone{candidates.size()}, whole(probes_owed_, settings_.probes), rng);
    wanted_.assign(drawn.begin(), drawn.end());
    return chosen;
  }

  const std::vector<std::uint32_t>& probes() const { return wanted_; }
  void probed(const ProbeAnswer& answer, double now) { pool_.add(answer, now, settings_.q_rif); }
  void ended(const Endings& endings, double) {
    if (endings.failed > 0) pool_.drop(endings.place);
  }

 private:
  template <class Candidates>
  std::uint32_t choose(const Candidates& candidates, const Plan& plan, Rng& rng) {
    std::uint32_t chosen = kNobody;
    std::uint32_t usable = 0;
    auto best = pool_.end();
    for (auto probe = pool_.begin(); probe != pool_.end(); ++probe) {
      const std::uint32_t i = plan.of(probe->answer.place, candidates);
      if (i == kNobody || !candidates.ready(i)) continue;
      ++usable;
      candidates.weighed(i, pool_.figure(*probe));
      if (best == pool_.end() || pool_.better(*probe, *best)) best = probe, chosen = i;
    }
    if (usable >= 2) {
      use(best, candidates.size(), rng);
      return chosen;
    }
    const Sample anyone(candidates, 1, rng);
    return anyone.begin() == anyone.end() ? kNobody : *anyone.begin();
  }

  void use(std::vector<Probe>::iterator probe, double endpoints, Rng& rng) {
    ++probe->answer.tasks;
    const double left = budget(endpoints) - ++probe->uses;
    constexpr std::uint32_t kLots = 1U << 30;
    if (left <= 0 || (left < 1 && rng.below(kLots) >= left * kLots)) pool_.erase(probe);
  }

  double budget(double endpoints) const {
    const double gain = (1 - settings_.pool / endpoints) * settings_.probes - settings_.removes;
    const double most = settings_.reuses;
    return gain > 0 ? std::clamp((1 + settings_.delta) / gain, 1.0, most) : most;
  }

  void remove() {
    for (std::uint32_t due = whole(removals_owed_, settings_.removes); due > 0 && pool_.size() > 2; --due) {
      pool_.erase(oldest_next_ ? pool_.begin() : pool_.worst());
      oldest_next_ = !oldest_next_;
    }
  }

  // The whole part of what is owed, at so many a pick.
  static std::uint32_t whole(double& owed, double rate) {
    owed += rate;
    const auto due = static_cast<std::uint32_t>(owed);
    owed -= due;
    return due;
  }

  const Settings settings_;
  ProbePool pool_;
  std::vector<std::uint32_t> wanted_;
  double probes_owed_ = 0;
  double removals_owed_ = 0;
  bool oldest_next_ = true;
};

}  // namespace lbsuite
