// With 1,000 endpoints: what does a change of membership cost while another thread picks, and what does a pick cost
// that thread meanwhile? Usage: membership POLICY CHANGES_A_SECOND. Prints lines "what number".
//
// A change is timed by the wall clock. A pick is timed by its own thread's CPU clock, read before and after each one;
// pairs of readings with nothing between them are taken in turns with the picks and printed too, for the clock is a
// system call and costs more than the pick: a pick's cost is what is left once their median is taken off. What
// interrupts the thread is in its CPU time too, and falls between the readings of either kind alike: so of what takes
// beyond 2 us, the picks' own is the share of picks less the share of empty pairs.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "timing.hpp"

namespace lbsuite::bench {
namespace {

constexpr int kEndpoints = 1000;
constexpr double kSeconds = 2;

double thread_cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

double quantile(std::vector<double>& values, double q) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

// How many of 10,000 are above `most`.
double beyond(const std::vector<double>& values, double most) {
  const auto above = std::count_if(values.begin(), values.end(), [most](double value) { return value > most; });
  return 1e4 * static_cast<double>(above) / static_cast<double>(values.size());
}

struct Picks {
  std::vector<double> with_us;
  std::vector<double> without_us;
};

Picks pick_until(Engine<Shared>& engine, const std::atomic<bool>& stop) {
  Picks picks;
  picks.with_us.reserve(8'000'000);
  picks.without_us.reserve(8'000'000);
  while (!stop && picks.with_us.size() < picks.with_us.capacity()) {
    const double first = thread_cpu_us();
    const Answer answer = engine.pick({.key = "key"}, 0);
    const double second = thread_cpu_us();
    picks.with_us.push_back(second - first);
    if (const Pick* pick = std::get_if<Pick>(&answer)) engine.done(*pick, {1e-6, false}, 0);
    const double third = thread_cpu_us();
    picks.without_us.push_back(thread_cpu_us() - third);
  }
  return picks;
}

// Lets one endpoint leave and join again, `rate` changes a second.
std::vector<double> change_for(Engine<Shared>& engine, double duration_s, double rate) {
  std::vector<double> took_us;
  const double began = seconds();
  const auto change = [&](const Event& event) {
    while (seconds() < began + static_cast<double>(took_us.size()) / rate) std::this_thread::yield();
    const double before = seconds();
    engine.apply(event, 0);
    took_us.push_back((seconds() - before) * 1e6);
  };
  for (int i = 0; seconds() < began + duration_s; i = (i + 37) % kEndpoints) {
    const std::string address = "127.0.0.1:" + std::to_string(4000 + i);
    change(Left{address});
    change(Joined{address, 1, 0, "", kUnordered, 0});
  }
  return took_us;
}

void show(const char* what, double us) { std::printf("%s %.3f\n", what, us); }

void measure(const char* policy, double rate) {
  Engine<Shared> engine({.policy = parse_policy(policy)});
  join(engine, kEndpoints);
  std::atomic<bool> stop = false;
  Picks picks;
  std::thread picker([&] { picks = pick_until(engine, stop); });
  std::vector<double> changes = change_for(engine, kSeconds, rate);
  stop = true;
  picker.join();
  const double clock_us = quantile(picks.without_us, 0.5);
  show("change_median", quantile(changes, 0.5));
  show("change_p99", quantile(changes, 0.99));
  show("clock_median", clock_us);
  show("nothing_p9999", quantile(picks.without_us, 0.9999) - clock_us);
  show("pick_median", quantile(picks.with_us, 0.5) - clock_us);
  show("pick_p99", quantile(picks.with_us, 0.99) - clock_us);
  show("pick_p9999", quantile(picks.with_us, 0.9999) - clock_us);
  show("nothing_beyond_2us_of_10000", beyond(picks.without_us, clock_us + 2));
  show("pick_beyond_2us_of_10000", beyond(picks.with_us, clock_us + 2));
}

}  // namespace
}  // namespace lbsuite::bench

int main(int count, char** words) {
  const double rate = count == 3 ? std::atof(words[2]) : 0;
  if (!(rate > 0)) {
    std::fprintf(stderr, "usage: membership POLICY CHANGES_A_SECOND\n");
    return 2;
  }
  lbsuite::bench::measure(words[1], rate);
}
