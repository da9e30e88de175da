#include "compute/mix.hpp"

#include <optional>

#include "compute/fibonacci.hpp"
#include "compute/memory.hpp"
#include "compute/thread.hpp"

namespace lbsuite {
namespace {

constexpr std::int64_t between_looks = 20;  // F(20) takes about 20 us: a look at the clock costs little beside it

void burn(double seconds, const Cancel& cancel) {
  const double end = thread_cpu_s() + seconds;
  while (thread_cpu_s() < end) {
    cancel.check();
    volatile auto used = fibonacci_recursive(between_looks, cancel);
    static_cast<void>(used);
  }
}

}  // namespace

void mix(double cpu_s, double sleep_s, std::int64_t bytes, Cancel& cancel) {
  Cancel::check_wait(cpu_s);
  Cancel::check_wait(sleep_s);
  std::optional<Memory> held;
  if (bytes != 0) held.emplace(bytes).fill(cancel);
  burn(cpu_s, cancel);
  cancel.wait(sleep_s);
}

}  // namespace lbsuite
