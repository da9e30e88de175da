#pragma once
// The head of one HTTP/1 message, as parsed: views into the bytes that came.

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "net/http1/grammar.hpp"

namespace lbsuite::net::http1 {

struct Field {
  std::string_view name, value;
};

// How a body is delimited (RFC 9112 section 6.3).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct Head {
  std::string_view method;     // of a request
  std::string_view target;     // its path and query, "*", or nothing where an absolute one has neither
  std::string_view authority;  // of an absolute target: the same as Host
  std::uint16_t status = 0;    // of a response
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

// What is answered to a message that is not taken.
struct Refusal {
  std::uint16_t status;
  std::string_view why;
};

}  // namespace lbsuite::net::http1
