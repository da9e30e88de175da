#include "erlang.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace lbsuite {
namespace {

// The waits of the same callers by the recursion of Kiefer and Wolfowitz (1955): each takes the server free first.
std::vector<double> waits_by_recursion(const erlang::Scene& scene) {
  erlang::Callers callers(scene);
  std::vector<double> free_at(static_cast<std::size_t>(scene.endpoints * scene.slots), 0.0);
  std::vector<double> waits;
  while (waits.size() < scene.tasks) {
    const auto caller = callers.next();
    const auto first = std::min_element(free_at.begin(), free_at.end());
    waits.push_back(std::max(0.0, *first - caller.at));
    *first = std::max(*first, caller.at) + caller.service;
  }
  return waits;
}

class OneQueue : public testing::TestWithParam<std::pair<int, int>> {};
INSTANTIATE_TEST_SUITE_P(Shapes, OneQueue,
                         testing::Values(std::pair(1, 10), std::pair(10, 1), std::pair(1, 25), std::pair(25, 1),
                                         std::pair(5, 5)));

TEST_P(OneQueue, LetsEachCallerWaitAsLongAsTheoryHasItWait) {
  for (const char* policy : {"least_load:choices=all", "round_robin", "random"}) {
    const erlang::Scene scene{policy, GetParam().first, GetParam().second, true, 0.9, 100'000};
    erlang::Shop shop(scene);
    std::vector<double> waits;
    shop.run([&](double wait, double) { waits.push_back(wait); });
    const auto expected = waits_by_recursion(scene);
    ASSERT_EQ(waits.size(), expected.size());
    for (std::size_t i = 0; i < waits.size(); ++i)
      ASSERT_NEAR(waits[i], expected[i], 1e-6) << policy << ", caller " << i;
    EXPECT_EQ(shop.most_at_once(), scene.slots);
  }
}

// 2,000,000 tasks: at load .9 the mean wait of so many has a standard error of about 2 %, measured over 20 seeds.
TEST(OneQueue, ComesOutAtErlangC) {
  for (const int servers : {10, 25}) {
    const auto measured = erlang::run({.endpoints = servers, .tasks = 2'000'000});
    EXPECT_NEAR(measured.waiting / erlang::erlang_c(servers, 0.9), 1, 0.02) << servers;
    EXPECT_NEAR(measured.wait / erlang::mean_wait(servers, 0.9), 1, 0.06) << servers;
  }
}

TEST(ErlangC, IsWhatTablesSay) {
  EXPECT_NEAR(erlang::erlang_c(1, 0.9), 0.9, 1e-12);
  EXPECT_NEAR(erlang::erlang_c(2, 0.9), 0.8526, 1e-4);  // 2 rho^2 / (1 + rho)
  EXPECT_NEAR(erlang::erlang_c(10, 0.9), 0.6687, 1e-4);
}

}  // namespace
}  // namespace lbsuite
