#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bits/hash.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Each picker keeps to some endpoints of each tier, so that not everyone is connected to everyone. cut=rounds: all
// endpoints, in an order that each round draws anew (XXH64 of address and round), are cut into as many slices of at
// least k as there are; picker number `client` has the next slice, so each endpoint has the same number of pickers, +-1
// (Site Reliability Engineering, 2016, chapter 20). cut=random: the k least by XXH64 of address and `client` (gRFC A68),
// some of which have many pickers and some few. If nobody of the subset is alive, the others serve.
class Subset {
 public:
  static constexpr std::string_view name = "subset";
  static constexpr std::array<std::string_view, 2> kCuts = {"rounds", "random"};
  struct Settings : StageSettings {
    Whole k{20, 1, 1'000'000};
    Whole client{0, 0, 1'000'000'000};
    OneOf cut{kCuts};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("k", k);
      visit("client", client);
      visit("cut", cut);
    }
  };

  explicit Subset(const Settings& settings)
      : k_(settings.k), client_(settings.client), rounds_(settings.cut.chosen() == 0) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    std::map<std::uint32_t, std::vector<Endpoint<Model>*>> tiers;
    for (auto* member : members) tiers[member->tier].push_back(member);
    for (auto& [number, tier] : tiers) cut(tier);
  }

 private:
  template <class Model>
  void cut(std::vector<Endpoint<Model>*>& all) const {
    const std::size_t size = all.size();
    if (size <= k_) return;
    const std::size_t slices = rounds_ ? size / k_ : 1;
    sort(all, client_ / slices);
    const std::size_t slice = client_ % slices;
    const std::size_t begin = slice * size / slices;
    const std::size_t end = rounds_ ? (slice + 1) * size / slices : k_;
    const auto alive = [](const auto* member) { return member->alive() && !member->idle(); };
    const auto first = all.begin();
    if (std::none_of(first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(end), alive))
      return;
    for (std::size_t i = 0; i < size; ++i) {
      if (i < begin || i >= end) all[i]->standby_by = name;
    }
  }

  template <class Model>
  static void sort(std::vector<Endpoint<Model>*>& all, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, Endpoint<Model>*>> drawn;
    for (auto* member : all) drawn.emplace_back(Xxh64::hash(member->address, seed), member);
    std::sort(drawn.begin(), drawn.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first, a.second->address) < std::tie(b.first, b.second->address);
    });
    std::transform(drawn.begin(), drawn.end(), all.begin(), [](const auto& one) { return one.second; });
  }

  const std::size_t k_;
  const std::size_t client_;
  const bool rounds_;
};

}  // namespace lbsuite
