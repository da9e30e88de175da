#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "engine/engine.hpp"
#include "policy/parts/maglev.hpp"

namespace lbsuite {
namespace {

std::string address(int i) { return "127.0.0.1:" + std::to_string(4000 + i); }

// Every policy, and those of their settings under which a pick goes another way.
std::vector<std::string> specs() {
  std::vector<std::string> specs = policy_names();
  specs.insert(specs.end(), {"weighted_round_robin:weights=reports,update_s=0.1,blackout_s=0", "hashed:bound=110",
                             "hashed:kind=maglev,bound=110", "pid_weights:update_s=0.1"});
  return specs;
}

class EverySetting : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Policies, EverySetting, testing::ValuesIn(specs()), [](const auto& test) {
  std::string name = test.param;
  for (char& letter : name) letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name;
});

// Endpoints come, grow heavier, report and leave in between; none of that may leave a pick with something to allocate.
TEST_P(EverySetting, AllocatesNothingOnAPickWhateverItHasHeard) {
  for (const Accounting accounting : {Accounting::done, Accounting::reported}) {
    Engine<Shared> engine({parse_policy(GetParam()), 7, Signal::tasks, accounting, {true, true}});
    engine.apply(Joined{address(0), 1, 0, "", kUnordered, 0}, 0);
    engine.apply(Pickers{3}, 0);
    engine.pick({}, 0);  // the first makes the lane's objects
    std::size_t allocated = 0;
    for (int step = 1; step < 300; ++step) {
      const double now = 0.05 * step;
      const std::string changing = address(step % 50);
      if (step % 7 == 0) engine.apply(Left{changing}, now);
      engine.apply(Joined{changing, 1 + static_cast<std::uint32_t>(step) % 3, 0, "", kUnordered, 0}, now);
      Report report;
      report.tasks = 1;
      report.finished = static_cast<std::uint64_t>(10 * step);
      report.utilization = 0.5;
      engine.apply(Reported{address(step % 5), report}, now);
      const std::string key = "user-" + std::to_string(step);
      const std::size_t before = allocations();
      for (int pick = 0; pick < 5; ++pick) engine.pick({.key = key, .cost = 2}, now);
      allocated += allocations() - before;
    }
    EXPECT_EQ(allocated, 0U);
  }
}

TEST(Maglev, SizesArePrimes) {
  const std::vector<std::uint32_t> primes = {2, 3, 5, 7, 65537, 655373, 5'000'011};
  for (const std::uint32_t prime : primes) EXPECT_TRUE(is_prime(prime)) << prime;
  const std::vector<std::uint32_t> others = {0, 1, 4, 9, 65535, 65536, 25 * 65537};
  for (const std::uint32_t other : others) EXPECT_FALSE(is_prime(other)) << other;
}

}  // namespace
}  // namespace lbsuite
