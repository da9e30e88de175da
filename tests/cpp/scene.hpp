#pragma once
// What a fleet in virtual time is like, and what came of it. Times are in mean services, unless they end in _s.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bits/distribution.hpp"
#include "engine/engine.hpp"

namespace lbsuite::driver {

// What a balancer makes of reports; the last two are what dead reckoning is compared to.
enum class Estimate { dead_reckoned, own_picks, as_reported };

struct Scene {
  std::string policy = "least_load:choices=all";
  Estimate estimate = Estimate::dead_reckoned;
  int endpoints = 100;
  int balancers = 1;
  double load = 0.9;                // arrivals over what all endpoints can serve
  double report_every = 1;          // +-20 %
  bool tokens = true;               // reports tell how many picks of each balancer have begun
  int slots = 1;                    // tasks that an endpoint serves at once; others wait there
  std::vector<double> speeds = {};  // of the first endpoints; all others have 1
  std::uint32_t limit = 0;          // tasks that an endpoint takes, waiting ones too; more are refused. 0: none
  int callers = 0;                  // 0: tasks arrive at random; else each of so many sends one when its last has ended
  double service_s = 1;
  double prompt_s = 0;  // above 0: changes are reported too, those within this together
  double way_s = 0;     // of a task, and of a report
  Accounting accounting = Accounting::reported;
  std::function<double(Rng&)> size = [](Rng& rng) { return Exponential().draw(rng); };  // of a task, in mean services
  double cost = 0;   // of a size of 1; 0: a balancer is not told what tasks cost
  double small = 0;  // the size up to which tasks are measured apart
  std::vector<AnyStage> stages = {};
  int tasks = 100'000;  // the first tenth is not measured
  std::uint64_t seed = 7;
};

struct Measured {
  double mean = 0;  // time in the system
  double p99 = 0;
  double small_p99 = 0;
  double refused = 0;  // share of picks that found no slot
};

}  // namespace lbsuite::driver
