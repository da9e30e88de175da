#include "placer/maglev_turns.hpp"

#include "bits/hash.hpp"

namespace lbsuite {

std::vector<std::uint16_t> MaglevTurns::place(std::span<const std::uint32_t> objects, Members members) {
  const auto size = static_cast<std::uint32_t>(objects.size());
  constexpr std::uint16_t kFree = 0xFFFF;
  struct Turn {
    std::uint32_t next;
    std::uint32_t skip;  // has no factor in common with the number of objects, so that it reaches all
  };
  std::vector<Turn> turns;
  for (const Member& member : members) {
    const std::string address = spell_ipv4(member.server);
    auto skip = static_cast<std::uint32_t>(1 + Xxh64::hash(address, 1) % size);
    while (std::gcd(skip, size) != 1) ++skip;
    turns.push_back({static_cast<std::uint32_t>(Xxh64::hash(address, 0) % size), skip % size});
  }
  std::vector<std::uint16_t> owners(size, kFree);
  for (std::uint32_t claimed = 0; claimed < size; ++claimed) {
    auto& [next, skip] = turns[claimed % turns.size()];
    while (owners[next] != kFree) next = (next + skip) % size;
    owners[next] = static_cast<std::uint16_t>(claimed % turns.size());
  }
  return owners;
}

}  // namespace lbsuite
