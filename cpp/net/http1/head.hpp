#pragma once
// The head of one HTTP/1 message, as parsed: views into the bytes that came.

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace lbsuite::net::http1 {

struct Field {
  std::string_view name, value;
};

// How a body is delimited (RFC 9112 section 6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct Head {
  std::string_view method;  // of a request
  std::string_view target;
  std::uint16_t status = 0;  // of a response
  std::string_view reason;
  std::uint8_t minor = 1;  // of the version: HTTP/1.minor
  absl::InlinedVector<Field, 24> fields;
  Framing framing = Framing::none;
  std::uint64_t length = 0;
  bool keep_alive = true;
  bool upgrade = false;

  // The first of this name, in any case.
  std::optional<std::string_view> find(std::string_view name) const;
};

// Names and values of HTTP are compared so: in ASCII, whatever the case.
bool same(std::string_view a, std::string_view b);
// Whether a comma-separated list has this element.
bool lists(std::string_view list, std::string_view element);

// What is answered to a message that is not taken.
struct Refusal {
  std::uint16_t status;
  std::string_view why;
};

}  // namespace lbsuite::net::http1
