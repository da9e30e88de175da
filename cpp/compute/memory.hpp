#pragma once

#include <cstdint>

#include "compute/cancel.hpp"

namespace lbsuite {

// Holds `bytes` of resident memory for `seconds` once all of it is resident, then gives it back to the system.
// Throws std::bad_alloc if the system refuses it, std::invalid_argument below 1 byte or what Cancel::wait refuses.
void hold_memory(std::int64_t bytes, double seconds, Cancel& cancel);

}  // namespace lbsuite
