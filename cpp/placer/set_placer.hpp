#pragma once
// Who owns which object as a function of the set of servers alone, whatever the order in which they came and went.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "placer/maglev_turns.hpp"
#include "placer/members.hpp"
#include "placer/modulo.hpp"
#include "placer/placement.hpp"
#include "placer/stable_matching.hpp"

namespace lbsuite {

// THE LIST of ways to place by the set alone; the first is the default.
using SetKind = std::variant<StableMatching, MaglevTurns, Modulo>;

std::vector<std::string> set_kinds();

class SetPlacer {
 public:
  static constexpr std::uint32_t kMostObjects = 4'096;

  // objects: each once, ascending. Throws std::invalid_argument for none, one of kMostObjects or more, or an unknown kind.
  SetPlacer(std::vector<std::uint32_t> objects, std::string_view kind);

  // Changes some servers, weight 0 for those that are gone, as Placement::apply does; any thread, one at a time.
  // `minimum`: the fewest moves from the placement before to any in balance.
  Delta apply(std::span<const Change> changes);

  // Calls use(objects, owners by place among the members, members) while nothing is applied.
  template <class Use>
  auto look(Use&& use) const {
    const std::lock_guard lock(applying_);
    return use(std::span<const std::uint32_t>(objects_), std::span<const std::uint16_t>(owners_), Members(members_));
  }
  // A function of objects, kind and members alone.
  std::uint64_t digest() const;
  std::string_view kind() const;

 private:
  std::vector<Member> changed(std::span<const Change> changes) const;
  std::uint32_t minimum(Members after) const;

  mutable std::mutex applying_;
  const std::vector<std::uint32_t> objects_;
  SetKind kind_;
  std::vector<Member> members_;
  std::vector<std::uint16_t> owners_;  // by place in objects_, the place in members_
};

}  // namespace lbsuite
