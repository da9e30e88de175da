#pragma once
// The lines of a recording: kept in memory, or written to a file, each whole and at once, so that a log outlives its
// process. Any thread may call. No call needs the GIL: lines come from inside the engine's own lock.

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace lbsuite::bind {

class Recording {
 public:
  static constexpr int kKept = -1;

  // file: the descriptor to write to, closed with the recording; kKept: lines are kept.
  explicit Recording(int file) : file_(file) {}
  ~Recording() { close(); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // False where a line cannot be written: the log ends with the line before.
  bool add(std::string line);
  std::vector<std::string> kept() const;
  std::size_t lines() const;
  // The errno that ended the log before its time; 0: nothing has.
  int failure() const;
  void close();

 private:
  bool write(const std::string& line);

  mutable std::mutex adding_;
  int file_;
  std::vector<std::string> kept_;
  std::size_t lines_ = 0;
  std::size_t bytes_ = 0;
  int failure_ = 0;
};

}  // namespace lbsuite::bind
