#pragma once
// The heads that a proxy sends on: made of what was parsed, never of the bytes that came.

#include <string>
#include <string_view>

#include "net/http1/head.hpp"

namespace lbsuite::net::http1 {

// Whom a request came from, and whether his word on whom he forwards for is passed on.
struct Origin {
  std::string_view host;  // the client's address
  bool six = false;
  bool trusted = false;
  bool tls = false;
};

// Appends the request's head as it goes to a backend. Hop-by-hop fields go (RFC 9110 7.6.1), Via, Forwarded (RFC 7239)
// and X-Forwarded-* come.
void write_request(const Head& head, const Origin& origin, std::string_view via, std::string& out);

// How the response's body reaches the client.
enum class Delivery : std::uint8_t { as_framed, chunked, until_close };

// Appends the response's head as it goes to the client.
void write_response(const Head& head, Delivery delivery, bool keep_alive, std::uint8_t client_minor,
                    std::string_view via, std::string& out);

// A whole response of the proxy's own.
void write_answer(std::uint16_t status, std::string_view why, bool keep_alive, bool bodiless, std::string& out);

// A chunk's frame around `size` bytes of data.
void write_chunk_head(std::size_t size, std::string& out);

std::string_view reason_of(std::uint16_t status);

}  // namespace lbsuite::net::http1
