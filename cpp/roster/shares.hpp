#pragma once
// Holds some endpoints of a view to their share of its picks, whatever the policy: one that is owed less than half a
// pick is not ready for this one. The others are free. What is owed goes on from view to view, so that a share is kept
// where a view sees few picks; but nobody is owed, or owes, more than a few.
// Any thread asks and counts; made and settled by the writer. Cost: a few loads a look, two exchanges a pick.

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
    return of_[i].share < kFree && due(of_[i], picks_.get() + 1) <= of_[i].taken.get() + 0.5;
  }

  // How many picks it is owed; of those who are all held, the one that is owed most goes before.
  double owed(std::uint32_t i) const { return due(of_[i], picks_.get()) - of_[i].taken.get(); }

  // One of the candidates was picked.
  void count(std::uint32_t i) {
    One& one = of_[i];
    const double fair = due(one, picks_.add(1) + 1);
    if (one.share == kFree) return;
    double taken = one.taken.get();
    while (!one.taken.swap(taken, std::clamp(taken + 1, fair - kMostOwed, fair + kMostOwed))) {
    }
  }

  // The writer's: what each is owed by now, for the next view.
  void settle(const Members& up) const {
    for (std::uint32_t i = 0; i < up.size(); ++i) {
      up[i]->owed[weighs_] = of_[i].share == kFree ? 0 : std::clamp(owed(i), -kMostOwed, kMostOwed);
    }
  }

 private:
  static constexpr double kFree = 2;
  static constexpr double kMostOwed = 8;

  struct One {
    double share = kFree;
    double owed = 0;  // from before this view
    typename Model::template Cell<double> taken{0};
  };

  // By this one goes before another; a policy that goes by weights sees to those.
  static double draw(const Endpoint<Model>& endpoint, bool weighs) {
    return weighs ? endpoint.warmth : endpoint.warmth * endpoint.pull;
  }
  double claim(const Endpoint<Model>& endpoint) const {
    return draw(endpoint, weighs_) * (weighs_ ? endpoint.load.weight() : 1);
  }
  static double due(const One& one, std::uint64_t picks) { return one.owed + one.share * static_cast<double>(picks); }

  const bool weighs_;
  typename Model::template Cell<std::uint64_t> picks_{0};
  std::vector<One> of_;
};

}  // namespace lbsuite
