#pragma once

#include <cstdint>

#include "compute/cancel.hpp"

namespace lbsuite {

// Uses `cpu_s` of CPU, however long that takes, then waits `sleep_s`; holds `bytes` of resident memory all along, where
// that is above 0. Throws std::bad_alloc if the system refuses them, std::invalid_argument below 0 or beyond 1e9 s.
void mix(double cpu_s, double sleep_s, std::int64_t bytes, Cancel& cancel);

}  // namespace lbsuite
