#pragma once
// THE LIST of kinds of key routers: a new one is its own file and one line here.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "placer/anchor.hpp"
#include "placer/dx.hpp"
#include "placer/jump.hpp"
#include "placer/maglev.hpp"
#include "placer/rendezvous.hpp"
#include "placer/ring.hpp"
#include "placer/slots.hpp"

namespace lbsuite::routers {

using AnyKind = std::variant<Slots, Jump, Rendezvous, Ring, Maglev, Dx, Anchor>;

std::vector<std::string> names();

// What is true of a kind, by its name; throws std::invalid_argument if there is none of that name.
struct Traits {
  std::string_view name;
  bool weighted;
  bool sorted;
  bool logged;
  bool roomy;  // has a capacity
};
Traits traits(std::string_view name);

// There must be a kind of that name; `capacity` is for the roomy.
AnyKind make(std::string_view name, const Members& members, std::uint32_t capacity);

}  // namespace lbsuite::routers
