#pragma once
#include <cmath>

#include "bits/fields.hpp"
#include "policy/parts/affinity.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// Affinity of the key times load: the endpoint with the least distance from the key x (load + 1)^bias / weight. A key
// stays at home until home is so much busier than the others that they are, all in all, nearer; bias=0 is affinity
// alone. The distance is rendezvous hashing's, (load + 1)^bias / weight is Envoy's least request (load_balancer_impl.cc,
// active_request_bias, 1 by default); their product is ours. Load is the estimate in tasks. Without a key: a random one
// by the same weights. Cost: a hash and a division each; a power each unless bias is 0 or 1.
class AffinityXLoad {
 public:
  static constexpr std::string_view name = "affinity_x_load";
  static constexpr std::string_view goes_by = "nearest to the key, by distance times load";
  static constexpr bool weighs = true;
  struct Settings : PolicySettings {
    Real bias{1, 0, 10};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("bias", bias);
    }
  };
  using Shared = NothingShared;

  explicit AffinityXLoad(const Settings& settings, Shared&) : bias_(settings.bias) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Request& request, Rng& rng) {
    return Affinity(request.key, rng).nearest(candidates, [&](std::uint32_t i) {
      return candidates.ready(i) ? candidates.weight(i) / busyness(candidates.estimate(i) + 1) : 0;
    });
  }

 private:
  double busyness(double load) const {
    if (bias_ == 0) return 1;
    return bias_ == 1 ? load : std::pow(load, bias_);
  }

  const double bias_;
};

}  // namespace lbsuite
