#pragma once
// All endpoints in one list, each with a flag that shuts it: a picker whose ticket is for one that is down draws
// another. Serves round_robin only.
// Cost: a visit is two stores and a load; coming up or going down is finding the flag and a store; a join or leave copies
// the list.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "roster/snapshot.hpp"

namespace lbsuite {

template <class Model>
class Atomic {
 public:
  static constexpr std::uint32_t batch = 1;

  template <class Visitor>
  auto visit(const Epochs::Reader& reader, Visitor&& visitor) const {
    return all_.visit(reader, std::forward<Visitor>(visitor));
  }

  // Writer only, from here on.
  static void list(View<Model>& view, Endpoint<Model>& endpoint) { view.up.push_back(&endpoint); }

  void publish(std::unique_ptr<View<Model>> view) {
    view->shut = std::make_unique<typename Model::template Cell<bool>[]>(view->up.size());
    for (std::size_t i = 0; i < view->up.size(); ++i) view->shut[i].set(!view->up[i]->up());
    all_.publish(std::move(view));
  }

  void turn(Endpoint<Model>& endpoint, bool anyone) {
    View<Model>& view = all_.current();
    view.shut[std::find(view.up.begin(), view.up.end(), &endpoint) - view.up.begin()].set(!endpoint.up());
    view.anyone.set(anyone);
    // Whoever sees a later turn's flag also sees that this one has been.
    view.turns.fetch_add(1, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_release);
  }

 private:
  Snapshot<Model> all_;
};

}  // namespace lbsuite
