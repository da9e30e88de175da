#pragma once

#include <cstddef>
#include <cstdint>

#include "compute/cancel.hpp"

namespace lbsuite {

// Resident memory straight from the system, so that the end of a task is seen in the resident memory at once.
class Memory {
 public:
  // Throws std::bad_alloc if the system refuses it, std::invalid_argument below 1 byte.
  explicit Memory(std::int64_t bytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // All of it is resident when this returns.
  void fill(const Cancel& cancel);

 private:
  std::size_t bytes_;
  void* start_;
};

// Holds `bytes` of resident memory for `seconds` once all of it is resident, then gives it back to the system.
// Throws what Memory throws, and std::invalid_argument for what Cancel::wait refuses.
void hold_memory(std::int64_t bytes, double seconds, Cancel& cancel);

}  // namespace lbsuite
