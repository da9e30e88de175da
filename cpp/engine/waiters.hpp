#pragma once
// Those who wait for a slot, in the order in which they are served. The engine's writer lock guards every call.
// Cost of coming and going: the logarithm of how many wait, and memory for each.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/request.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

// Who goes first: who came first; who can wait least; who is the most important, and of those who came first.
enum class QueueOrder : std::uint8_t { fifo, deadline, priority };
inline constexpr std::array<std::string_view, 3> kQueueOrders = {"fifo", "deadline", "priority"};

// A request that outlives its caller's call.
class Waiter {
 public:
  explicit Waiter(const Request& request)
      : key_(request.key),
        excluded_(request.exclude.begin(), request.exclude.end()),
        views_(excluded_.begin(), excluded_.end()),
        request_(request) {
    request_.key = key_;
    request_.exclude = views_;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  const Request& request() const { return request_; }

 private:
  const std::string key_;
  const std::vector<std::string> excluded_;
  const std::vector<std::string_view> views_;
  Request request_;
};

class Waiters {
  using Rank = std::pair<double, std::uint64_t>;

 public:
  explicit Waiters(QueueOrder order) : order_(order) {}

  bool empty() const { return ranks_.empty(); }
  std::size_t size() const { return ranks_.size(); }
  // When the first of them has waited in vain; kNever if nobody waits.
  double soonest_end() const { return ends_.empty() ? kNever : ends_.begin()->first; }

  void add(std::uint64_t number, const Request& request, double until) {
    double first = 0;
    if (order_ == QueueOrder::deadline) first = until;
    if (order_ == QueueOrder::priority) first = request.priority;
    in_order_.try_emplace({first, number}, request);
    ranks_.insert({number, {{first, number}, until}});
    ends_.insert({until, number});
  }

  // False if it is not there.
  bool remove(std::uint64_t number) {
    const auto found = ranks_.find(number);
    if (found == ranks_.end()) return false;
    in_order_.erase(found->second.first);
    ends_.erase({found->second.second, number});
    ranks_.erase(found);
    return true;
  }

  // Takes out one who has waited in vain, the longest overdue first.
  std::optional<std::uint64_t> take_overdue(double now) {
    if (now < soonest_end()) return std::nullopt;
    const std::uint64_t number = ends_.begin()->second;
    remove(number);
    return number;
  }

  // Calls serve(number, request) for each in turn, while somebody can be; whom it serves (true) is taken out.
  template <class Possible, class Serve>
  void serve(Possible&& possible, Serve&& serve) {
    for (auto next = in_order_.begin(); next != in_order_.end() && possible();) {
      const auto& [rank, waiter] = *next++;
      const std::uint64_t number = rank.second;
      if (serve(number, waiter.request())) remove(number);
    }
  }

 private:
  const QueueOrder order_;
  std::map<Rank, Waiter> in_order_;
  std::map<std::uint64_t, std::pair<Rank, double>> ranks_;  // by number, and until when each waits
  std::set<Rank> ends_;                                     // by when each has waited in vain
};

}  // namespace lbsuite
