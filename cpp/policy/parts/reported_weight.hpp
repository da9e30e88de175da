#pragma once
// The weight that an endpoint earns by its reports, as gRPC has it (gRFC A58; A114 for the order of measures): qps /
// (utilization + eps / qps x penalty), over at least update_s in which something finished. It counts once such reports
// have come for blackout_s, anew after time away, and until none has come for expiry_s. Cost: a few divisions.

#include <algorithm>
#include <cstdint>
#include <limits>

#include "policy/parts/usage.hpp"

namespace lbsuite {

class ReportedWeight {
 public:
  template <class Report, class Settings>
  void reported(const Report& report, double now, const Settings& settings) {
    if (window_.stale(report)) return window_.begin(report, now);
    if (window_.length_s(now) < settings.update_s) return;
    const Usage usage = window_.measure(report, now);
    if (usage.qps == 0 || usage.utilization == 0) return;
    weight_ = usage.qps / (usage.utilization + usage.eps / usage.qps * settings.penalty);
    updated_ = now;
    since_ = std::min(since_, now);
    window_.begin(report, now);
  }

  // 0: it does not count. Looks are numbered from 1; one left out tells that the endpoint was away.
  template <class Settings>
  double value(std::uint64_t look, double now, const Settings& settings) {
    const bool away = looked_at_ != 0 && looked_at_ + 1 < look;
    const bool expired = now - updated_ >= settings.expiry_s;
    looked_at_ = look;
    if (away || expired) since_ = kNot;
    const bool new_here = settings.blackout_s > 0 && now - since_ < settings.blackout_s;
    return expired || new_here ? 0 : weight_;
  }

 private:
  static constexpr double kNot = std::numeric_limits<double>::infinity();
  UsageWindow window_;
  double weight_ = 0;
  double updated_ = -kNot;
  double since_ = kNot;
  std::uint64_t looked_at_ = 0;
};

}  // namespace lbsuite
