#include "placer/members.hpp"

namespace lbsuite {

Quotas::Quotas(std::uint32_t objects, Members members) : extra(objects) {
  std::uint64_t total = 0;
  for (const Member& member : members) total += member.weight;
  for (const Member& member : members) {
    const std::uint64_t exact = std::uint64_t{objects} * member.weight;
    floors.push_back(static_cast<std::uint32_t>(exact / total));
    whole.push_back(exact % total == 0);
    extra -= floors.back();
  }
}

}  // namespace lbsuite
