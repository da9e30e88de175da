#include "placer/placer.hpp"

#include <utility>

namespace lbsuite {

Placer::Placer(Placement placement)
    : placement_(std::move(placement)),
      objects_(static_cast<std::uint32_t>(placement_.owners().size())),
      table_(new std::atomic<ServerId>[objects_]) {
  for (std::uint32_t object = 0; object < objects_; ++object) table_[object] = placement_.owners()[object];
}

Delta Placer::apply(std::uint64_t revision, std::span<const Change> changes) {
  const std::lock_guard lock(applying_);
  Delta delta = placement_.apply(revision, changes);
  for (const Move& move : delta.moves) {
    table_[move.object].store(placement_.owners()[move.object], std::memory_order_relaxed);
  }
  return delta;
}

Delta Placer::preview(std::uint64_t revision, std::span<const Change> changes) const {
  Placement copy = look([](const Placement& placement) { return placement; });
  return copy.apply(revision, changes);
}

}  // namespace lbsuite
