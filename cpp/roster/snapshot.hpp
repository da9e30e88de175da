#pragma once
// The endpoints that are up, as an immutable view: pickers read it without a lock, the writer replaces it whole.
// Cost: a visit is two stores and a load; a change copies the list.

#include <atomic>
#include <cstdint>
#include <memory>

#include "roster/epochs.hpp"
#include "roster/view.hpp"

namespace lbsuite {

template <class Model>
class Snapshot {
 public:
  static constexpr std::uint32_t batch = 64;

  Snapshot() : view_(new View<Model>) {}
  ~Snapshot() { delete view_.load(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  template <class Visitor>
  auto visit(const Epochs::Reader& reader, Visitor&& visitor) const {
    if constexpr (Model::threaded) {
      const Epochs::Guard guard(reader);
      return visitor(static_cast<const View<Model>&>(*view_.load(std::memory_order_acquire)));
    } else {
      return visitor(static_cast<const View<Model>&>(*view_.load(std::memory_order_relaxed)));
    }
  }

  // Writer only, from here on.
  static void list(View<Model>& view, Endpoint<Model>& endpoint) {
    if (endpoint.up()) view.up.push_back(&endpoint);
  }

  View<Model>& current() { return *view_.load(std::memory_order_relaxed); }

  void publish(std::unique_ptr<View<Model>> view) {
    View<Model>* before = view_.exchange(view.release(), std::memory_order_acq_rel);
    if constexpr (Model::threaded) {
      epochs_.retire([before] { delete before; });
    } else {
      delete before;
    }
  }

 private:
  std::atomic<View<Model>*> view_;
  Epochs epochs_;
};

}  // namespace lbsuite
