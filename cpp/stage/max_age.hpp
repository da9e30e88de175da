#pragma once
#include <cstdint>
#include <string_view>

#include "bits/rng.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// How long a stream may last before it should be picked anew: one that stays for ever never learns of new endpoints
// (gRPC, MAX_CONNECTION_AGE, with its jitter of 10 %). The engine tells, the host ends.
class MaxAge {
 public:
  static constexpr std::string_view name = "max_age";
  struct Settings : StageSettings {
    Real age_s{300, 0.001, 1e9};
    Real jitter{0.1, 0, 1};  // so that streams that began together do not end together
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("age_s", age_s);
      visit("jitter", jitter);
    }
  };

  explicit MaxAge(const Settings& settings) : age_s_(settings.age_s), jitter_(settings.jitter) {}

  double until(std::uint64_t sequence, double now) const {
    const double lot = Rng(sequence).uniform();
    return now + age_s_ * (1 + jitter_ * (2 * lot - 1));
  }

 private:
  const double age_s_;
  const double jitter_;
};

}  // namespace lbsuite
