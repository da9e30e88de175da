// compute: the task kernels that a backend runs: they burn CPU, wait or hold memory, and stop within 10 ms when told to
// (big numbers: after the operation that runs). Nobody lives here but the kernels and their flag; bind is the only
// caller. Plain C++, bits, the system, and GMP where the build found it: no roster, no engine, no Python. Every kernel
// takes a Cancel, runs on its caller's thread, may run on any number of threads at once, throws TaskCancelled when stopped
// and std::invalid_argument for what it cannot be asked.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>

namespace lbsuite {

// A kernel was stopped: its Cancel was set. `_core.TaskCancelled` in Python.
class TaskCancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "the task was cancelled"; }
};

// The flag of one task: looking costs a plain load, setting wakes the kernel that waits. Any thread may do either.
class Cancel {
 public:
  void set();
  bool is_set() const noexcept { return set_.load(std::memory_order_relaxed); }

  // Throws TaskCancelled if the flag is set.
  void check() const;
  // Waits that long; throws TaskCancelled as soon as the flag is set, and what check_wait throws.
  void wait(double seconds);
  // Throws std::invalid_argument outside 0..1e9 seconds.
  static void check_wait(double seconds);

 private:
  std::atomic<bool> set_{false};
  std::mutex mutex_;
  std::condition_variable woken_;
};

}  // namespace lbsuite
