#pragma once
#include <algorithm>
#include <cstdint>

#include "policy/news.hpp"
#include "roster/report.hpp"

namespace lbsuite {

// Our tasks that ended at an endpoint between two of its reports.
inline Endings endings_between(Report before, const Report& after, Place place, std::int32_t tasks) {
  if (after.own_finished < before.own_finished || after.own_latency_s < before.own_latency_s) before = {};
  const std::uint64_t ended = std::min<std::uint64_t>(after.own_finished - before.own_finished, 0xFFFF'FFFF);
  const std::uint64_t failed = std::min(ended, after.own_failed - std::min(before.own_failed, after.own_failed));
  const double latency_s = ended == 0 ? 0 : (after.own_latency_s - before.own_latency_s) / static_cast<double>(ended);
  const std::uint64_t refused = std::min(failed, after.own_refused - std::min(before.own_refused, after.own_refused));
  return {place, static_cast<std::uint32_t>(ended),  static_cast<std::uint32_t>(failed), latency_s,
          tasks, static_cast<std::uint32_t>(refused)};
}

}  // namespace lbsuite
