#include "net/http1/access_log.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

namespace lbsuite::net::http1 {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20;

void put(std::string& line, std::string_view name, double value, int digits) {
  std::array<char, 32> text;
  char* const end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr;
  line.append("\"").append(name).append("\":").append(text.data(), end).append(",");
}

void put(std::string& line, std::string_view name, std::uint64_t value) {
  line.append("\"").append(name).append("\":").append(std::to_string(value)).append(",");
}

// Bytes beyond ASCII are written as Latin-1 reads them: a log line is ASCII whatever came.
void put(std::string& line, std::string_view name, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line.append("\"").append(name).append("\":\"");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line.append({'\\', c});
    } else if (byte < 0x20 || byte > 0x7E) {
      line.append("\\u00").append({kDigits[byte >> 4], kDigits[byte & 15]});
    } else {
      line += c;
    }
  }
  line.append("\",");
}

}  // namespace

AccessLog::AccessLog(File file) : file_(std::move(file)), writer_([this] { write(); }) {}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(adding_);
    closing_ = true;
  }
  added_.notify_one();
  writer_.join();
}

void AccessLog::add(const AccessLine& line) {
  std::string text = "{";
  put(text, "time", line.began, 6);
  put(text, "client", line.client);
  put(text, "method", line.method);
  put(text, "target", line.target);
  put(text, "status", std::uint64_t{line.status});
  put(text, "endpoint", line.endpoint);
  put(text, "request_bytes", line.request_bytes);
  put(text, "response_bytes", line.response_bytes);
  put(text, "took_s", line.took_s, 6);
  put(text, "attempts", std::uint64_t{line.attempts});
  text.back() = '}';
  text += '\n';
  const std::lock_guard lock(adding_);
  if (lines_.size() + text.size() > kMostBytes) {
    ++dropped_;
    return;
  }
  const bool first = lines_.empty();
  lines_ += text;
  if (first) added_.notify_one();
}

std::uint64_t AccessLog::dropped() const {
  const std::lock_guard lock(adding_);
  return dropped_;
}

void AccessLog::write() {
  std::unique_lock lock(adding_);
  while (!closing_ || !lines_.empty()) {
    added_.wait(lock, [this] { return closing_ || !lines_.empty(); });
    std::string lines = std::exchange(lines_, {});
    lock.unlock();
    for (std::string_view rest = lines; !rest.empty();) {
      const ssize_t written = ::write(file_.number(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;  // what the file does not take is lost
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    lock.lock();
  }
}

}  // namespace lbsuite::net::http1
