#pragma once
// Turns in proportion to weights: the static stride scheduler of gRPC (grpc-go, weightedroundrobin/scheduler.go). Rounds
// go over the candidates in order; one with weight w of 65535, the heaviest's, takes its turn in w of 65535 rounds,
// spread evenly, and passes in the others. Ours: it begins at a random turn as gRPC does, but counts on for ever; a
// weight never rounds to 0; and after two rounds without one that is ready, a random one of those is drawn by weight.
// Cost: a division or two a turn, on average as many turns as the heaviest weighs more than the mean.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "policy/policy.hpp"

namespace lbsuite {

class Stride {
 public:
  void room(std::uint32_t places) { weights_.reserve(places); }

  // weigh(i): what candidate i weighs; 0: not known, which counts as the mean, or as all the others if fewer than two are
  // known. Never allocates for as many as there is room for.
  template <class Weigh>
  void set(std::uint32_t size, Weigh&& weigh) {
    double sum = 0;
    double heaviest = 0;
    std::uint32_t known = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
      const double weight = weigh(i);
      sum += weight;
      heaviest = std::max(heaviest, weight);
      known += weight > 0 ? 1 : 0;
    }
    weights_.assign(size, kMost);
    if (known < 2) return;
    for (std::uint32_t i = 0; i < size; ++i) {
      const double weight = weigh(i);
      weights_[i] = scaled((weight > 0 ? weight : sum / known) * (kMost / heaviest));
    }
  }

  // kNobody if none is ready. The candidates must be those of the last `set`.
  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, Rng& rng) {
    if (turn_ == 0) turn_ = (rng.next() >> 32) + 1;
    const std::uint64_t size = weights_.size();
    for (std::uint64_t turns = 0; turns < 2 * size; ++turns) {
      const std::uint64_t i = turn_ % size;
      const std::uint64_t round = turn_ / size;
      ++turn_;
      if ((weights_[i] * round + i * (kMost / 2)) % kMost < kMost - weights_[i]) continue;
      if (candidates.ready(static_cast<std::uint32_t>(i))) return static_cast<std::uint32_t>(i);
    }
    return draw(candidates, rng);
  }

 private:
  static std::uint32_t scaled(double weight) { return std::max(1U, static_cast<std::uint32_t>(weight + 0.5)); }

  template <class Candidates>
  std::uint32_t draw(const Candidates& candidates, Rng& rng) const {
    std::uint32_t chosen = kNobody;
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < weights_.size(); ++i) {
      if (!candidates.ready(i)) continue;
      sum += weights_[i];
      if (rng.below(sum) < weights_[i]) chosen = i;
    }
    return chosen;
  }

  static constexpr std::uint32_t kMost = 65535;
  std::vector<std::uint32_t> weights_;
  std::uint64_t turn_ = 0;
};

}  // namespace lbsuite
