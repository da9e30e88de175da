// What does a pick and its end cost in one thread, for every policy, beside an uncontended atomic add and back?
// Prints a line "what ns" for each; what is a policy and the number of endpoints.

#include <cstdio>

#include "timing.hpp"

namespace lbsuite::bench {
namespace {

double ns_of_add_and_back() {
  alignas(64) std::atomic<std::int64_t> number = 0;
  return ns_per_turn(1, [&](int, long turns) {
    for (long i = 0; i < turns; ++i) {
      keep(number.fetch_add(1, std::memory_order_relaxed));
      keep(number.fetch_add(-1, std::memory_order_relaxed));
    }
  });
}

double ns_of_pick_and_done(const std::string& policy, int endpoints) {
  Engine<Shared> engine({.policy = parse_policy(policy)});
  join(engine, endpoints);
  double now = 0;
  return ns_per_turn(1, [&](int, long turns) {
    const Request request{.key = "key"};
    for (long i = 0; i < turns; ++i) {
      now += 1e-7;
      const Answer answer = engine.pick(request, now);
      if (const Pick* pick = std::get_if<Pick>(&answer)) engine.done(*pick, {1e-7, false}, now);
    }
  });
}

void show(const std::string& what, double ns) { std::printf("%s %.3f\n", what.c_str(), ns); }

}  // namespace
}  // namespace lbsuite::bench

int main() {
  using namespace lbsuite::bench;
  show("atomic_add_and_back", ns_of_add_and_back());
  for (const std::string& policy : lbsuite::policy_names()) show(policy + "/25", ns_of_pick_and_done(policy, 25));
  for (const char* policy : {"two_choices", "least_load:choices=all"}) {
    show(policy + std::string("/1000"), ns_of_pick_and_done(policy, 1000));
  }
}
