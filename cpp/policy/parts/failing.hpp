#pragma once
// The share of an endpoint's tasks that failed lately, so that failing fast does not look like being fast. Each outcome
// weighs a tenth, and time forgets: one that is shunned is tried again. Both weights are ours, from no paper.

#include <algorithm>
#include <cmath>

#include "policy/news.hpp"

namespace lbsuite {

class Failing {
 public:
  void ended(const Endings& endings, double now) {
    const double kept = std::pow(1 - kWeight, endings.count);
    share_ = share(now) * kept + (1 - kept) * endings.failed / endings.count;
    at_ = now;
  }

  // What a success costs, where a task costs this: up to a thousandfold.
  double charged(double cost, double now) const { return cost / (1 - 0.999 * share(now)); }

 private:
  double share(double now) const { return share_ * std::exp(-std::max(0.0, now - at_) / kForget_s); }

  static constexpr double kWeight = 0.1;
  static constexpr double kForget_s = 10;
  double share_ = 0;
  double at_ = 0;
};

}  // namespace lbsuite
