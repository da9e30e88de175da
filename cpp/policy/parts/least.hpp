#pragma once
// Who has the least score of some candidates, ties broken uniformly. Cost: a score each; of those beyond the
// first 64, up to three. Never allocates.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "bits/course.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// The scores of `indices`, infinite where not ready; the first 64 are reckoned once.
template <class Candidates, class Indices, class ScoreOf>
class Scores {
 public:
  Scores(const Candidates& candidates, const Indices& indices, ScoreOf& score_of)
      : candidates_(candidates), indices_(indices), score_of_(score_of) {
    for (std::uint32_t at = 0; at < size(); ++at) {
      const double score = reckon(at);
      if (at < kKept) kept_[at] = score;
      lowest_at_ = score < lowest_ ? at : lowest_at_;
      lowest_ = std::min(lowest_, score);
    }
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(indices_.end() - indices_.begin()); }
  std::uint32_t lowest_at() const { return lowest_at_; }  // kNobody if none is ready
  bool ties(std::uint32_t at) const { return (at < kKept ? kept_[at] : reckon(at)) <= lowest_ + kTie; }

 private:
  static constexpr std::uint32_t kKept = 64;
  double reckon(std::uint32_t at) const {
    const std::uint32_t i = indices_.begin()[at];
    const double score = candidates_.ready(i) ? score_of_(i) : std::numeric_limits<double>::infinity();
    candidates_.weighed(i, score);
    return score;
  }

  const Candidates& candidates_;
  const Indices& indices_;
  ScoreOf& score_of_;
  double lowest_ = std::numeric_limits<double>::infinity();
  std::uint32_t lowest_at_ = kNobody;
  std::array<double, kKept> kept_;
};

// The one of least score among `indices`, those within kTie of it with the same chance; kNobody if none is ready.
template <class Candidates, class Indices, class ScoreOf>
std::uint32_t least(const Candidates& candidates, const Indices& indices, ScoreOf&& score_of, Rng& rng) {
  const Scores scores(candidates, indices, score_of);
  std::uint32_t best = scores.lowest_at();
  if (best == kNobody) return kNobody;
  std::uint32_t ties = 0;
  for (std::uint32_t at = 0; at < scores.size(); ++at) ties += scores.ties(at);
  if (ties <= 1) return indices.begin()[best];
  std::uint32_t turn = rng.below(ties);
  for (std::uint32_t at = 0; at < scores.size(); ++at) {
    const bool tied = scores.ties(at);
    best = tied && turn == 0 ? at : best;  // no branch: half of the guesses at one would be wrong
    turn -= tied;
  }
  return indices.begin()[best];
}

template <class Candidates, class Indices>
std::uint32_t least_loaded(const Candidates& candidates, const Indices& indices, Rng& rng) {
  return least(candidates, indices, [&](std::uint32_t i) { return candidates.score(i); }, rng);
}

}  // namespace lbsuite
