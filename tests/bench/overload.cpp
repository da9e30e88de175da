// What do callers get of a fleet that is asked for three times what it can serve, and for less after? In virtual time.

#include "../cpp/overload.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace lbsuite::overload {
namespace {

using Stages = std::vector<std::string>;

const std::vector<std::pair<const char*, Stages>> kChoices = {
    {"none", {}},
    {"retry_budget alone", {"retry_budget"}},
    {"fixed, 20 each", {"endpoint_limit:kind=fixed,limit=20"}},
    {"fixed, 200 each", {"endpoint_limit:kind=fixed,limit=200"}},
    {"aimd", {"endpoint_limit:kind=aimd"}},
    {"aimd, 0.5 s", {"endpoint_limit:kind=aimd,timeout_s=0.5"}},
    {"gradient2", {"endpoint_limit:kind=gradient2"}},
    {"gradient2, from 200", {"endpoint_limit:kind=gradient2,limit=200,least=1,window_s=0.1"}},
    {"total aimd, 0.5 s", {"total_limit:kind=aimd,limit=200,least=20,most=2000,timeout_s=0.5"}},
    {"total gradient2", {"total_limit:kind=gradient2,limit=200,least=20,most=2000,queue=40"}},
};

void table(const char* title, Scene scene) {
  constexpr std::size_t kBefore = 8, kFrom = 10, kTo = 20, kWell = 25, kEnd = 40;
  std::printf("\n%s\n%-20s", title, "limit, at second");
  for (std::size_t s = kBefore; s < kEnd; ++s) std::printf("%4zu", s);
  std::puts("  during   after");
  for (const auto& [name, stages] : kChoices) {
    scene.stages = stages;
    const Told told = run(scene);
    const double during = goodput(told, kFrom, kTo), after = goodput(told, kWell, kEnd);
    std::printf("%-20s", name);
    for (std::size_t s = kBefore; s < kEnd; ++s) std::printf("%4.0f", 100 * told.answered[s] / told.capacity);
    std::printf(" %6.1f%% %6.1f%%  %s\n", 100 * during, 100 * after,
                during >= 0.8 && after >= 0.95 ? "holds" : "MISSED");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace lbsuite::overload

int main() {
  using namespace lbsuite;
  std::puts(
      "10 endpoints of 4 slots; callers give up after 1 s, and try three times; load 0.8, from 10 s on 3, from 20 s on "
      "0.8.");
  std::puts(
      "Answers in time, in % of what all can serve. `during` is to be 80 % of that, `after`, from 25 s on, 95 % of "
      "what is asked.");
  overload::table("endpoints that work on for callers who have given up", {});
  overload::table("endpoints that drop what was given up", {.cancels = true});
  overload::table("the same, and the engine learns of outcomes by reports",
                  {.accounting = Accounting::reported, .cancels = true});
}
