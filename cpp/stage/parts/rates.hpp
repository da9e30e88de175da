#pragma once
// Who fails where others do not, by what has ended at each in one interval: two of the rules of gRPC A50 and Envoy
// (outlier_detection.proto). Endpoints at which too little has ended are neither judged nor counted.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace lbsuite {

struct Rate {
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;

  double success() const { return 1 - static_cast<double>(failed) / static_cast<double>(ended); }
};

// How much must be known before anyone is judged.
struct Enough {
  std::uint32_t endpoints;
  std::uint32_t requests;

  bool at(const Rate& rate) const { return rate.ended > 0 && rate.ended >= requests; }
  bool of(std::span<const Rate> rates) const {
    return std::count_if(rates.begin(), rates.end(), [this](const Rate& rate) { return at(rate); }) >= endpoints;
  }
};

// Below this success rate one stands out: so many standard deviations below the mean of all. Nobody does where too
// little is known.
inline double least_success(std::span<const Rate> rates, const Enough& enough, double deviations) {
  if (!enough.of(rates)) return -std::numeric_limits<double>::infinity();
  double count = 0, sum = 0, squares = 0;
  for (const Rate& rate : rates) {
    if (!enough.at(rate)) continue;
    ++count;
    sum += rate.success();
  }
  const double mean = sum / count;
  for (const Rate& rate : rates) {
    if (enough.at(rate)) squares += (rate.success() - mean) * (rate.success() - mean);
  }
  return mean - deviations * std::sqrt(squares / count);
}

}  // namespace lbsuite
