#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "placer/members.hpp"

namespace lbsuite {

// The object's number modulo the number of servers: balanced, and nearly every object moves when a server does.
class Modulo {
 public:
  static constexpr std::string_view name = "modulo";
  static constexpr bool takes_weights = false;

  std::vector<std::uint16_t> place(std::span<const std::uint32_t> objects, Members members) {
    std::vector<std::uint16_t> owners;
    owners.reserve(objects.size());
    for (std::size_t o = 0; o < objects.size(); ++o)
      owners.push_back(static_cast<std::uint16_t>(objects[o] % members.size()));
    return owners;
  }
};

}  // namespace lbsuite
