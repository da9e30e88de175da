#pragma once
// How near a key is to an endpoint: rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase
// hit rates", 1998) with weights (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005). Each endpoint
// is the nearest of some to a share of all keys that goes by its weight, whoever the others are; so when one leaves,
// its keys alone move. Cost: a hash and, unless it is too far anyway, a logarithm.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "bits/hash.hpp"
#include "bits/rng.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

class Affinity {
 public:
  // No key is at home anywhere: such a request has a random one.
  Affinity(std::string_view key, Rng& rng) : key_(key.empty() ? rng.next() : Xxh64::hash(key)) {}

  std::uint64_t key() const { return key_; }

  // The nearest of the candidates for which weigh(i) is above 0, the first if several are; kNobody if none is.
  template <class Candidates, class Weigh>
  std::uint32_t nearest(const Candidates& candidates, Weigh&& weigh) const {
    std::uint32_t best = kNobody;
    double least = std::numeric_limits<double>::infinity();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      const double weight = weigh(i);
      if (!(weight > 0)) continue;
      const double u = uniform(candidates.hash(i));
      if ((1 - u) / weight >= least) continue;  // -ln u >= 1 - u, and a logarithm is dear
      const double distance = -std::log(u) / weight;
      candidates.weighed(i, distance);
      if (distance >= least) continue;
      best = i;
      least = distance;
    }
    return best;
  }

 private:
  // Above 0, up to 1.
  double uniform(std::uint64_t endpoint) const {
    return (static_cast<double>(SplitMix64(key_ ^ endpoint).next() >> 11) + 0.5) * 0x1p-53;
  }

  const std::uint64_t key_;
};

}  // namespace lbsuite
