// What does F(n) of any size cost, beside GMP's own mpz_fib_ui? Both in turns; prints lines "who/n seconds", of CPU.

#include <gmp.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "compute/fibonacci_big.hpp"
#include "compute/thread.hpp"
#include "timing.hpp"

namespace lbsuite::bench {
namespace {

void ours(std::int64_t n) { keep(fibonacci_bytes(n, Cancel())); }

void gmps(std::int64_t n) {
  mpz_t value;
  mpz_init(value);
  mpz_fib_ui(value, static_cast<unsigned long>(n));
  keep(value);
  mpz_clear(value);
}

// The least of several turns: what else runs here only adds.
void measure(std::int64_t n, int turns) {
  double least[2] = {1e18, 1e18};
  for (int i = 0; i < turns; ++i) {
    for (const int side : {i % 2, 1 - i % 2}) {
      const double began = thread_cpu_s();
      side == 0 ? ours(n) : gmps(n);
      least[side] = std::min(least[side], thread_cpu_s() - began);
    }
  }
  std::printf("lbsuite/%ld %.9f\nmpz_fib_ui/%ld %.9f\n", static_cast<long>(n), least[0], static_cast<long>(n),
              least[1]);
}

}  // namespace
}  // namespace lbsuite::bench

int main() {
  lbsuite::bench::measure(100'000, 1000);
  lbsuite::bench::measure(1'000'000, 50);
  lbsuite::bench::measure(10'000'000, 6);
}
