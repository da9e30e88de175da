// What a pick alone costs, on this machine: an engine's own, asked by threads that Python has no part in.

#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "bind/waiting.hpp"
#include "bits/check.hpp"
#include "engine/engine.hpp"

namespace lbsuite::bind {
namespace {

constexpr double kEnoughS = 0.05;

// Addresses in turn; the first `down` of them are lost.
void fill(Engine<Shared>& engine, std::uint32_t endpoints, std::uint32_t down) {
  const auto address = [](std::uint32_t i) { return "127.0.0.1:" + std::to_string(1 + i); };
  for (std::uint32_t i = 0; i < endpoints; ++i) engine.apply(Joined{address(i), 1, 0, "", kUnordered, 0, 0}, 0);
  for (std::uint32_t i = 0; i < down; ++i) engine.apply(Lost{address(i)}, 0);
}

// Wall seconds that the threads take for so many picks each, once all of them run.
double seconds_of(Engine<Shared>& engine, std::uint32_t threads, std::uint64_t picks) {
  std::atomic<std::uint32_t> arrived = 0, found = 0;
  std::atomic<bool> begun = false;
  std::vector<std::thread> running;
  for (std::uint32_t lane = 0; lane < threads; ++lane) {
    running.emplace_back([&, lane] {
      ++arrived;
      begun.wait(false);
      std::uint64_t own = 0;
      for (std::uint64_t i = 0; i < picks; ++i)
        own += engine.choose({}, 0, lane, [](const auto* endpoint) { return endpoint != nullptr; });
      found += own > 0;  // so that the loop is not optimised away
    });
  }
  while (arrived < threads) std::this_thread::yield();
  const auto began = std::chrono::steady_clock::now();
  begun = true;
  begun.notify_all();
  for (std::thread& thread : running) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double pick_ns(const std::string& policy, const std::string& roster, std::uint32_t threads, std::uint32_t endpoints,
               std::uint32_t down) {
  check(threads >= 1 && threads <= 255, [&] { return "threads out of 1..255: " + std::to_string(threads); });
  check(endpoints >= 1 && endpoints <= 65535,
        [&] { return "endpoints out of 1..65535: " + std::to_string(endpoints); });
  check(down < endpoints, [&] { return "down out of 0..endpoints - 1: " + std::to_string(down); });
  EngineSettings settings;
  settings.policy = parse_policy(policy);
  const auto* const kind = std::find(kRosters.begin(), kRosters.end(), roster);
  check(kind != kRosters.end(), [&] { return "no roster '" + roster + "'"; });
  settings.roster = static_cast<RosterKind>(kind - kRosters.begin());
  Engine<Shared> engine(settings);
  fill(engine, endpoints, down);
  for (std::uint32_t lane = 1; lane < threads; ++lane) engine.open_lane();
  const Waiting waiting;
  for (std::uint64_t picks = 1 + 20'000 / threads;; picks *= 4) {
    const double took_s = seconds_of(engine, threads, picks);
    if (took_s >= kEnoughS) return took_s * 1e9 / (static_cast<double>(picks) * threads);
  }
}

}  // namespace

void register_timing(pybind11::module_& module) {
  module.def("pick_ns", &pick_ns, py::arg("policy"), py::arg("roster") = "snapshot", py::arg("threads") = 1,
             py::arg("endpoints") = 25, py::arg("down") = 0);
}

}  // namespace lbsuite::bind
