#pragma once
// What the parts of an HTTP/1 message may look like (RFC 9110, 9112, 3986). Each is one pass over its bytes.

#include <cstdint>
#include <optional>
#include <string_view>

namespace lbsuite::net::http1 {

// Names and values of HTTP are compared so: in ASCII, whatever the case.
bool same(std::string_view a, std::string_view b);
// As `same`, and "_" is "-": CGI and what came after it give a backend's program the same name for both.
bool alike(std::string_view a, std::string_view b);
// Whether a comma-separated list has this element.
bool lists(std::string_view list, std::string_view element);

std::string_view trimmed(std::string_view value);
bool token(std::string_view text);
bool digits(std::string_view text);
// A field's value or a reason has no control characters but tabs (RFC 9110 5.5).
bool printable(std::string_view value);
// A host and, where it is told, a port, as Host has them; it may be empty. Without a comma, which would make a list of it.
bool authority(std::string_view text);
// Whether a trailer may have this name: not if it says how its message is framed, routed, or meant (RFC 9110 6.5.1).
bool may_trail(std::string_view name);

// A request's target, as a proxy for an origin takes it (RFC 9112 3.2).
struct Target {
  std::string_view authority;  // of an absolute one
  std::string_view path;       // and query; empty, or without its slash, if an absolute one has none; or "*"
};
// Nothing: it is none.
std::optional<Target> read_target(std::string_view method, std::string_view text);

}  // namespace lbsuite::net::http1
