#pragma once
#include <algorithm>
#include <cstdint>

#include "policy/news.hpp"
#include "stage/parts/limit_settings.hpp"

namespace lbsuite {

// A limit that grows by one for each task that ends well while at least half of it is used, and shrinks by a share where
// one fails or takes too long (Netflix concurrency-limits, AIMDLimit.java; Chiu and Jain, 1989). What a report tells of
// together is one occasion to shrink.
class Aimd {
 public:
  explicit Aimd(const LimitSettings& settings) : limit_(settings.limit) {}

  std::uint32_t limit() const { return limit_; }

  // tasks: in flight before these ended.
  void ended(const Endings& endings, std::uint32_t tasks, double, const LimitSettings& settings) {
    if (endings.failed > 0 || endings.latency_s > settings.timeout_s) {
      limit_ = static_cast<std::uint32_t>(limit_ * settings.backoff);
    } else if (2 * tasks >= limit_) {
      limit_ = std::min(limit_ + endings.count, 2 * tasks + 1);
    }
    limit_ = std::clamp<std::uint32_t>(limit_, settings.least, settings.most);
  }

 private:
  std::uint32_t limit_;
};

}  // namespace lbsuite
