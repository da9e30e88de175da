#include "bind/recording.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace lbsuite::bind {

bool Recording::add(std::string line) {
  const std::lock_guard lock(adding_);
  if (file_ == kKept) {
    kept_.push_back(std::move(line));
  } else if (!write(line + '\n')) {
    return false;
  }
  ++lines_;
  return true;
}

bool Recording::write(const std::string& line) {
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t more = ::write(file_, line.data() + written, line.size() - written);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) {
      failure_ = errno;
      // What came through of the line goes again; a pipe cannot be cut, and its reader is gone anyway.
      [[maybe_unused]] const int cut = ::ftruncate(file_, static_cast<off_t>(bytes_));
      return false;
    }
    written += static_cast<std::size_t>(more);
  }
  bytes_ += line.size();
  return true;
}

std::vector<std::string> Recording::kept() const {
  const std::lock_guard lock(adding_);
  return kept_;
}

std::size_t Recording::lines() const {
  const std::lock_guard lock(adding_);
  return lines_;
}

int Recording::failure() const {
  const std::lock_guard lock(adding_);
  return failure_;
}

void Recording::close() {
  const std::lock_guard lock(adding_);
  if (file_ != kKept) ::close(std::exchange(file_, kKept));
}

}  // namespace lbsuite::bind
