#pragma once
// Holds some endpoints of a view to their share of its picks, whatever the policy: one that is owed less than half a
// pick is not ready for this one. The others are free. What is owed goes on from view to view, so that a share is kept
// where a view sees few picks; what nobody called for is forgotten beyond a few.
// Any thread asks and counts; made and settled by the writer. Cost: a few loads a look, two adds a pick.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "bits/cell.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

template <class Model>
class Shares {
 public:
  using Members = std::vector<Endpoint<Model>*>;

  // Who of `up` has less than the greatest draw is held. weighs: for policies that go by weights themselves. nullptr if
  // nobody is held.
  static std::unique_ptr<Shares> make(const Members& up, bool weighs) {
    double most = 0;
    for (const auto* endpoint : up) most = std::max(most, draw(*endpoint, weighs));
    const auto held = [&](const auto* endpoint) { return draw(*endpoint, weighs) < most; };
    if (std::none_of(up.begin(), up.end(), held)) return nullptr;
    return std::make_unique<Shares>(up, weighs, most);
  }

  Shares(const Members& up, bool weighs, double most) : weighs_(weighs), of_(up.size()) {
    double sum = 0;
    for (const auto* endpoint : up) sum += claim(*endpoint);
    for (std::size_t i = 0; i < up.size(); ++i) {
      if (draw(*up[i], weighs) >= most) continue;
      of_[i].share = claim(*up[i]) / sum;
      of_[i].owed = up[i]->owed[weighs];
    }
  }

  [[nodiscard]] bool holds(std::uint32_t i) const {
    const One& one = of_[i];
    return one.share < kFree && due(one, picks_.get() + 1) <= static_cast<double>(one.taken.get()) + 0.5;
  }

  // One of the candidates was picked.
  void count(std::uint32_t i) {
    One& one = of_[i];
    const std::uint64_t picks = picks_.add(1) + 1;
    if (one.share == kFree) return;
    std::uint64_t taken = one.taken.get();
    while (!one.taken.swap(taken, taken + 1 + forgotten(one, picks, taken))) {
    }
  }

  // The writer's: what each is owed by now, for the next view.
  void settle(const Members& up) const {
    for (std::size_t i = 0; i < up.size(); ++i) {
      const double owed = due(of_[i], picks_.get()) - static_cast<double>(of_[i].taken.get());
      up[i]->owed[weighs_] = of_[i].share == kFree ? 0 : std::clamp(owed, -1.0, kMostOwed);
    }
  }

 private:
  static constexpr double kFree = 2;
  static constexpr double kMostOwed = 8;

  struct One {
    double share = kFree;
    double owed = 0;  // from before this view
    typename Model::template Cell<std::uint64_t> taken{0};
  };

  // By this one goes before another; a policy that goes by weights sees to those.
  static double draw(const Endpoint<Model>& endpoint, bool weighs) {
    return weighs ? endpoint.warmth : endpoint.warmth * endpoint.pull;
  }
  double claim(const Endpoint<Model>& endpoint) const {
    return draw(endpoint, weighs_) * (weighs_ ? endpoint.load.weight() : 1);
  }
  static double due(const One& one, std::uint64_t picks) { return one.owed + one.share * static_cast<double>(picks); }
  static std::uint64_t forgotten(const One& one, std::uint64_t picks, std::uint64_t taken) {
    return static_cast<std::uint64_t>(std::max(0.0, due(one, picks) - static_cast<double>(taken) - kMostOwed));
  }

  const bool weighs_;
  typename Model::template Cell<std::uint64_t> picks_{0};
  std::vector<One> of_;
};

}  // namespace lbsuite
