#pragma once
#include <ranges>

#include "policy/parts/choices.hpp"
#include "policy/parts/least.hpp"
#include "policy/parts/sample.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// The least loaded of `choices` distinct ready endpoints, ties broken uniformly; loads are dead-reckoned between
// reports. Cost: one score a choice. With few choices it is the power of d choices (Mitzenmacher, 2001).
class LeastLoad {
 public:
  static constexpr std::string_view name = "least_load";
  static constexpr std::string_view goes_by = "least score";
  static constexpr bool weighs = true;
  struct Settings : PolicySettings {
    Choices choices;
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("choices", choices);
    }
  };
  using Shared = NothingShared;

  explicit LeastLoad(const Settings& settings, Shared&) : choices_(settings.choices) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request&, Rng& rng) {
    const std::uint32_t count = choices_.count(candidates.choices());
    if (count == Choices::kAll || count >= candidates.size()) {
      const auto least = candidates.least(rng);
      return least ? *least : least_loaded(candidates, std::views::iota(0U, candidates.size()), rng);
    }
    return least_loaded(candidates, Sample(candidates, count, rng), rng);
  }

 private:
  const Choices choices_;
};

}  // namespace lbsuite
