#pragma once
// One line of JSON for each request, written by a thread of its own: a proxy's thread only adds to a buffer. Where the
// disk does not keep up, lines are dropped and counted.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "net/reactor/file.hpp"

namespace lbsuite::net::http1 {

struct AccessLine {
  double began;  // CLOCK_REALTIME
  std::string_view client, method, target, endpoint;
  std::uint16_t status;
  std::uint64_t request_bytes, response_bytes;
  double took_s;
  std::uint32_t attempts;
};

class AccessLog {
 public:
  // Takes over the file. Throws std::system_error if there is no thread to be had.
  explicit AccessLog(File file);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void add(const AccessLine& line);
  std::uint64_t dropped() const;

 private:
  void write();

  const File file_;
  mutable std::mutex adding_;
  std::condition_variable added_;
  std::string lines_;
  std::uint64_t dropped_ = 0;
  bool closing_ = false;
  std::thread writer_;
};

}  // namespace lbsuite::net::http1
