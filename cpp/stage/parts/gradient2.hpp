#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "policy/news.hpp"
#include "stage/parts/limit_settings.hpp"

namespace lbsuite {

// A limit that shrinks as latencies rise above what they long were, and else grows by a small queue (Netflix
// concurrency-limits, Gradient2Limit.java, over the windows of WindowedLimit.java). A failure that came quickly, or whose
// latency nobody told, says nothing of how busy an endpoint is; but where nothing else ends, fewer are let in: there is
// nothing to lose. It shrinks to twice its queue at the least.
class Gradient2 {
 public:
  explicit Gradient2(const LimitSettings& settings) : limit_(settings.limit) {}

  std::uint32_t limit() const { return static_cast<std::uint32_t>(limit_); }

  // tasks: in flight before these ended.
  void ended(const Endings& endings, std::uint32_t tasks, double now, const LimitSettings& settings) {
    ended_ += endings.count;
    most_ = std::max(most_, tasks);
    if (endings.failed < endings.count || endings.latency_s > long_s_) {
      timed_ += endings.count;
      sum_s_ += endings.counted_s(0) * endings.count;
    }
    if (now < ends_at_ || ended_ < kLeastEnded) return;
    step(timed_ == 0 ? kLeastGradient : gradient(sum_s_ / timed_, settings), settings);
    ends_at_ = now + settings.window_s;
    sum_s_ = 0;
    ended_ = timed_ = most_ = 0;
  }

 private:
  static constexpr std::uint32_t kLeastEnded = 10;  // in a window
  static constexpr std::uint32_t kWarmUp = 10;      // windows of which the first long latency is the mean

  static constexpr double kLeastGradient = 0.5;

  double gradient(double short_s, const LimitSettings& settings) {
    if (short_s <= 0) return 1;
    windows_ = std::min(windows_ + 1, settings.long_windows + kWarmUp);
    const double part = windows_ <= kWarmUp ? 1.0 / windows_ : 2.0 / (settings.long_windows + 1.0);
    long_s_ += (short_s - long_s_) * part;
    const double ratio = long_s_ / short_s;
    if (ratio > 2) long_s_ *= 0.95;  // times are quick again after a long overload
    return std::clamp(settings.tolerance * ratio, kLeastGradient, 1.0);
  }

  void step(double gradient, const LimitSettings& settings) {
    if (most_ < limit_ / 2) return;  // its callers hold it back, not the limit
    limit_ += (limit_ * (gradient - 1) + settings.queue) * settings.smoothing;
    limit_ = std::clamp<double>(limit_, settings.least, settings.most);
  }

  double limit_;
  double long_s_ = 0;
  double sum_s_ = 0;
  double ends_at_ = -std::numeric_limits<double>::infinity();
  std::uint32_t windows_ = 0;
  std::uint32_t ended_ = 0;  // in this window,
  std::uint32_t timed_ = 0;  // those of them whose latency counts,
  std::uint32_t most_ = 0;   // and tasks in flight
};

}  // namespace lbsuite
