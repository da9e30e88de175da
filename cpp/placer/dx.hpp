#pragma once
#include <algorithm>
#include <bit>
#include <stdexcept>

#include "placer/router.hpp"

namespace lbsuite::routers {

// Dx (Dong and Wang, "DxHash: a scalable consistent hash based on the pseudo-random sequence", arXiv 2107.07930, 2021):
// a key tries slots in an order of its own until one is up. Each name it was made with keeps its slot while it is away,
// so that any of them may go and come back in any order; others are refused, for their slots would tell who came first.
// Cost: as many loads as there are slots to one that is up, on average.
class Dx : public Kind {
 public:
  static constexpr std::string_view name = "dx";
  static constexpr bool weighted = false;

  explicit Dx(const Members& members) : up_(std::bit_ceil(members.size()), kNoMember) {
    for (const Member& member : members) {
      up_[names_.size()] = static_cast<std::uint32_t>(names_.size());
      names_.push_back(member.name);
    }
  }

  std::uint32_t route(std::uint64_t hash) const {
    const auto slots = static_cast<std::uint32_t>(up_.size());
    std::uint32_t slot = scaled(hash, slots);
    for (std::uint32_t tries = 8 * slots; up_[slot] == kNoMember && tries > 0; --tries) {
      hash = next_hash(hash);
      slot = scaled(hash, slots);
    }
    while (up_[slot] == kNoMember) slot = (slot + 1) % slots;
    return up_[slot];
  }

  void check_add(const std::string& member) const {
    if (std::binary_search(names_.begin(), names_.end(), member)) return;
    throw std::invalid_argument("dx takes back the names it was made with, and '" + member + "' is none of them");
  }
  void add(const Members& members, std::size_t index) {
    for (std::uint32_t& member : up_) {
      if (member != kNoMember) member = with(member, index);
    }
    const auto slot = std::lower_bound(names_.begin(), names_.end(), members[index].name) - names_.begin();
    up_[static_cast<std::size_t>(slot)] = static_cast<std::uint32_t>(index);
  }
  void remove(const Members&, std::size_t index) {
    for (std::uint32_t& member : up_) {
      if (member != kNoMember) member = member == index ? kNoMember : without(member, index);
    }
  }

 private:
  std::vector<std::string> names_;  // by slot, those away too
  std::vector<std::uint32_t> up_;   // by slot: the member, if it is up
};

}  // namespace lbsuite::routers
