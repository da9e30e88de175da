#pragma once
// THE LIST of stages, in the order in which they act: a new one is its own file and one line here.

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bits/check.hpp"
#include "bits/spec.hpp"
#include "stage/endpoint_limit.hpp"
#include "stage/max_age.hpp"
#include "stage/outlier_ejection.hpp"
#include "stage/panic.hpp"
#include "stage/prefer_zone.hpp"
#include "stage/retry_budget.hpp"
#include "stage/size_guard.hpp"
#include "stage/slow_start.hpp"
#include "stage/stage.hpp"
#include "stage/stale.hpp"
#include "stage/static_weights.hpp"
#include "stage/subset.hpp"
#include "stage/tiers.hpp"
#include "stage/total_limit.hpp"

namespace lbsuite {

using StageList = SpecList<Stale, Subset, OutlierEjection, Tiers, Panic, PreferZone, SlowStart, StaticWeights, MaxAge,
                           EndpointLimit, RetryBudget, TotalLimit, SizeGuard>;
using AnyStage = StageList::AnySettings;

inline std::vector<std::string> stage_names() { return StageList::names(); }
inline AnyStage parse_stage(std::string_view spec) { return read_spec<StageList>("stage", spec); }
inline std::string stage_spec(const AnyStage& settings) { return write_spec<StageList>(settings); }

// The stages of one engine. See stage.hpp for what each call means, and who may make it.
template <class Model>
class Stages {
 public:
  // Throws std::invalid_argument if one is told twice.
  explicit Stages(std::span<const AnyStage> chosen) : any_(!chosen.empty()) {
    for (const AnyStage& settings : chosen) {
      StageList::each([&]<class Stage>() {
        const auto* own = std::get_if<typename Stage::Settings>(&settings);
        if (own == nullptr) return;
        auto& stage = std::get<std::optional<Stage>>(stages_);
        check(!stage.has_value(), "stage told twice: " + std::string(Stage::name));
        stage.emplace(*own);
        admits_ |= requires(Request request) { stage->admit(request, 0.0); };
        if (requires { Stage::fixed_views; } && needs_fixed_views_.empty()) needs_fixed_views_ = Stage::name;
        levels_ |= requires { Stage::levels; };
        counts_ |= requires { stage->counted(0); };
        parts_slots_ |= requires(Request request) { stage->slot_share(request); };
        hears_ |= requires(Endpoint<Model> endpoint) { stage->ended(endpoint, Endings{}, 0.0); };
      });
    }
  }

  bool any() const { return any_; }
  bool admits() const { return admits_; }
  bool hears() const { return hears_; }
  bool parts_slots() const { return parts_slots_; }
  bool levels() const { return levels_; }
  // The first that needs a roster whose views stay as they are; empty: none.
  std::string_view needs_fixed_views() const { return needs_fixed_views_; }
  bool counts() const { return counts_; }

  void arrange(Members<Model> members, double now) {
    for (auto* member : members) {
      member->ejected_by = member->ejected_why = member->standby_by = {};
      member->revived = false;
      member->relieved = false;
      member->trial = 0;
      member->level = 0;
      member->part = member->warmth = member->pull = 1;
    }
    each([&](auto& stage) {
      if constexpr (requires { stage.arrange(members, now); }) stage.arrange(members, now);
    });
  }

  // An endpoint that reports now, and will within `interval_s`, is stale if it has not by then; 0: it tells of none.
  double stale_at(double now, double interval_s) const {
    return std::get<std::optional<Stale>>(stages_).value_or(Stale({})).stale_at(now, interval_s);
  }

  double until(std::uint64_t sequence, double now) const {
    const auto& age = std::get<std::optional<MaxAge>>(stages_);
    return age ? age->until(sequence, now) : kNever;
  }

  bool ended(Endpoint<Model>& endpoint, const Endings& endings, double now) {
    bool wanted = false;
    each([&](auto& stage) {
      if constexpr (requires { stage.ended(endpoint, endings, now); }) wanted |= stage.ended(endpoint, endings, now);
    });
    return wanted;
  }

  bool review(Members<Model> members, double now) {
    bool changed = false;
    each([&](auto& stage) {
      if constexpr (requires { stage.review(members, now); }) changed |= stage.review(members, now);
    });
    return changed;
  }

  double next_deadline(Members<Model> members) {
    double soonest = kNever;
    each([&](auto& stage) {
      if constexpr (requires { stage.next_deadline(members); })
        soonest = std::min(soonest, stage.next_deadline(members));
    });
    return soonest;
  }

  // The first refusal ends it; who admitted the request before is told that it goes no further.
  std::optional<NotReady> admit(const Request& request, double now) {
    std::optional<NotReady> refused;
    std::size_t asked = 0;
    each([&](auto& stage) {
      if constexpr (requires { stage.admit(request, now); }) {
        if (refused) return;
        refused = stage.admit(request, now);
        asked += !refused;
      }
    });
    if (refused) withdraw(request, now, asked);
    return refused;
  }

  void withdraw(const Request& request, double now) { withdraw(request, now, std::tuple_size_v<decltype(stages_)>); }

  void counted(std::int32_t tasks) {
    each([&](auto& stage) {
      if constexpr (requires { stage.counted(tasks); }) stage.counted(tasks);
    });
  }

  double slot_share(const Request& request) {
    double share = 1;
    each([&](auto& stage) {
      if constexpr (requires { stage.slot_share(request); }) share = std::min(share, stage.slot_share(request));
    });
    return share;
  }

  void picked(const Request& request) {
    each([&](auto& stage) {
      if constexpr (requires { stage.picked(request); }) stage.picked(request);
    });
  }

 private:
  template <class Call>
  void each(Call&& call) {
    std::apply([&](auto&... stage) { ((stage ? call(*stage) : void()), ...); }, stages_);
  }

  // Of those that admit, the first so many.
  void withdraw(const Request& request, double now, std::size_t admitted) {
    each([&](auto& stage) {
      if constexpr (requires { stage.admit(request, now); }) {
        if (admitted == 0) return;
        --admitted;
        if constexpr (requires { stage.withdraw(request, now); }) stage.withdraw(request, now);
      }
    });
  }

  template <class List>
  struct Held;
  template <class... Listed>
  struct Held<SpecList<Listed...>> {
    using Type = std::tuple<std::optional<Listed>...>;
  };

  const bool any_;
  bool admits_ = false;
  bool hears_ = false;
  bool parts_slots_ = false;
  bool levels_ = false;
  std::string_view needs_fixed_views_;
  bool counts_ = false;
  typename Held<StageList>::Type stages_;
};

}  // namespace lbsuite
