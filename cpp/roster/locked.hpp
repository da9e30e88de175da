#pragma once
// The endpoints that are up, under one lock for all: pickers take turns, and none runs beside the writer.
// Cost: a visit is the lock, and the wait for it; a change copies the list.

#include <cstdint>
#include <memory>
#include <mutex>

#include "roster/epochs.hpp"
#include "roster/view.hpp"

namespace lbsuite {

template <class Model>
class Locked {
 public:
  static constexpr std::uint32_t batch = 1;

  template <class Visitor>
  auto visit(const Epochs::Reader&, Visitor&& visitor) const {
    std::unique_lock lock(lock_, std::defer_lock);
    if constexpr (Model::threaded) lock.lock();
    return visitor(static_cast<const View<Model>&>(*view_));
  }

  // Writer only, from here on.
  static void list(View<Model>& view, Endpoint<Model>& endpoint) {
    if (endpoint.up()) view.up.push_back(&endpoint);
  }

  void publish(std::unique_ptr<View<Model>> view) {
    std::unique_lock lock(lock_, std::defer_lock);
    if constexpr (Model::threaded) lock.lock();
    view_.swap(view);  // what was there is freed after the lock
  }

 private:
  mutable std::mutex lock_;
  std::unique_ptr<View<Model>> view_ = std::make_unique<View<Model>>();
};

}  // namespace lbsuite
