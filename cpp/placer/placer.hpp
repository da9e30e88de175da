#pragma once
// placer: who owns which object, the same answer on every server.
//   placer      by a log of batches: exact balance and no needless move (placement: how one batch turns into the next)
//   set_placer  by the set of servers alone, whatever the order in which they came and went
//   key_router  which member has a key, for the kinds of THE LIST in routers
//   ipv4, object_sets   servers' addresses; the objects of each
// Nothing here reads a clock or draws entropy. Depends on bits alone.

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "placer/placement.hpp"

namespace lbsuite {

// A placement that threads share: batches are applied one at a time, reads of the table never wait.
class Placer {
 public:
  Placer(std::uint32_t objects, std::uint32_t max_servers) : Placer(Placement(objects, max_servers)) {}
  explicit Placer(Placement placement);

  // As Placement::apply; afterwards the table shows it.
  Delta apply(std::uint64_t revision, std::span<const Change> changes);
  // What `apply` would do. Cost: a copy of all.
  Delta preview(std::uint64_t revision, std::span<const Change> changes) const;

  // By object; while a batch is applied, each object's old or new owner. Never waits.
  ServerId owner(std::uint32_t object) const { return table_[object].load(std::memory_order_relaxed); }
  std::span<const std::atomic<ServerId>> table() const { return {table_.get(), objects_}; }
  std::uint32_t objects() const { return objects_; }

  // Calls use(placement) while nothing is applied.
  template <class Use>
  auto look(Use&& use) const {
    const std::lock_guard lock(applying_);
    return use(placement_);
  }

 private:
  mutable std::mutex applying_;
  Placement placement_;
  const std::uint32_t objects_;
  const std::unique_ptr<std::atomic<ServerId>[]> table_;
};

}  // namespace lbsuite
