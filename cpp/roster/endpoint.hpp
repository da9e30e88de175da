#pragma once
// One endpoint: who it is, what it said, how it stands, and its load. Names and standing are the writer's; pickers
// touch the load alone.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "bits/cell.hpp"
#include "bits/hash.hpp"
#include "roster/big_tasks.hpp"
#include "roster/load.hpp"
#include "roster/outcomes.hpp"
#include "roster/report.hpp"

namespace lbsuite {

enum class State : std::uint8_t { ready, full, unavailable, stale, draining, ejected, standby };
inline constexpr std::array<std::string_view, 7> kStates = {"ready",    "full",    "unavailable", "stale",
                                                            "draining", "ejected", "standby"};

inline constexpr double kNever = std::numeric_limits<double>::infinity();
inline constexpr std::uint64_t kUnordered = std::numeric_limits<std::uint64_t>::max();

template <class Model>
struct alignas(64) Endpoint {  // what a pick reads stands first, on one line of the cache
  Endpoint(std::string name, std::uint32_t place, std::uint32_t generation_, Accounting accounting)
      : index(place), generation(generation_), load(accounting), hash(Xxh64::hash(name, 0)), address(std::move(name)) {}

  const std::uint32_t index;
  const std::uint32_t generation;
  Load<Model> load;
  const std::uint64_t hash;  // of the address, the same on every machine
  const std::string address;

  Outcomes<Model> outcomes;
  BigTasks<Model> big_tasks;
  std::string zone;
  std::uint32_t tier = 0;
  std::uint64_t order = kUnordered;
  std::uint64_t arrival = 0;
  double lease_s = 0;
  double lease_until = kNever;
  double reported_at = -kNever;
  double interval_s = 0;
  double stale_at = kNever;
  Report last;
  bool drained = false;  // by the operator; `last.draining` is the endpoint's own wish
  bool lost = false;
  double back_at = -kNever;  // its connection stands again since
  bool stale = false;
  std::string_view ejected_by;  // the stage that believes it sick; empty: none
  std::string_view ejected_why;
  double ejected_until = kNever;
  std::uint32_t trial = 0;       // tasks at once for one that must first show that it is well; 0: it need not
  std::string_view standby_by;   // the stage that would rather have others serve
  bool relieved = false;         // others can carry what it would: it is no matter for panic
  bool revived = false;          // it serves, however sick it is believed
  std::uint32_t level = 0;       // those of a lower one go before
  double part = 1;               // of the picks, that begin with its level
  double warmth = 1;             // of its full share, what it may have now
  double pull = 1;               // what it weighs with policies that ignore weights
  std::array<double, 2> owed{};  // picks, by the shares of the last view

  bool alive() const { return !(stale || lost); }
  // Not meant to serve: it drains, or leaves it to others.
  bool idle() const { return drained || last.draining || !standby_by.empty(); }
  bool well() const { return alive() && ejected_by.empty(); }
  bool up() const { return (well() || revived) && standby_by.empty() && !drained && !last.draining && last.available; }
  // Up, or alive and only not available now: with such a one about, a pick that finds nobody finds all of them full.
  bool serves() const { return up() || ((well() || revived) && !last.available); }

  State state() const {
    if (!revived && (lost || !ejected_by.empty())) return State::ejected;
    if (drained || last.draining) return State::draining;
    if (stale && !revived) return State::stale;
    if (!last.available) return State::unavailable;
    if (!standby_by.empty()) return State::standby;
    return load.full() ? State::full : State::ready;
  }

  // A pick that no report has shown within this will not arrive.
  double horizon_s() const { return std::max(1.0, 2 * interval_s); }
};

// Those from etcd first, by (create revision, address), the same on every balancer; then by arrival.
template <class Model>
bool goes_before(const Endpoint<Model>& a, const Endpoint<Model>& b) {
  if (a.order != b.order) return a.order < b.order;
  if (a.order == kUnordered) return a.arrival < b.arrival;
  return a.address < b.address;
}

}  // namespace lbsuite
