#include "net/http1/parser.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace lbsuite::net::http1 {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9110 5.5: a value has no control characters but tabs.
bool printable(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

// RFC 3986: a target has no white space, control characters or bytes beyond ASCII.
bool visible(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool lists(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view each = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!each.empty() && (each.front() == ' ' || each.front() == '\t')) each.remove_prefix(1);
    while (!each.empty() && (each.back() == ' ' || each.back() == '\t')) each.remove_suffix(1);
    if (same(each, element)) return true;
  }
  return false;
}

std::optional<std::string_view> Head::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (same(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t HeadEnd::find(std::string_view bytes, const Limits& limits) {
  if (refused_) return 0;
  while (seen_ < bytes.size()) {
    const void* const found = std::memchr(bytes.data() + seen_, '\n', bytes.size() - seen_);
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (at == line_ || bytes[at - 1] != '\r') return refuse(400, "a line ends with a bare LF");
    const std::string_view line = bytes.substr(line_, at - 1 - line_);
    if (line.find('\r') != line.npos) return refuse(400, "a bare CR");
    if (at + 1 > limits.head_bytes) return refuse(431, "the head is too long");
    seen_ = line_ = at + 1;
    if (line.empty() && lines_ > 0) return seen_;
    if (line.empty()) return refuse(400, "an empty line comes first");
    if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a line begins with white space");
    if (++lines_ > limits.fields + 1) return refuse(431, "too many fields");
  }
  seen_ = bytes.size();
  if (lines_ == 0 && bytes.size() > limits.target_bytes + 64) return refuse(414, "the target is too long");
  if (bytes.size() > limits.head_bytes) return refuse(431, "the head is too long");
  return 0;
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
    parser.head_->fields.back().value = view(at, size);
    return 0;
  }
  static int value_complete(llhttp_t* llhttp) {
    if (of(llhttp).head_ == nullptr) of(llhttp).end_trailer();
    return 0;
  }
  static int body(llhttp_t* llhttp, const char* at, std::size_t size) {
    Parser& parser = of(llhttp);
    parser.deliver_(parser.sink_, view(at, size));
    return 0;
  }
  static int headers_complete(llhttp_t* llhttp) {
    Parser& parser = of(llhttp);
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
  trailers_.clear();
  trailer_name_.clear();
  trailer_value_.clear();
  const llhttp_errno error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  whole_ = false;
  head_ = nullptr;
  if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
    return Refusal{malformed(), llhttp_get_error_reason(&llhttp_)};
  }
  head.status = llhttp_.status_code;
  head.minor = llhttp_.http_minor;
  if (llhttp_.http_major != 1 || llhttp_.http_minor > 1) return Refusal{505, "neither HTTP/1.1 nor HTTP/1.0"};
  if (auto refused = kind_ == Kind::request ? check_request(head) : check_response(head)) return refused;
  return frame(head, for_head);
}

std::optional<Refusal> Parser::check_request(const Head& head) const {
  if (head.target.size() > limits_.target_bytes) return Refusal{414, "the target is too long"};
  if (!visible(head.target)) return Refusal{400, "the target has a character that no target has"};
  if (same(head.method, "CONNECT")) return Refusal{501, "CONNECT is not served"};
  std::size_t hosts = 0;
  for (const Field& field : head.fields) hosts += same(field.name, "host");
  // RFC 9112 3.2: one Host, and HTTP/1.1 cannot do without.
  if (hosts > 1 || (hosts == 0 && head.minor == 1)) return Refusal{400, hosts == 0 ? "no Host" : "two Hosts"};
  for (const Field& field : head.fields) {
    if (!printable(field.value)) return Refusal{400, "a field's value has a control character"};
  }
  return std::nullopt;
}

std::optional<Refusal> Parser::check_response(const Head& head) const {
  if (head.status < 100 || head.status > 999) return Refusal{502, "no status"};
  for (const Field& field : head.fields) {
    if (!printable(field.value)) return Refusal{502, "a field's value has a control character"};
  }
  return std::nullopt;
}

std::optional<Refusal> Parser::frame(Head& head, bool for_head) {
  const std::uint16_t status = malformed();
  std::size_t lengths = 0, codings = 0;
  for (const Field& field : head.fields) {
    if (same(field.name, "content-length")) {
      if (++lengths > 1) return Refusal{status, "two Content-Lengths"};
      if (!digits(field.value)) return Refusal{status, "Content-Length is no number"};
      const auto [end, error] =
          std::from_chars(field.value.data(), field.value.data() + field.value.size(), head.length);
      if (error != std::errc()) return Refusal{status, "Content-Length is too large"};
    } else if (same(field.name, "transfer-encoding")) {
      if (++codings > 1 || !same(field.value, "chunked"))
        return Refusal{status, "a Transfer-Encoding other than chunked"};
    } else if (same(field.name, "connection")) {
      if (lists(field.value, "close")) head.keep_alive = false;
      head.upgrade |= lists(field.value, "upgrade");
    }
  }
  if (lengths > 0 && codings > 0) return Refusal{status, "both Content-Length and Transfer-Encoding"};
  if (codings > 0 && head.minor == 0) return Refusal{status, "chunked in HTTP/1.0"};
  if (head.minor == 0) {
    const auto connection = head.find("connection");
    head.keep_alive = connection && lists(*connection, "keep-alive") && !lists(*connection, "close");
  }
  head.upgrade = head.upgrade && head.find("upgrade").has_value();
  if (kind_ == Kind::request && head.upgrade && (codings > 0 || head.length > 0))
    return Refusal{400, "an Upgrade with a body"};
  const bool bodiless =
      kind_ == Kind::response && (for_head || head.status < 200 || head.status == 204 || head.status == 304);
  if (bodiless) {
    framing_ = Framing::none;
  } else if (codings > 0) {
    framing_ = Framing::chunked;
  } else if (lengths > 0) {
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

// RFC 9110 6.5.1: a trailer must not say how its message is framed, routed or meant.
void Parser::end_trailer() {
  constexpr std::string_view kForbidden[] = {"content-length", "transfer-encoding",
                                             "host",           "connection",
                                             "upgrade",        "te",
                                             "trailer",        "expect",
                                             "range",          "content-type",
                                             "authorization",  "content-encoding",
                                             "set-cookie",     "cache-control"};
  const bool forbidden = std::any_of(std::begin(kForbidden), std::end(kForbidden),
                                     [&](std::string_view name) { return same(name, trailer_name_); });
  if (!forbidden) trailers_.append(trailer_name_).append(": ").append(trailer_value_).append("\r\n");
  trailer_name_.clear();
  trailer_value_.clear();
}

std::size_t Parser::read_chunked(std::string_view bytes) {
  const llhttp_errno error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  if (error == HPE_OK) return bytes.size();
  if (whole_) return static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - bytes.data());
  broken_ = true;
  return bytes.size();
}

}  // namespace lbsuite::net::http1
