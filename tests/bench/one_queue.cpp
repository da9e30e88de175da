// M/M/c in virtual time over the engine: one queue in front of all slots beside Erlang C, and beside policies that
// choose a server at once. Words: tasks of each figure beside the formula, and of each cell of the table.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../cpp/erlang.hpp"

using namespace lbsuite;

namespace {

constexpr double kLoad = 0.9;

void beside_formula(int endpoints, int slots, std::uint64_t tasks) {
  const int servers = endpoints * slots;
  const auto measured = erlang::run({.endpoints = endpoints, .slots = slots, .load = kLoad, .tasks = tasks});
  const double waiting = erlang::erlang_c(servers, kLoad);
  const double wait = erlang::mean_wait(servers, kLoad);
  std::printf("%9d x %-5d %9.4f %9.4f %+7.2f %% %9.4f %9.4f %+7.2f %%\n", endpoints, slots, measured.waiting, waiting,
              100 * (measured.waiting / waiting - 1), measured.wait, wait, 100 * (measured.wait / wait - 1));
  std::fflush(stdout);
}

double mean_response(const std::string& policy, int endpoints, bool tickets, std::uint64_t tasks) {
  return erlang::run({policy, endpoints, 1, tickets, kLoad, tasks}).response;
}

void beside_policies(int endpoints, std::uint64_t tasks) {
  std::printf("%9d", endpoints);
  for (const char* policy : {"random", "round_robin", "two_choices", "least_load:choices=all"}) {
    std::printf(" %12.2f", mean_response(policy, endpoints, false, tasks));
  }
  std::printf(" %12.2f %12.2f\n", mean_response("least_load:choices=all", endpoints, true, tasks),
              1 + erlang::mean_wait(endpoints, kLoad));
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** words) {
  const std::uint64_t formula = count > 1 ? std::strtoull(words[1], nullptr, 10) : 50'000'000;
  const std::uint64_t cell = count > 2 ? std::strtoull(words[2], nullptr, 10) : 5'000'000;
  std::printf("load %.1f, %llu tasks\nendpoints x slots   P(wait)  Erlang C              mean wait  Erlang C\n", kLoad,
              static_cast<unsigned long long>(formula));
  for (const int servers : {10, 25}) {
    beside_formula(1, servers, formula);
    beside_formula(servers, 1, formula);
  }
  std::printf("\nmean time in the system at load %.1f, one slot each, %llu tasks\n", kLoad,
              static_cast<unsigned long long>(cell));
  std::printf("%9s %12s %12s %12s %12s %12s %12s\n", "endpoints", "random", "round_robin", "two_choices", "least_load",
              "queue", "Erlang C");
  for (const int endpoints : {10, 25}) beside_policies(endpoints, cell);
}
