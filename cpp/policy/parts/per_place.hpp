#pragma once
// What a policy or a stage keeps of each endpoint, by its place: forgotten where another endpoint has taken the place.
// Cost: one look-up. Allocates in `room` alone, which must have told of every place that is asked for.

#include <cstdint>
#include <vector>

#include "policy/news.hpp"

namespace lbsuite {

template <class State>
class PerPlace {
 public:
  void room(std::uint32_t places) {
    if (places > kept_.size()) kept_.resize(places);
  }

  State& operator[](Place place) {
    Kept& kept = kept_[place.index];
    if (kept.generation != place.generation) kept = {place.generation, State{}};
    return kept.state;
  }

 private:
  struct Kept {
    std::uint32_t generation = 0;  // of no endpoint: theirs begin with 1
    State state{};
  };
  std::vector<Kept> kept_;
};

}  // namespace lbsuite
