#pragma once
// The big tasks at one endpoint, where they may hold a share of its slots only. Any thread may take and end; nothing
// waits or fails, and no moment sees more than fit.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "bits/cell.hpp"

namespace lbsuite {

template <class Model>
class BigTasks {
 public:
  // share: of `limit` slots, though always one; a limit of 0 bounds nothing.
  bool room(double share, std::int32_t limit) const { return big_.get() < most(share, limit); }

  // Counts one; false, and nothing counted, if there is no room.
  bool take(double share, std::int32_t limit) {
    std::int32_t big = big_.get();
    do {
      if (big >= most(share, limit)) return false;
    } while (!big_.swap(big, big + 1));
    return true;
  }
  void end() { big_.add(-1); }

  std::int32_t count() const { return big_.get(); }

 private:
  static std::int32_t most(double share, std::int32_t limit) {
    if (limit == 0) return std::numeric_limits<std::int32_t>::max();
    return std::max(1, static_cast<std::int32_t>(share * limit));
  }

  typename Model::template Cell<std::int32_t> big_{0};
};

}  // namespace lbsuite
