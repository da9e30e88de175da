#include "compute/thread.hpp"

#include <ctime>
#include <stdexcept>
#include <string>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lbsuite {

double thread_cpu_s() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

void lower_priority(int nice) {
  if (nice < 0 || nice > 19) throw std::invalid_argument("niceness to add outside 0..19: " + std::to_string(nice));
#ifdef __linux__
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));  // POSIX says the process, Linux takes a thread
  setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + nice);
#endif
}

}  // namespace lbsuite
