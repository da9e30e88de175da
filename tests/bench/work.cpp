// What is it worth to know what tasks cost, where sizes differ? In virtual time; times are in mean services.
// Usage: work [TASKS a cell]. The first tenth of a run is not measured.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tuple>

#include "../cpp/driver.hpp"

namespace lbsuite::driver {
namespace {

using Size = std::function<double(Rng&)>;

template <class Distribution>
Size drawn(Distribution distribution) {
  return [distribution](Rng& rng) { return distribution.draw(rng); };
}

double mixed(Rng& rng) { return (rng.below(100) == 0 ? 1000 : 1) * Exponential().draw(rng) / 10.99; }

void show(const Scene& scene) {
  const Measured found = run(scene);
  std::printf(" %7.2f /%7.1f", found.mean, found.p99);
  std::fflush(stdout);
}

void costs(int tasks) {
  const std::tuple<const char*, Size> sizes[] = {{"exponential", drawn(Exponential())},
                                                 {"lognormal, sigma 2", drawn(Lognormal(2))},
                                                 {"pareto, alpha 2.1", drawn(Pareto(2.1))},
                                                 {"pareto, alpha 1.5", drawn(Pareto(1.5))},
                                                 {"1 in 100 is 1000 x", mixed}};
  std::puts("25 endpoints of one slot, load 0.8, one picker; mean / p99");
  std::printf("%-20s %-22s %17s %17s\n", "sizes", "policy", "by tasks", "by work");
  for (const auto& [name, size] : sizes) {
    for (const auto& [policy, accounting] : {std::tuple{"least_load:choices=all", Accounting::done},
                                             {"two_choices", Accounting::done},
                                             {"least_load:choices=all", Accounting::reported}}) {
      const char* how = accounting == Accounting::done ? "" : ", told by reports";
      std::printf("%-20s %-22s", name, (std::string(policy).substr(0, 11) + how).c_str());
      for (const double cost : {0.0, 1000.0}) {
        show({.policy = policy,
              .endpoints = 25,
              .load = 0.8,
              .accounting = accounting,
              .size = size,
              .cost = cost,
              .tasks = tasks});
      }
      std::puts("");
    }
  }
}

void guard(double load, int tasks) {
  std::printf("\n3 endpoints of 4 slots that refuse more, load %.1f, 1 task in 100 is 1000 x; mean / p99\n", load);
  std::printf("%-22s %17s %12s %12s\n", "stage", "all", "p99 of small", "refused");
  for (const char* stage : {"", "size_guard:share=0.5", "size_guard:share=0.75"}) {
    Scene scene{.endpoints = 3,
                .load = load,
                .slots = 4,
                .limit = 4,
                .accounting = Accounting::done,
                .size = mixed,
                .cost = 1000,
                .small = 1,
                .tasks = tasks};
    if (*stage != 0) scene.stages = {parse_stage(stage)};
    const Measured found = run(scene);
    std::printf("%-22s %7.2f /%7.1f %12.2f %10.1f %%\n", *stage == 0 ? "none" : stage, found.mean, found.p99,
                found.small_p99, 100 * found.refused);
  }
}

}  // namespace
}  // namespace lbsuite::driver

int main(int count, char** words) {
  const int tasks = count > 1 ? std::atoi(words[1]) : 400'000;
  lbsuite::driver::costs(tasks);
  lbsuite::driver::guard(0.5, tasks / 4);
  lbsuite::driver::guard(0.7, tasks / 4);
}
