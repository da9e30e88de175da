#pragma once
// What an endpoint says of itself, and the signals that a load can be ranked by.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lbsuite {

enum class Signal : std::uint8_t { tasks, memory, cpu };
inline constexpr std::array<std::string_view, 3> kSignals = {"tasks", "memory", "cpu"};

// Counts run since the endpoint's process started. Throws std::invalid_argument from `check` on a value that no
// endpoint can have.
struct Report {
  std::uint32_t tasks = 0;
  std::optional<std::uint32_t> limit;  // tasks at once; 0: none
  std::uint64_t memory = 0;            // bytes resident
  double cpu = 0;                      // share of one core
  bool available = true;
  bool draining = false;
  double interval_s = 0;                  // the next report comes within this; 0: none is expected
  double prompt_s = 0;                    // the end of a task is told within this; 0: not before the interval
  std::optional<std::uint64_t> begun;     // of this engine's picks
  std::optional<std::uint64_t> finished;  // tasks in all
  double busy_s = 0;                      // time with at least one task
  double task_s = 0;                      // integral of tasks over time
  std::uint64_t failed = 0;               // tasks finished that failed
  std::uint64_t own_finished = 0;         // of this engine's picks: tasks finished,
  std::uint64_t own_failed = 0;           // those of them that failed,
  std::uint64_t own_refused = 0;          // of these those that it turned away,
  double own_latency_s = 0;               // and the sum of their latencies
  double utilization = 0;                 // the application's own measure of how busy it is; 0: not told

  void check() const;
};

}  // namespace lbsuite
