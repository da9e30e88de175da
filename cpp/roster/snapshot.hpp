#pragma once
// The endpoints that are up, as an immutable view: pickers read it without a lock, the writer replaces it whole.
// Cost: a visit is two stores and a load; a change copies the list.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "roster/endpoint.hpp"
#include "roster/epochs.hpp"

namespace lbsuite {

// What a policy has worked out for one view; pickers read it, the view owns it.
struct Plan {
  virtual ~Plan() = default;
};

template <class Model>
struct View {
  std::vector<Endpoint<Model>*> up;                      // in the roster's order
  bool others_alive = false;                             // some are alive but say that they are not available
  std::vector<std::shared_ptr<Endpoint<Model>>> places;  // all there are, by index; empty where one has left
  std::uint64_t version = 0;                             // counts views, so that a policy sees a new one
  std::vector<std::unique_ptr<Plan>> plans;              // by policy; empty where one plans nothing
};

template <class Model>
class Snapshot {
 public:
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

  // Writer only.
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
