#pragma once
#include "placer/rendezvous.hpp"

namespace lbsuite::routers {

// 65,536 slots, each owned by the member that rendezvous gives the slot's number: what rendezvous promises, at the price
// of one load a key. Loads are as even as the slots: 4 % off with 100 members (standard deviation). Cost of a change: one
// or two scores a slot; of a new table: one a slot and member.
class Slots : public Kind {
 public:
  static constexpr std::string_view name = "slots";

  explicit Slots(const Members& members) : ranks_(members), owners_(kSlots) {
    for (std::uint64_t slot = 0; slot < kSlots; ++slot) owners_[slot] = first(slot);
  }

  std::uint32_t route(std::uint64_t hash) const { return owners_[hash >> 48]; }

  void add(const Members& members, std::size_t index) {
    ranks_.add(members, index);
    const auto fresh = static_cast<std::uint16_t>(index);
    for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
      const std::uint16_t owner = with(owners_[slot], index);
      owners_[slot] = ranks_.prefers(hash(slot), fresh, owner) ? fresh : owner;
    }
  }
  void remove(const Members& members, std::size_t index) {
    ranks_.remove(members, index);
    for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
      owners_[slot] = owners_[slot] == index ? first(slot) : without(owners_[slot], index);
    }
  }

 private:
  static constexpr std::uint64_t kSlots = 1 << 16;

  std::uint16_t first(std::uint64_t slot) const { return static_cast<std::uint16_t>(ranks_.route(hash(slot))); }

  Rendezvous ranks_;
  std::vector<std::uint16_t> owners_;  // by slot
};

}  // namespace lbsuite::routers
