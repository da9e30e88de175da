#pragma once
#include <cstddef>

namespace lbsuite {

// How often this thread has called operator new.
std::size_t allocations();

}  // namespace lbsuite
