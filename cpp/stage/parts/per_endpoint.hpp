#pragma once
// What a stage keeps of each endpoint: forgotten with it. Under the engine's writer lock, so it makes room as it goes.

#include "policy/parts/per_place.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

template <class State>
class PerEndpoint {
 public:
  template <class Model>
  State& operator()(const Endpoint<Model>& endpoint) {
    kept_.room(endpoint.index + 1);
    return kept_[{endpoint.index, endpoint.generation}];
  }

 private:
  PerPlace<State> kept_;
};

}  // namespace lbsuite
