#pragma once
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "bits/cell.hpp"
#include "policy/request.hpp"
#include "stage/parts/learnt_limit.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// The whole service has no more tasks in flight than it is found to bear, and what matters less is shed earlier: a
// request of priority p is admitted while less than 1 - step x p of the limit is taken (criticality: Beyer et al., "Site
// Reliability Engineering", ch. 21; Netflix, "Keeping Netflix reliable using prioritized load shedding", 2020).
// With slots=1 the limit is the sum of the endpoints' limits where that is less, so that with many slots free nobody is
// shed, and with few the least important are.
//
// In flight is what the endpoints' loads tell, summed: admissions and changes of loads are added to a count that is taken
// anew with each view, and each second at that, as threads that pick beside it can make it go wrong by one each.
class TotalLimit {
 public:
  static constexpr std::string_view name = "total_limit";
  struct Settings : LimitSettings {
    Real step{0.1, 0, 1};
    Whole slots{0, 0, 1};
    template <class Visitor>
    void fields(Visitor&& visit) {
      LimitSettings::fields(visit);
      visit("step", step);
      visit("slots", slots);
    }
  };

  explicit TotalLimit(const Settings& settings) : settings_(settings), learnt_(settings), limit_(learnt_.get()) {}

  std::optional<NotReady> admit(const Request& request, double) {
    const double share = std::max(0.0, 1 - settings_.step * request.priority);
    if (static_cast<double>(tasks_.add(1)) < share * limit_.get()) return std::nullopt;
    tasks_.add(-1);
    return NotReady::shed;
  }
  void withdraw(const Request&, double) { tasks_.add(-1); }
  void counted(std::int32_t tasks) { tasks_.add(tasks); }

  template <class Model>
  void arrange(Members<Model> members, double now) {
    count(members, now);
  }

  template <class Model>
  bool review(Members<Model> members, double now) {
    if (now >= count_at_) count(members, now);
    return false;
  }

  template <class Model>
  double next_deadline(Members<Model>) const {
    return count_at_;
  }

  template <class Model>
  bool ended(Endpoint<Model>&, const Endings& endings, double now) {
    if (settings_.how() == LimitKind::fixed) return false;
    const std::lock_guard lock(busy_);
    const auto left = static_cast<std::uint32_t>(std::max<std::int64_t>(tasks_.get(), 0));
    learnt_.ended(endings, left + endings.count, now, settings_);
    show();
    return false;
  }

 private:
  static constexpr double kCountEvery_s = 1;

  template <class Model>
  void count(Members<Model> members, double now) {
    std::int64_t tasks = 0, slots = 0;
    bool bounded = !members.empty();
    for (const auto* member : members) {
      tasks += member->load.tasks();
      slots += member->load.limit();
      bounded &= member->load.limit() != 0;
    }
    tasks_.set(tasks);
    count_at_ = members.empty() ? kNever : now + kCountEvery_s;
    const std::lock_guard lock(busy_);
    slots_ = settings_.slots != 0 && bounded ? slots : kUnbounded;
    show();
  }

  void show() { limit_.set(static_cast<double>(std::min<std::int64_t>(learnt_.get(), slots_))); }

  static constexpr std::int64_t kUnbounded = std::int64_t{1} << 62;

  const Settings settings_;
  std::mutex busy_;
  LearntLimit learnt_;
  std::int64_t slots_ = kUnbounded;
  SharedCell<double> limit_;
  SharedCell<std::int64_t> tasks_{0};
  double count_at_ = kNever;
};

}  // namespace lbsuite
