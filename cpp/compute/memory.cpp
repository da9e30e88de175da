#include "compute/memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

namespace lbsuite {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;  // touched between two looks at the flag, in well under 1 ms

// Straight from the system, so that the end of a task is seen in the resident memory at once.
class Pages {
 public:
  explicit Pages(std::size_t bytes)
      : bytes_(bytes), start_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (start_ == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    // 1 GiB goes back in 6 ms, page by page in 50: a cancelled task ends in time.
    madvise(start_, bytes, MADV_HUGEPAGE);
#endif
  }
  ~Pages() { munmap(start_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void touch(std::size_t from, std::size_t to) {
    static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    auto* byte = static_cast<volatile char*>(start_);
    for (std::size_t at = from; at < to; at += page) byte[at] = 1;
  }

 private:
  std::size_t bytes_;
  void* start_;
};

}  // namespace

void hold_memory(std::int64_t bytes, double seconds, Cancel& cancel) {
  if (bytes < 1) throw std::invalid_argument("bytes below 1: " + std::to_string(bytes));
  Cancel::check_wait(seconds);
  const auto size = static_cast<std::size_t>(bytes);
  Pages pages(size);
  for (std::size_t at = 0; at < size; at += piece) {
    cancel.check();
    pages.touch(at, std::min(at + piece, size));
  }
  cancel.wait(seconds);
}

}  // namespace lbsuite
