#pragma once
// The endpoints that are up and those that are not, apart, in two lists under a lock that pickers share. Serves
// round_robin only.
// Cost: a visit is the shared lock; one that comes up or goes down is moved from list to list; a join or leave copies
// them.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "roster/epochs.hpp"
#include "roster/view.hpp"

namespace lbsuite {

template <class Model>
class Split {
 public:
  static constexpr std::uint32_t batch = 1;

  template <class Visitor>
  auto visit(const Epochs::Reader&, Visitor&& visitor) const {
    std::shared_lock lock(lock_, std::defer_lock);
    if constexpr (Model::threaded) {
      if (writer_waits_.load(std::memory_order_relaxed)) const std::lock_guard behind_it(queue_);
      lock.lock();
    }
    return visitor(static_cast<const View<Model>&>(*view_));
  }

  // Writer only, from here on.
  static void list(View<Model>& view, Endpoint<Model>& endpoint) {
    (endpoint.up() ? view.up : view.down).push_back(&endpoint);
  }

  void publish(std::unique_ptr<View<Model>> view) {
    alone([&] { view_.swap(view); });
  }

  void turn(Endpoint<Model>& endpoint, bool anyone) {
    alone([&] {
      auto& from = endpoint.up() ? view_->down : view_->up;
      auto& to = endpoint.up() ? view_->up : view_->down;
      if (std::erase(from, &endpoint) == 1)
        to.insert(std::upper_bound(to.begin(), to.end(), &endpoint, before), &endpoint);
      view_->anyone.set(anyone);
    });
  }

 private:
  static bool before(const Endpoint<Model>* a, const Endpoint<Model>* b) { return goes_before(*a, *b); }

  // Pickers that never pause would share the lock for ever past a writer that waits for it (glibc prefers readers), so
  // they queue behind one that does.
  template <class Change>
  void alone(Change&& change) {
    if constexpr (Model::threaded) {
      const std::lock_guard first(queue_);
      writer_waits_.store(true, std::memory_order_relaxed);
      const std::lock_guard lock(lock_);
      writer_waits_.store(false, std::memory_order_relaxed);
      change();
    } else {
      change();
    }
  }

  mutable std::shared_mutex lock_;
  mutable std::mutex queue_;
  std::atomic<bool> writer_waits_{false};
  std::unique_ptr<View<Model>> view_ = std::make_unique<View<Model>>();
};

}  // namespace lbsuite
