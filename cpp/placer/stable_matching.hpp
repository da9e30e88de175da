#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "placer/members.hpp"

namespace lbsuite {

// Exact balance as a function of the set alone. Objects and servers rank each other by one score (rendezvous hashing,
// Thaler and Ravishankar, 1998; weights by exponential clocks), and pairs are matched from the best score on while the
// server has room: the one stable matching (Gale and Shapley, 1962) for such preferences.
// Cost: the first placement scores all pairs; after a change of one server, one score an object and the matching.
class StableMatching {
 public:
  static constexpr std::string_view name = "stable_matching";
  static constexpr bool takes_weights = true;

  // The place in `members` of each object's owner.
  std::vector<std::uint16_t> place(std::span<const std::uint32_t> objects, Members members);

 private:
  // The less, the better liked; ties cannot be told apart by anyone, so the address decides.
  struct Liking {
    std::uint64_t cost = ~std::uint64_t{0};
    Ipv4 server = kNoServer;
    friend auto operator<=>(const Liking&, const Liking&) = default;
  };
  static Liking liking(std::uint32_t object, const Member& member, bool weighted);

  void update_favourites(std::span<const std::uint32_t> objects, Members members, bool weighted);

  std::vector<Member> before_;  // the members of the last call
  bool weighted_before_ = false;
  std::vector<Liking> favourites_;  // by object: the best liked of them, whether it has room or not
};

}  // namespace lbsuite
