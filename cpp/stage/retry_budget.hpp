#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bits/cell.hpp"
#include "policy/request.hpp"
#include "stage/stage.hpp"

namespace lbsuite {

// Retries pass while they are no more than a share of the requests and so many a second besides, as of the last 10 s
// (Finagle, RetryBudget.scala). Envoy's budget is a share of the tasks in flight instead; which of those are retries no
// report tells. Where many callers retry, each within a budget of its own, this holds for them all together.
// Cost: one compare-and-swap, and ten loads for a retry. Any thread.
class RetryBudget {
 public:
  static constexpr std::string_view name = "retry_budget";
  struct Settings : StageSettings {
    Real share{0.2, 0, 10};
    Real per_s{10, 0, 1e6};
    Real window_s{10, 0.1, 1e4};
    template <class Visitor>
    void fields(Visitor&& visit) {
      visit("share", share);
      visit("per_s", per_s);
      visit("window_s", window_s);
    }
  };

  explicit RetryBudget(const Settings& settings)
      : earned_(std::llround(kTry * settings.share)),
        reserve_(std::llround(kTry * settings.per_s * settings.window_s)),
        slice_s_(settings.window_s / kSlices) {}

  std::optional<NotReady> admit(const Request& request, double now) {
    change(worth(request), now);
    if (request.attempt == 0 || balance(now) >= 0) return std::nullopt;
    withdraw(request, now);
    return NotReady::over_budget;
  }
  void withdraw(const Request& request, double now) { change(-worth(request), now); }

 private:
  static constexpr std::int64_t kTry = 1000;  // so many units are one retry
  static constexpr std::uint32_t kSlices = 10;
  static constexpr int kBits = 40;

  std::int64_t worth(const Request& request) const { return request.attempt == 0 ? earned_ : -kTry; }

  // A slice of time and what it brought, in one word: 24 bits of its number above 40 of its units, which have a sign.
  std::uint64_t slice(double now) const {
    return static_cast<std::uint64_t>(std::llround(std::floor(std::clamp(now / slice_s_, -1e15, 1e15)))) & kNumbers;
  }
  static std::uint64_t number(std::uint64_t word) { return word >> kBits; }
  static std::int64_t units(std::uint64_t word) {
    return static_cast<std::int64_t>(word << (64 - kBits)) >> (64 - kBits);
  }
  static constexpr std::uint64_t kNumbers = (std::uint64_t{1} << (64 - kBits)) - 1;
  static constexpr std::uint64_t kUnits = (std::uint64_t{1} << kBits) - 1;

  void change(std::int64_t amount, double now) {
    const std::uint64_t current = slice(now);
    auto& cell = slices_[current % kSlices];
    std::uint64_t word = cell.get();
    std::uint64_t wanted = 0;
    do {
      const std::int64_t before = number(word) == current ? units(word) : 0;
      wanted = current << kBits | (static_cast<std::uint64_t>(before + amount) & kUnits);
    } while (!cell.swap(word, wanted));
  }

  std::int64_t balance(double now) const {
    const std::uint64_t current = slice(now);
    std::int64_t sum = reserve_;
    for (const auto& cell : slices_) {
      const std::uint64_t word = cell.get();
      if (((current - number(word)) & kNumbers) < kSlices) sum += units(word);
    }
    return sum;
  }

  const std::int64_t earned_;   // by a request
  const std::int64_t reserve_;  // that is always there
  const double slice_s_;
  std::array<SharedCell<std::uint64_t>, kSlices> slices_{};
};

}  // namespace lbsuite
