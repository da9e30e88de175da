#pragma once
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "stage/parts/learnt_limit.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Each endpoint has no more tasks in flight than it is found to bear, nor than it tells. An end takes a short lock,
// unless the kind is fixed; a pick pays nothing.
class EndpointLimit {
 public:
  static constexpr std::string_view name = "endpoint_limit";
  struct Settings : LimitSettings {};

  explicit EndpointLimit(const Settings& settings) : settings_(settings) {}

  template <class Model>
  void arrange(Members<Model> members, double) {
    const std::lock_guard lock(busy_);
    for (auto* member : members) {
      if (member->index >= kept_.size()) kept_.resize(member->index + 1);
      Kept& kept = kept_[member->index];
      if (kept.generation == member->generation) continue;
      kept = {member->generation, LearntLimit(settings_)};
      member->load.learn_limit(kept.limit->get());
    }
  }

  template <class Model>
  bool ended(Endpoint<Model>& endpoint, const Endings& endings, double now) {
    if (settings_.how() == LimitKind::fixed) return false;
    const std::lock_guard lock(busy_);
    if (endpoint.index >= kept_.size()) return false;
    Kept& kept = kept_[endpoint.index];
    if (kept.generation != endpoint.generation) return false;  // it has left, and another has its place
    const auto left = static_cast<std::uint32_t>(std::max(endings.tasks, 0));
    kept.limit->ended(endings, left + endings.count, now, settings_);
    endpoint.load.learn_limit(kept.limit->get());
    return false;
  }

 private:
  struct Kept {
    std::uint32_t generation = 0;  // of no endpoint: theirs begin with 1
    std::optional<LearntLimit> limit;
  };

  const Settings settings_;
  std::mutex busy_;
  std::vector<Kept> kept_;
};

}  // namespace lbsuite
