#pragma once
#include <ranges>

#include "bits/fields.hpp"
#include "policy/parts/least.hpp"
#include "policy/parts/per_place.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Local shortest queue (Vargaftik, Keslassy and Orda, "LSQ: load balancing in large-scale heterogeneous systems with
// multiple dispatchers", 2020): each lane keeps a view of its own of how long queues are, sends to the shortest in it,
// and looks up the true length of a few at random each time. As lanes are wrong about different endpoints, they do not
// run to the same one. The paper's start was read, not the whole: two samples, as many looks as two_choices has, is our
// reading of its equal budgets. Cost: one look-up an endpoint. Ties are broken uniformly.
class Lsq {
 public:
  static constexpr std::string_view name = "lsq";
  static constexpr std::string_view goes_by = "shortest queue as last looked up";
  struct Settings : PolicySettings {
    Whole samples{2, 1, Sample::kMost};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("samples", samples);
    }
  };
  using Shared = NothingShared;

  explicit Lsq(const Settings& settings, Shared&) : settings_(settings) {}

  void room(std::uint32_t places) { queues_.room(places); }

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const auto queue = [&](std::uint32_t i) { return queues_[candidates.place(i)]; };
    const std::uint32_t chosen = least(candidates, std::views::iota(0U, candidates.size()), queue, rng);
    if (chosen == kNobody) return kNobody;
    queues_[candidates.place(chosen)] += 1;
    for (const std::uint32_t i : Sample(Everyone{candidates.size()}, settings_.samples, rng)) {
      queues_[candidates.place(i)] = candidates.estimate(i) + (i == chosen ? 1 : 0);
    }
    return chosen;
  }

 private:
  const Settings settings_;
  PerPlace<double> queues_;
};

}  // namespace lbsuite
