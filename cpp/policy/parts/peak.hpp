#pragma once
// A moving average of latencies that jumps to each peak and decays with time (Finagle, PeakEwma.scala).

#include <algorithm>
#include <cmath>

namespace lbsuite {

class Peak {
 public:
  bool known() const { return latency_s_ > 0; }
  double latency_s() const { return latency_s_; }  // when it was last observed
  double latency_s(double now, double decay_s) const { return kept(now, decay_s) * latency_s_; }

  void observe(double latency_s, double now, double decay_s) {
    const double kept = this->kept(now, decay_s);
    latency_s_ = std::max(latency_s, kept * latency_s_ + (1 - kept) * latency_s);
    at_ = now;
  }

 private:
  double kept(double now, double decay_s) const { return std::exp(-std::max(0.0, now - at_) / decay_s); }

  double latency_s_ = 0;
  double at_ = 0;
};

}  // namespace lbsuite
