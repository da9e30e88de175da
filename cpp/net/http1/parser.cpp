#include "net/http1/parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace lbsuite::net::http1 {
std::optional<std::string_view> Head::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (same(field.name, name)) return field.value;
  }
  return std::nullopt;
}

// What llhttp calls.
struct Hooks {
  static Parser& of(llhttp_t* llhttp) { return *static_cast<Parser*>(llhttp->data); }
  static std::string_view view(const char* at, std::size_t size) { return {at, size}; }

  static int url(llhttp_t* llhttp, const char* at, std::size_t size) {
    of(llhttp).head_->target = view(at, size);
    return 0;
  }
  static int status(llhttp_t* llhttp, const char* at, std::size_t size) {
    of(llhttp).head_->reason = view(at, size);
    return 0;
  }
  static int method(llhttp_t* llhttp, const char* at, std::size_t size) {
    of(llhttp).head_->method = view(at, size);
    return 0;
  }
  static int name(llhttp_t* llhttp, const char* at, std::size_t size) {
    Parser& parser = of(llhttp);
    if (parser.head_ == nullptr) return parser.trail(parser.trailer_name_, view(at, size));
    parser.head_->fields.push_back({view(at, size), {}});
    parser.in_value_ = false;
    return 0;
  }
  static int value(llhttp_t* llhttp, const char* at, std::size_t size) {
    Parser& parser = of(llhttp);
    if (parser.head_ == nullptr) return parser.trail(parser.trailer_value_, view(at, size));
    if (parser.in_value_) return -1;  // folded over lines
    parser.in_value_ = true;
    parser.head_->fields.back().value = trimmed(view(at, size));
    return 0;
  }
  static int value_complete(llhttp_t* llhttp) {
    if (of(llhttp).head_ == nullptr) of(llhttp).end_trailer();
    return 0;
  }
  static int body(llhttp_t* llhttp, const char* at, std::size_t size) {
    Parser& parser = of(llhttp);
    if (!parser.spend(at)) return -1;
    parser.excess_ -= std::min(parser.excess_, std::uint64_t{size} * 16);
    parser.mark_ = at + size;
    if (size > 0) parser.deliver_(parser.sink_, view(at, size));
    return 0;
  }
  static int headers_complete(llhttp_t* llhttp) {
    Parser& parser = of(llhttp);
    parser.head_ = nullptr;
    // What is no chunked body is counted here, and what is none is not waited for.
    const bool chunked = (llhttp->flags & F_CHUNKED) != 0 && !parser.whole_;
    return chunked ? 0 : 1;
  }
  static int message_complete(llhttp_t* llhttp) {
    of(llhttp).whole_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t settings = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_url = url;
      made.on_status = status;
      made.on_method = method;
      made.on_header_field = name;
      made.on_header_value = value;
      made.on_header_value_complete = value_complete;
      made.on_body = body;
      made.on_headers_complete = headers_complete;
      made.on_message_complete = message_complete;
      return made;
    }();
    return settings;
  }
};

Parser::Parser(Kind kind, const Limits& limits) : kind_(kind), limits_(limits) {
  llhttp_init(&llhttp_, kind == Kind::request ? HTTP_REQUEST : HTTP_RESPONSE, &Hooks::settings());
  llhttp_.data = this;
}

std::optional<Refusal> Parser::read_head(std::string_view bytes, Head& head, bool for_head) {
  llhttp_reset(&llhttp_);
  head_ = &head;
  in_value_ = false;
  whole_ = for_head;  // so that no body is waited for
  broken_ = false;
  excess_ = 0;
  trailers_.clear();
  trailer_name_.clear();
  trailer_value_.clear();
  const llhttp_errno error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  whole_ = false;
  const bool ended = std::exchange(head_, nullptr) == nullptr;
  if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) return misread(error, bytes);
  if (llhttp_.http_major != 1 || llhttp_.http_minor > 1) return Refusal{status(505), "neither HTTP/1.1 nor HTTP/1.0"};
  if (!ended || (error != HPE_OK && llhttp_get_error_pos(&llhttp_) != bytes.data() + bytes.size()))
    return Refusal{status(400), "the head does not end where it seems to"};
  head.status = llhttp_.status_code;
  head.minor = llhttp_.http_minor;
  for (const Field& field : head.fields) {
    if (!printable(field.value)) return Refusal{status(400), "a field's value has a control character"};
  }
  if (auto refused = kind_ == Kind::request ? check_request(bytes, head) : check_response(bytes, head)) return refused;
  return frame(head, for_head);
}

Refusal Parser::misread(llhttp_errno error, std::string_view bytes) const {
  const std::string_view line = bytes.substr(0, bytes.find('\r', 2));
  if (error == HPE_INVALID_METHOD && token(line.substr(line.starts_with("\r\n") ? 2 : 0, line.find(' '))))
    return {status(501), "an unknown method"};
  const std::size_t version = line.rfind(" HTTP/");
  const bool told = version != line.npos && line.size() == version + 9 && line[version + 7] == '.';
  if (error == HPE_INVALID_VERSION && told) return {status(505), "neither HTTP/1.1 nor HTTP/1.0"};
  return {status(400), llhttp_get_error_reason(&llhttp_)};
}

std::optional<Refusal> Parser::check_request(std::string_view bytes, Head& head) const {
  // The line is its three parts with one space between them, and HTTP's: llhttp takes RTSP and ICE for versions, too.
  const std::string_view line = bytes.substr(0, bytes.find('\r', 2)).substr(bytes.starts_with("\r\n") ? 2 : 0);
  const std::size_t size = head.method.size() + 1 + head.target.size();
  if (head.method.data() != line.data() || head.target.data() != line.data() + head.method.size() + 1 ||
      line.size() != size + 9 || line.substr(size, 8) != " HTTP/1.")
    return Refusal{400, "not METHOD TARGET VERSION"};
  if (head.target.size() > limits_.target_bytes) return Refusal{414, "the target is too long"};
  if (head.method == "CONNECT") return Refusal{501, "CONNECT is not served"};
  const auto target = read_target(head.method, head.target);
  if (!target) return Refusal{400, "no target that a server has"};
  head.target = target->path;
  head.authority = target->authority;
  return check_fields(head);
}

// RFC 9112 3.2: one Host, that of an absolute target where there is one, and HTTP/1.1 cannot do without.
std::optional<Refusal> Parser::check_fields(const Head& head) const {
  std::size_t hosts = 0;
  for (const Field& field : head.fields) {
    if (alike(field.name, "expect") && head.minor == 1 && !same(field.value, "100-continue"))
      return Refusal{417, "an expectation other than 100-continue"};
    if (!same(field.name, "host")) continue;
    if (++hosts > 1) return Refusal{400, "two Hosts"};
    if (!authority(field.value)) return Refusal{400, "Host is no host"};
    if (!head.authority.empty() && !same(field.value, head.authority))
      return Refusal{400, "Host is not that of the target"};
  }
  if (hosts == 0 && head.minor == 1) return Refusal{400, "no Host"};
  return std::nullopt;
}

std::optional<Refusal> Parser::check_response(std::string_view bytes, const Head& head) const {
  // "HTTP/1.1 200", and a space if a reason follows.
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const bool fits = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' && digits(line.substr(9, 3)) &&
                    (line.size() == 12 || line[12] == ' ');
  if (!fits || head.status < 100) return Refusal{502, "no status line"};
  if (!printable(head.reason)) return Refusal{502, "a reason with a control character"};
  if (head.status == 101 && !head.find("upgrade")) return Refusal{502, "it switches to no protocol"};
  return std::nullopt;
}

// RFC 9112 9.3, RFC 9110 7.6.1 and 7.8.
std::optional<Refusal> Parser::read_connection(Head& head) const {
  constexpr std::ptrdiff_t kMostOptions = 50;  // each field is looked up in them
  std::ptrdiff_t options = 0;
  bool close = false, keep = head.minor == 1, upgrade = false;
  for (const Field& field : head.fields) {
    if (!same(field.name, "connection")) continue;
    close |= lists(field.value, "close");
    keep |= lists(field.value, "keep-alive");
    upgrade |= lists(field.value, "upgrade");
    options += 1 + std::count(field.value.begin(), field.value.end(), ',');
  }
  if (options > kMostOptions) return Refusal{status(400), "Connection names too much"};
  head.keep_alive = keep && !close;
  // What HTTP/2 over clear text would carry past all checks is not asked for.
  const auto protocol = head.find("upgrade");
  head.upgrade = upgrade && head.minor == 1 && protocol && !lists(*protocol, "h2c");
  return std::nullopt;
}

std::optional<Refusal> Parser::frame(Head& head, bool for_head) {
  std::size_t lengths = 0, codings = 0;
  for (const Field& field : head.fields) {
    if (same(field.name, "content-length")) {
      if (++lengths > 1) return Refusal{status(400), "two Content-Lengths"};
      if (!digits(field.value)) return Refusal{status(400), "Content-Length is no number"};
      const char* const last = field.value.data() + field.value.size();
      if (std::from_chars(field.value.data(), last, head.length).ec != std::errc())
        return Refusal{status(400), "Content-Length is too large"};
    } else if (same(field.name, "transfer-encoding")) {
      if (++codings > 1 || !same(field.value, "chunked"))
        return Refusal{status(400), "a Transfer-Encoding other than chunked"};
    }
  }
  if (lengths > 0 && codings > 0) return Refusal{status(400), "both Content-Length and Transfer-Encoding"};
  if (codings > 0 && head.minor == 0) return Refusal{status(400), "chunked in HTTP/1.0"};
  if (auto refused = read_connection(head)) return refused;
  if (kind_ == Kind::request && head.upgrade && (codings > 0 || head.length > 0))
    return Refusal{400, "an Upgrade with a body"};
  return delimit(head, for_head, lengths > 0, codings > 0);
}

// RFC 9112 6.3.
std::optional<Refusal> Parser::delimit(Head& head, bool for_head, bool length, bool chunked) {
  const bool bodiless =
      kind_ == Kind::response && (for_head || head.status < 200 || head.status == 204 || head.status == 304);
  if (bodiless) {
    framing_ = Framing::none;
  } else if (chunked) {
    framing_ = Framing::chunked;
    // What llhttp does not take for chunked would not be read as that.
    if ((llhttp_.flags & F_CHUNKED) == 0) return Refusal{status(400), "a Transfer-Encoding other than chunked"};
  } else if (length) {
    framing_ = head.length > 0 ? Framing::length : Framing::none;
  } else {
    framing_ = kind_ == Kind::request ? Framing::none : Framing::until_close;
  }
  head.framing = framing_;
  left_ = head.length;
  whole_ = framing_ == Framing::none;
  return std::nullopt;
}

int Parser::trail(std::string& part, std::string_view bytes) {
  part += bytes;
  return trailer_name_.size() + trailer_value_.size() + trailers_.size() > limits_.head_bytes ? -1 : 0;
}

void Parser::end_trailer() {
  const std::string_view value = trimmed(trailer_value_);
  if (!printable(value)) broken_ = true;
  if (may_trail(trailer_name_)) trailers_.append(trailer_name_).append(": ").append(value).append("\r\n");
  trailer_name_.clear();
  trailer_value_.clear();
}

std::size_t Parser::read_chunked(std::string_view bytes) {
  mark_ = bytes.data();
  const llhttp_errno error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  const char* end = bytes.data() + bytes.size();
  if (error != HPE_OK) {
    if (whole_) end = llhttp_get_error_pos(&llhttp_);
    broken_ |= !whole_;
  }
  broken_ |= !spend(end);
  return static_cast<std::size_t>(end - bytes.data());
}

// Chunks as small as a byte are fine; extensions and zeros without end are an attack.
bool Parser::spend(const char* until) {
  excess_ += static_cast<std::uint64_t>(until - mark_);
  mark_ = until;
  return excess_ <= limits_.head_bytes;
}

}  // namespace lbsuite::net::http1
