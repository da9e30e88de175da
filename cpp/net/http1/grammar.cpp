#include "net/http1/grammar.hpp"

#include <algorithm>

namespace lbsuite::net::http1 {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool one_of(char c, std::string_view these) { return these.find(c) != these.npos; }

template <class Fits>
bool all(std::string_view text, Fits fits) {
  return std::all_of(text.begin(), text.end(), fits);
}

constexpr std::string_view kNeverTrail[] = {"content-length",
                                            "transfer-encoding",
                                            "host",
                                            "connection",
                                            "upgrade",
                                            "te",
                                            "trailer",
                                            "expect",
                                            "range",
                                            "content-range",
                                            "content-type",
                                            "content-encoding",
                                            "authorization",
                                            "set-cookie",
                                            "cookie",
                                            "cache-control",
                                            "keep-alive",
                                            "proxy-connection",
                                            "forwarded",
                                            "x-forwarded-for",
                                            "max-forwards",
                                            "via",
                                            "x-forwarded-proto",
                                            "x-forwarded-host",
                                            "location",
                                            "www-authenticate",
                                            "proxy-authenticate",
                                            "proxy-authorization"};

}  // namespace

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool alike(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '_' ? '-' : lower(c); };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return plain(x) == plain(y); });
}

bool lists(std::string_view list, std::string_view element) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same(trimmed(list.substr(0, comma)), element)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::string_view trimmed(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

bool token(std::string_view text) {
  return !text.empty() && all(text, [](char c) { return letter(c) || digit(c) || one_of(c, "!#$%&'*+-.^_`|~"); });
}

bool digits(std::string_view text) { return !text.empty() && all(text, digit); }

bool printable(std::string_view value) {
  return all(value, [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

bool authority(std::string_view text) {
  std::string_view host = text.substr(0, text.find(':'));
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos || end < 3) return false;
    const auto fits = [](char c) { return letter(c) || digit(c) || one_of(c, ":.-_~%"); };
    if (!all(text.substr(1, end - 1), fits)) return false;
    host = text.substr(0, end + 1);
  } else if (!all(host, [](char c) { return letter(c) || digit(c) || one_of(c, "-._~%!$&'()*+;="); })) {
    return false;
  }
  const std::string_view port = text.substr(host.size());
  if (host.empty() && !port.empty()) return false;
  return port.empty() || (port.front() == ':' && port.size() <= 6 && all(port.substr(1), digit));
}

bool may_trail(std::string_view name) {
  return std::none_of(std::begin(kNeverTrail), std::end(kNeverTrail),
                      [&](std::string_view never) { return alike(name, never); });
}

std::optional<Target> read_target(std::string_view method, std::string_view text) {
  if (!all(text, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; })) return std::nullopt;
  if (text.starts_with('/')) return Target{{}, text};
  if (text == "*") return method == "OPTIONS" ? std::optional(Target{{}, text}) : std::nullopt;
  const std::size_t scheme = text.find("://");
  if (scheme == text.npos || !(same(text.substr(0, scheme), "http") || same(text.substr(0, scheme), "https")))
    return std::nullopt;
  const std::string_view rest = text.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (end == 0 || !authority(rest.substr(0, end))) return std::nullopt;
  return Target{rest.substr(0, end), rest.substr(end)};
}

}  // namespace lbsuite::net::http1
