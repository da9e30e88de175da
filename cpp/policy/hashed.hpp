#pragma once
#include <algorithm>
#include <array>
#include <cmath>

#include "bits/fields.hpp"
#include "policy/parts/affinity.hpp"
#include "policy/parts/maglev.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

// The endpoint that the request's key hashes to, in shares that go by weight, with few keys moved when endpoints come or
// go. kind=rendezvous: the nearest by rendezvous hashing; only the keys of one that leaves move. kind=maglev: by a table
// of `table` entries, made once a change, the same as Envoy's; a few other keys move, too. (The paper's larger table is
// the largest: any caller may ask for one.)
// bound=0: the key's own endpoint while it is ready. bound=f: none gets more than f % of the mean of those ready, by
// weight (Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", 2016): with T tasks at those
// ready, which weigh W, ceil(ceil((T + 1) f / 100) w / W) of them, at least 1. So Envoy counts its slots
// (thread_aware_lb_impl.cc, hash_balance_factor); like HAProxy (lb_chash.c, hash-balance-factor) we never pass them.
// A key whose own endpoint may not take it goes to the nearest one, by rendezvous hashing, that may: to no common
// neighbour. Without a key: a random one, by the same rules. Cost: rendezvous a hash an endpoint, maglev one look-up;
// bound and turned-away keys a pass or two over all.
class Hashed {
 public:
  static constexpr std::string_view name = "hashed";
  static constexpr std::string_view goes_by = "home of the key, or else nearest to it";
  static constexpr bool weighs = true;
  static constexpr std::array<std::string_view, 2> kKinds = {"rendezvous", "maglev"};
  struct Settings : PolicySettings {
    OneOf kind{kKinds};
    Whole bound{0, 0, 1'000'000, "0 or at least 100", [](std::uint32_t f) { return f == 0 || f >= 100; }};
    Whole table{65537, 2, 655'373, "a prime", is_prime};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("kind", kind);
      visit("bound", bound);
      visit("table", table);
    }
  };
  using Shared = NothingShared;

  struct Plan {
    template <class Candidates>
    Plan(const Settings& settings, const Candidates& candidates)
        : table(candidates, settings.kind.chosen() == 0 ? 0 : settings.table) {}
    const Maglev table;
  };

  explicit Hashed(const Settings& settings, Shared&) : bound_(settings.bound) {}

  template <class Candidates>
  std::uint32_t pick(const Candidates& candidates, const Plan& plan, const Request& request, Rng& rng) {
    const Affinity affinity(request.key, rng);
    const Slots slots(candidates, bound_);
    const std::uint32_t home = plan.table.find(affinity.key());
    if (home != kNobody && slots.free(candidates, home)) return home;
    return affinity.nearest(candidates,
                            [&](std::uint32_t i) { return slots.free(candidates, i) ? candidates.weight(i) : 0; });
  }

 private:
  // How many tasks each may have. One of those ready always has a slot, as together they have one more than tasks.
  class Slots {
   public:
    template <class Candidates>
    Slots(const Candidates& candidates, std::uint32_t bound) : bounded_(bound != 0) {
      if (!bounded_) return;
      double tasks = 0;
      for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        if (!candidates.ready(i)) continue;
        tasks += candidates.tasks(i);
        weight_ += candidates.weight(i);
      }
      slots_ = std::ceil((tasks + 1) * bound / 100);
    }

    template <class Candidates>
    bool free(const Candidates& candidates, std::uint32_t i) const {
      if (!candidates.ready(i)) return false;
      return !bounded_ || candidates.tasks(i) < std::max(1.0, std::ceil(slots_ * candidates.weight(i) / weight_));
    }

   private:
    const bool bounded_;
    double slots_ = 0;
    double weight_ = 0;
  };

  const std::uint32_t bound_;
};

}  // namespace lbsuite
