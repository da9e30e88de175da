#pragma once
// The answers to probes that prequal picks from, oldest first: one an endpoint, and a quantile of what was heard lately
// above which one is hot. Cost: one look at each. Allocates when it is made alone.

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <vector>

#include "policy/news.hpp"

namespace lbsuite {

struct Probe {
  ProbeAnswer answer;
  double at = 0;
  std::uint32_t uses = 0;
};

class ProbePool {
 public:
  explicit ProbePool(std::uint32_t most) : most_(most) { probes_.reserve(most); }

  auto begin() { return probes_.begin(); }
  auto end() { return probes_.end(); }
  std::size_t size() const { return probes_.size(); }
  void erase(std::vector<Probe>::iterator probe) { probes_.erase(probe); }

  // quantile: of the requests in flight that were heard lately, above which an endpoint is hot; of 1, none is.
  void add(const ProbeAnswer& answer, double now, double quantile) {
    drop(answer.place);
    if (probes_.size() == most_) probes_.erase(begin());
    probes_.push_back({answer, now});
    heard_[heard_count_++ % kWindow] = answer.tasks;
    auto sorted = heard_;
    const auto count = static_cast<std::ptrdiff_t>(std::min(heard_count_, kWindow));
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(quantile * static_cast<double>(count - 1));
    std::nth_element(sorted.begin(), at, sorted.begin() + count);
    hot_above_ = quantile < 1 ? *at : std::numeric_limits<std::uint32_t>::max();
  }

  void drop(Place place) {
    std::erase_if(probes_, [place](const Probe& probe) { return probe.answer.place == place; });
  }

  void forget_before(double then) {
    const auto kept = std::find_if(begin(), end(), [then](const Probe& probe) { return probe.at >= then; });
    probes_.erase(begin(), kept);
  }

  // Hot-cold lexicographic: the quickest of the cold, then the hot one with the fewest requests in flight.
  bool better(const Probe& a, const Probe& b) const { return badness(a) < badness(b); }

  // What one is compared by: the latency of the cold, the requests in flight of the hot.
  double figure(const Probe& probe) const { return std::get<1>(badness(probe)); }

  auto worst() {
    return std::max_element(begin(), end(), [this](const Probe& a, const Probe& b) { return better(a, b); });
  }

 private:
  std::tuple<bool, double, double> badness(const Probe& probe) const {
    const double tasks = probe.answer.tasks;
    const double latency_s = probe.answer.latency_s;
    return tasks > hot_above_ ? std::tuple(true, tasks, latency_s) : std::tuple(false, latency_s, tasks);
  }

  static constexpr std::size_t kWindow = 64;
  const std::uint32_t most_;
  std::vector<Probe> probes_;
  std::array<std::uint32_t, kWindow> heard_{};
  std::size_t heard_count_ = 0;
  std::uint32_t hot_above_ = 0;
};

}  // namespace lbsuite
