#pragma once

namespace lbsuite {

// CPU time in seconds that the calling thread has used; a system call, well under 1 us.
double thread_cpu_s();

// Adds to the calling thread's niceness (Linux alone has it per thread; elsewhere nothing happens), so that the other
// threads of the process go first. Throws std::invalid_argument outside 0..19.
void lower_priority(int nice);

}  // namespace lbsuite
