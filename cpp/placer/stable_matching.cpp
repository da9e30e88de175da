#include "placer/stable_matching.hpp"

#include <algorithm>
#include <queue>

#include "bits/neg_log2.hpp"
#include "bits/rng.hpp"

namespace lbsuite {
namespace {

std::uint16_t place_of(Ipv4 server, Members members) {
  const auto before = [](const Member& a, Ipv4 b) { return a.server < b; };
  const auto found = std::lower_bound(members.begin(), members.end(), server, before);
  return static_cast<std::uint16_t>(found - members.begin());
}

}  // namespace

StableMatching::Liking StableMatching::liking(std::uint32_t object, const Member& member, bool weighted) {
  const std::uint64_t u =
      SplitMix64::mixed(SplitMix64::mixed(object + 1) ^ std::uint64_t{member.server} * 0x9E3779B97F4A7C15);
  return {weighted ? (NegLog2::of(u) << 16) / member.weight : u, member.server};
}

// Keeps what a change of some members leaves as it was.
void StableMatching::update_favourites(std::span<const std::uint32_t> objects, Members members, bool weighted) {
  std::vector<Member> gone, fresh;
  const auto by_server = [](const Member& a, const Member& b) {
    return a.server != b.server ? a.server < b.server : a.weight < b.weight;
  };
  std::set_difference(before_.begin(), before_.end(), members.begin(), members.end(), std::back_inserter(gone),
                      by_server);
  std::set_difference(members.begin(), members.end(), before_.begin(), before_.end(), std::back_inserter(fresh),
                      by_server);
  const bool anew = favourites_.size() != objects.size() || weighted != weighted_before_;
  favourites_.resize(objects.size());
  for (std::size_t o = 0; o < objects.size(); ++o) {
    Liking& best = favourites_[o];
    const bool lost =
        anew || std::any_of(gone.begin(), gone.end(), [&](const Member& m) { return m.server == best.server; });
    if (lost) best = {};
    for (const Member& member : lost ? members : Members(fresh)) {
      best = std::min(best, liking(objects[o], member, weighted));
    }
  }
  before_.assign(members.begin(), members.end());
  weighted_before_ = weighted;
}

std::vector<std::uint16_t> StableMatching::place(std::span<const std::uint32_t> objects, Members members) {
  const bool weighted = weights_differ(members);
  update_favourites(objects, members, weighted);
  Quotas quotas(static_cast<std::uint32_t>(objects.size()), members);
  std::vector<std::uint32_t> loads(members.size());
  const auto has_room = [&](std::size_t m) {
    return loads[m] < quotas.floors[m] || (loads[m] == quotas.floors[m] && !quotas.whole[m] && quotas.extra > 0);
  };
  using Offer = std::pair<Liking, std::uint32_t>;  // and the object
  std::vector<Offer> first(objects.size());
  for (std::uint32_t o = 0; o < objects.size(); ++o) first[o] = {favourites_[o], o};
  std::priority_queue offers(std::greater<Offer>(), std::move(first));
  std::vector<std::uint16_t> open(members.size());
  for (std::uint16_t m = 0; m < members.size(); ++m) open[m] = m;
  std::vector<std::uint16_t> owners(objects.size());
  while (!offers.empty()) {
    const auto [liked, o] = offers.top();
    offers.pop();
    const std::uint16_t m = place_of(liked.server, members);
    if (has_room(m)) {
      if (loads[m]++ == quotas.floors[m]) --quotas.extra;
      owners[o] = m;
      continue;
    }
    std::erase_if(open, [&](std::uint16_t each) { return !has_room(each); });
    Liking next;
    for (const std::uint16_t each : open) next = std::min(next, liking(objects[o], members[each], weighted));
    offers.push({next, o});
  }
  return owners;
}

}  // namespace lbsuite
