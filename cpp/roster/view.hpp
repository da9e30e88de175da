#pragma once
// What pickers see of a roster. Which parts change in place, and under what, is each kind's own matter.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "roster/endpoint.hpp"
#include "roster/shares.hpp"

namespace lbsuite {

// What a policy has worked out for one view; pickers read it, the view owns it.
struct Plan {
  virtual ~Plan() = default;
};

template <class Model>
struct View {
  bool simple = true;                  // a pick is one look at all who are up: no level beyond, nobody held to a share
  std::vector<Endpoint<Model>*> up;    // in the roster's order; on `atomic` all, whether up or not
  std::vector<Endpoint<Model>*> down;  // on `split` the others, in the same order
  typename Model::template Cell<bool> anyone{false};   // some are there that serve, be it not now
  std::vector<Endpoint<Model>*> places;                // all there are, by index; nullptr where one has left
  std::vector<std::unique_ptr<Endpoint<Model>>> left;  // the writer's: those that the next view no longer shows
  std::uint64_t version = 0;                           // counts views, so that a policy sees a new one
  std::vector<std::unique_ptr<Plan>> plans;            // by policy; empty where one plans nothing
  std::uint32_t batch = 1;                             // tickets that a lane draws at once
  std::unique_ptr<typename Model::template Cell<bool>[]> shut;  // on `atomic`, beside `up`: which of them are down
  std::atomic<std::uint64_t> turns{0};                          // so often has `shut` changed

  std::array<std::unique_ptr<Shares<Model>>, 2> shares;  // for policies that ignore weights, and the others
  std::unique_ptr<View> beyond;                          // the next level: who serves where nobody here is ready
  std::uint32_t level = 0;                               // so many levels go before
  double part = 1;                                       // of the picks, that begin with this level

  // The turns there have been after all that the caller has read before.
  std::uint64_t turns_by_now() const {
    std::atomic_thread_fence(std::memory_order_acquire);
    return turns.load(std::memory_order_acquire);
  }
};

}  // namespace lbsuite
