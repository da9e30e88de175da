#include "net/http1/access_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>

namespace lbsuite::net::http1 {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20;
// What has been added is written when it is so much, or so old: a wake of the writer costs more than a request.
constexpr std::size_t kManyBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kSoon{50};

void digits(std::string& line, std::uint64_t value) {
  std::array<char, 20> text;
  line.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void put(std::string& line, std::string_view name, std::uint64_t value) {
  line.append("\"").append(name).append("\":");
  digits(line, value);
  line += ',';
}

// To the microsecond, as integers are written: some times as quick as a double.
void put_seconds(std::string& line, std::string_view name, double value_s) {
  constexpr std::uint64_t kMillion = 1'000'000;
  const auto us = static_cast<std::uint64_t>(std::max(0.0, value_s * 1e6 + 0.5));
  line.append("\"").append(name).append("\":");
  digits(line, us / kMillion);
  const std::size_t point = line.size();
  digits(line, kMillion + us % kMillion);
  line[point] = '.';
  line += ',';
}

bool plain(char c) { return c >= 0x20 && c <= 0x7E && c != '"' && c != '\\'; }

// Bytes beyond ASCII are written as Latin-1 reads them: a log line is ASCII whatever came.
void put(std::string& line, std::string_view name, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line.append("\"").append(name).append("\":\"");
  if (std::all_of(value.begin(), value.end(), plain)) {
    line.append(value).append("\",");
    return;
  }
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
  thread_local std::string text;
  text = "{";
  put_seconds(text, "time", line.began);
  put(text, "client", line.client);
  put(text, "method", line.method);
  put(text, "target", line.target);
  put(text, "status", std::uint64_t{line.status});
  put(text, "endpoint", line.endpoint);
  put(text, "request_bytes", line.request_bytes);
  put(text, "response_bytes", line.response_bytes);
  put_seconds(text, "took_s", line.took_s);
  put(text, "attempts", std::uint64_t{line.attempts});
  text.back() = '}';
  text += '\n';
  const std::lock_guard lock(adding_);
  if (lines_.size() + text.size() > kMostBytes) {
    ++dropped_;
    return;
  }
  const std::size_t before = lines_.size();
  lines_ += text;
  if (before == 0 || (before < kManyBytes && lines_.size() >= kManyBytes)) added_.notify_one();
}

std::uint64_t AccessLog::dropped() const {
  const std::lock_guard lock(adding_);
  return dropped_;
}

void AccessLog::write() {
  std::unique_lock lock(adding_);
  std::string lines;
  while (!closing_ || !lines_.empty()) {
    added_.wait(lock, [this] { return closing_ || !lines_.empty(); });
    added_.wait_for(lock, kSoon, [this] { return closing_ || lines_.size() >= kManyBytes; });
    lines.clear();
    lines.swap(lines_);
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
