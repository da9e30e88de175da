#pragma once
// How a limit on tasks in flight comes about: told once, or learnt from how tasks end. Defaults are those of Netflix
// concurrency-limits.

#include <array>
#include <string_view>

#include "bits/check.hpp"
#include "bits/fields.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

enum class LimitKind : std::uint8_t { gradient2, aimd, fixed };
inline constexpr std::array<std::string_view, 3> kLimitKinds = {"gradient2", "aimd", "fixed"};

struct LimitSettings : StageSettings {
  OneOf kind{kLimitKinds};
  Whole limit{20, 1, 1'000'000};  // at first; fixed: for good
  Whole least{20, 1, 1'000'000};
  Whole most{200, 1, 1'000'000};
  Real timeout_s{5, 0.001, 1e6};          // aimd: later than this is as good as failed
  Real backoff{0.9, 0.5, 1};              // aimd: what a failure leaves of the limit
  Whole queue{4, 0, 1'000'000};           // gradient2: what the limit grows by while latencies stay low
  Real tolerance{1.5, 1, 100};            // gradient2: of latency over the long one that is no overload
  Real smoothing{0.2, 0.001, 1};          // gradient2: share of a step that is taken
  Whole long_windows{600, 1, 1'000'000};  // gradient2: that the long latency looks back
  Real window_s{1, 0.001, 1e6};           // gradient2: a step each, of at least 10 tasks
  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind);
    visit("limit", limit);
    visit("least", least);
    visit("most", most);
    visit("timeout_s", timeout_s);
    visit("backoff", backoff);
    visit("queue", queue);
    visit("tolerance", tolerance);
    visit("smoothing", smoothing);
    visit("long_windows", long_windows);
    visit("window_s", window_s);
  }

  LimitKind how() const { return static_cast<LimitKind>(kind.chosen()); }

  void check_whole() const {
    if (how() == LimitKind::fixed) return;
    check(least <= limit && limit <= most,
          [&] { return "a limit of " + limit.text() + " is not in least=" + least.text() + "..most=" + most.text(); });
  }
};

}  // namespace lbsuite
