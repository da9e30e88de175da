#include "compute/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

namespace lbsuite {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;  // touched between two looks at the flag, in well under 1 ms

// Takes address space; what it is used for becomes resident.
void* reserved(std::int64_t bytes) {
  if (bytes < 1) throw std::invalid_argument("bytes below 1: " + std::to_string(bytes));
  const auto size = static_cast<std::size_t>(bytes);
  void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // 1 GiB goes back in 6 ms, page by page in 50: a cancelled task ends in time.
  madvise(start, size, MADV_HUGEPAGE);
#endif
  return start;
}

void touch(void* start, std::size_t from, std::size_t to) {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto* byte = static_cast<volatile char*>(start);
  for (std::size_t at = from; at < to; at += page) byte[at] = 1;
}

}  // namespace

Memory::Memory(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)), start_(reserved(bytes)) {}

Memory::~Memory() { munmap(start_, bytes_); }

void Memory::fill(const Cancel& cancel) {
  for (std::size_t at = 0; at < bytes_; at += piece) {
    cancel.check();
    touch(start_, at, std::min(at + piece, bytes_));
  }
}

void hold_memory(std::int64_t bytes, double seconds, Cancel& cancel) {
  Cancel::check_wait(seconds);
  Memory memory(bytes);
  memory.fill(cancel);
  cancel.wait(seconds);
}

}  // namespace lbsuite
