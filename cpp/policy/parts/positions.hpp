#pragma once
// Where among the candidates a place is: the plan of policies that keep endpoints from one pick to the next.
// Cost: one look-up; O(endpoints) a change of who is up.

#include <cstdint>
#include <vector>

#include "policy/policy.hpp"

namespace lbsuite {

class Positions {
 public:
  template <class Settings, class Candidates>
  Positions(const Settings&, const Candidates& candidates) {
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
      const std::uint32_t index = candidates.place(i).index;
      if (index >= positions_.size()) positions_.resize(index + 1, kNobody);
      positions_[index] = i;
    }
  }

  // kNobody if it is not up.
  template <class Candidates>
  std::uint32_t of(Place place, const Candidates& candidates) const {
    const std::uint32_t i = place.index < positions_.size() ? positions_[place.index] : kNobody;
    return i != kNobody && candidates.place(i) == place ? i : kNobody;
  }

 private:
  std::vector<std::uint32_t> positions_;
};

}  // namespace lbsuite
