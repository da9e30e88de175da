#pragma once
// How old reports are, in services, and so how many endpoints it pays to compare (`choices=auto`): all while this
// engine picks alone or reports are fresh, fewer the more a crowd of pickers would run after the same old news.
// The writer learns, any thread asks.

#include <cstdint>

#include "bits/cell.hpp"
#include "policy/parts/choices.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

template <class Model>
class Freshness {
 public:
  void pickers(std::uint32_t count) { pickers_.set(count); }
  std::uint32_t pickers() const { return pickers_.get(); }

  // A report came `age_s` after the one before, from an endpoint that drains `rate` tasks a second.
  void learn(double age_s, double rate) {
    if (!(age_s > 0 && age_s < kNever && rate > 0)) return;
    const double before = services_.get();
    services_.set(before == 0 ? age_s * rate : before + kSmoothing * (age_s * rate - before));
  }

  std::uint32_t choices() const {
    const std::uint32_t pickers = this->pickers();
    const double age = services_.get();
    const double crowd = pickers * age;  // picks of others that news do not tell yet, in the tasks an endpoint drains
    if (pickers <= 1 || crowd <= 1) return Choices::kAll;
    if (crowd <= 4) return 8;
    return age <= 5 ? 5 : 2;
  }

 private:
  static constexpr double kSmoothing = 0.05;
  typename Model::template Cell<std::uint32_t> pickers_{1};
  typename Model::template Cell<double> services_{0};
};

}  // namespace lbsuite
