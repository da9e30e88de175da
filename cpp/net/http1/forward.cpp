#include "net/http1/forward.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace lbsuite::net::http1 {
namespace {

constexpr std::string_view kHopByHop[] = {"connection",        "keep-alive", "proxy-connection",    "te",
                                          "transfer-encoding", "upgrade",    "proxy-authorization", "content-length",
                                          "proxy-authenticate"};
constexpr std::string_view kForwarded[] = {"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"};

template <std::size_t N>
bool among(std::string_view name, const std::string_view (&names)[N]) {
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view each) { return alike(each, name); });
}

// Fields of one hop: those above, and what Connection names.
class OfThisHop {
 public:
  explicit OfThisHop(const Head& head) {
    for (const Field& field : head.fields) {
      if (same(field.name, "connection")) connections_.push_back(field.value);
    }
  }
  bool operator()(std::string_view name) const {
    if (among(name, kHopByHop)) return true;
    if (same(name, "host")) return false;  // whoever names it, the backend cannot do without
    return std::any_of(connections_.begin(), connections_.end(),
                       [&](std::string_view listed) { return lists(listed, name); });
  }

 private:
  absl::InlinedVector<std::string_view, 2> connections_;
};

void put(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void put(std::string& out, std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  put(out, name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

// A length of 0 that was told is told on: some backends want one with every POST.
void put_framing(std::string& out, const Head& head) {
  if (head.framing == Framing::chunked) {
    put(out, "Transfer-Encoding", "chunked");
  } else if (head.framing == Framing::length || head.find("content-length")) {
    put(out, "Content-Length", head.length);
  }
}

void put_target(std::string& out, const Head& head) {
  if (head.target.empty() && head.method == "OPTIONS") {
    out += '*';  // RFC 9112 3.2.4
  } else if (head.target.starts_with('/') || head.target == "*") {
    out += head.target;
  } else {
    out.append("/").append(head.target);
  }
}

void put_origin(std::string& out, const Head& head, const Origin& origin) {
  const std::string_view proto = origin.tls ? "https" : "http";
  const auto told = [&](std::string_view name) {
    return origin.trusted ? head.find(name).value_or("") : std::string_view();
  };
  const auto put_told = [&](std::string_view name) {  // a list may be spread over fields
    for (const Field& field : head.fields) {
      if (origin.trusted && same(field.name, name) && !field.value.empty()) out.append(field.value).append(", ");
    }
  };
  out.append("X-Forwarded-For: ");
  put_told("x-forwarded-for");
  out.append(origin.host).append("\r\n");
  const std::string_view told_proto = told("x-forwarded-proto");
  put(out, "X-Forwarded-Proto", told_proto.empty() ? proto : told_proto);
  const std::string_view host = head.find("host").value_or("");
  const std::string_view told_host = told("x-forwarded-host");
  if (!host.empty() || !told_host.empty()) put(out, "X-Forwarded-Host", told_host.empty() ? host : told_host);
  out.append("Forwarded: ");
  put_told("forwarded");
  out.append("for=");
  if (origin.six) {
    out.append("\"[").append(origin.host).append("]\"");
  } else {
    out.append(origin.host);
  }
  out.append(";proto=").append(proto).append("\r\n");
}

}  // namespace

void write_request(const Head& head, const Origin& origin, std::string_view via, std::string& out) {
  const OfThisHop of_this_hop(head);
  out.append(head.method).append(" ");
  put_target(out, head);
  out.append(" HTTP/1.1\r\n");
  for (const Field& field : head.fields) {
    if (of_this_hop(field.name) || among(field.name, kForwarded)) continue;
    // RFC 9110 10.1.1: what HTTP/1.0 expects is nothing.
    if (head.minor > 0 || !same(field.name, "expect")) put(out, field.name, field.value);
  }
  if (!head.find("host")) put(out, "Host", head.authority);
  put_framing(out, head);
  put_origin(out, head, origin);
  out.append(head.minor == 0 ? "Via: 1.0 " : "Via: 1.1 ").append(via).append("\r\n");
  if (head.upgrade) {
    put(out, "Connection", "Upgrade");
    put(out, "Upgrade", head.find("upgrade").value_or(""));
  }
  out.append("\r\n");
}

void write_response(const Head& head, Delivery delivery, bool keep_alive, std::uint8_t client_minor,
                    std::string_view via, std::string& out) {
  const OfThisHop of_this_hop(head);
  std::array<char, 8> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), head.status).ptr;
  out.append("HTTP/1.1 ").append(digits.data(), end).append(" ").append(head.reason).append("\r\n");
  for (const Field& field : head.fields) {
    if (!of_this_hop(field.name)) put(out, field.name, field.value);
  }
  if (delivery == Delivery::chunked) {
    put(out, "Transfer-Encoding", "chunked");
  } else if (delivery == Delivery::as_framed) {
    // What a response to HEAD or a 304 would have been framed by is told, too; a 1xx or 204 has none (RFC 9110 8.6).
    if (head.status >= 200 && head.status != 204 && head.find("content-length"))
      put(out, "Content-Length", head.length);
  }
  out.append("Via: 1.1 ").append(via).append("\r\n");
  if (head.status == 101) {
    put(out, "Connection", "Upgrade");
    put(out, "Upgrade", head.find("upgrade").value_or(""));
  } else if (!keep_alive) {
    put(out, "Connection", "close");
  } else if (client_minor == 0) {
    put(out, "Connection", "keep-alive");
  }
  out.append("\r\n");
}

void write_answer(std::uint16_t status, std::string_view why, bool keep_alive, bool bodiless, std::string& out) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_of(status)).append("\r\n");
  put(out, "Content-Type", "text/plain; charset=utf-8");
  put(out, "Content-Length", why.size() + 1);
  if (status == 503) put(out, "Retry-After", "1");
  if (!keep_alive) put(out, "Connection", "close");
  out.append("\r\n");
  if (!bodiless) out.append(why).append("\n");
}

void write_chunk_head(std::size_t size, std::string& out) {
  std::array<char, 16> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), end).append("\r\n");
}

std::string_view reason_of(std::uint16_t status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace lbsuite::net::http1
