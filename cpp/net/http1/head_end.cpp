#include "net/http1/head_end.hpp"

#include <algorithm>
#include <utility>

namespace lbsuite::net::http1 {

std::size_t HeadEnd::find(std::string_view bytes, const Limits& limits) {
  while (!refused_ && seen_ < bytes.size()) {
    const std::size_t at = std::min(bytes.find('\n', seen_), bytes.size());
    check_length(std::min(at + 1, bytes.size()), limits);
    seen_ = std::min(at + 1, bytes.size());
    if (refused_ || at == bytes.size()) break;
    const std::string_view line = bytes.substr(line_, at + 1 - line_);
    line_ = seen_;
    if (take_line(line, limits)) return seen_;
  }
  return 0;
}

void HeadEnd::check_length(std::size_t end, const Limits& limits) {
  if (lines_ == 0 && end > limits.target_bytes + 64) {
    refuse(414, "the target is too long");
  } else if (end > limits.head_bytes) {
    refuse(431, "the head is too long");
  }
}

// True: it is the empty line that ends the head.
bool HeadEnd::take_line(std::string_view line, const Limits& limits) {
  if (!line.ends_with("\r\n")) return refuse(400, "a line ends with a bare LF");
  line.remove_suffix(2);
  if (line.find('\r') != line.npos) return refuse(400, "a bare CR");
  if (line.empty() && lines_ > 0) return true;
  // RFC 9112 2.2: some clients end a body with a CR LF that belongs to nothing.
  if (line.empty()) return std::exchange(skipped_, true) && refuse(400, "empty lines come first");
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a line begins with white space");
  return ++lines_ > limits.fields + 1 && refuse(431, "too many fields");
}

}  // namespace lbsuite::net::http1
