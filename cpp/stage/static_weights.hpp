#pragma once
#include <string_view>

#include "stage/stage.hpp"

namespace lbsuite {

// Picks go by the weights that endpoints joined with, also where the policy ignores them. One that goes by weights
// itself, as turns, keys or load, is left to its own way: they would count twice.
class StaticWeights {
 public:
  static constexpr std::string_view name = "static_weights";
  static constexpr bool fixed_views = true;
  struct Settings : StageSettings {};

  explicit StaticWeights(const Settings&) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    for (auto* member : members) member->pull = member->load.weight();
  }
};

}  // namespace lbsuite
