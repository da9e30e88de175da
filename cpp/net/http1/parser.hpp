#pragma once
// HTTP/1 messages as they come, one after another on one connection: llhttp parses, and what it lets pass although it is
// ambiguous is refused here (RFC 9112; request smuggling). Nothing is repaired.
// A head is parsed when all of it is there, in one piece; a body is handed on as it comes. Cost: llhttp's pass over the
// bytes, a scan for line ends, no allocation for heads of up to 24 fields.

#include <llhttp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "net/http1/head.hpp"
#include "net/http1/head_end.hpp"

namespace lbsuite::net::http1 {

class Parser {
 public:
  enum class Kind : std::uint8_t { request, response };
  Parser(Kind kind, const Limits& limits);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // bytes: one whole head; `head` is a new one, and gets views into them. Nothing if all is well. for_head: a response to HEAD.
  std::optional<Refusal> read_head(std::string_view bytes, Head& head, bool for_head = false);

  // bytes: what follows. `sink(data)` gets the body's data; returns how much of `bytes` belongs to this message.
  template <class Sink>
  std::size_t read_body(std::string_view bytes, Sink&& sink);
  // A chunked body's end, trailers included, or all of its length has been read. Of an until_close body: `close`.
  bool whole() const { return whole_; }
  // Of a chunked body that is whole: its trailer fields as lines, without those that a trailer must not have.
  std::string_view trailers() const { return trailers_; }
  Framing framing() const { return framing_; }
  bool broken() const { return broken_; }

 private:
  friend struct Hooks;
  // Whatever is wrong with a response is the backend's fault.
  std::uint16_t status(std::uint16_t of_request) const {
    return kind_ == Kind::request ? of_request : std::uint16_t{502};
  }
  Refusal misread(llhttp_errno error, std::string_view bytes) const;
  std::optional<Refusal> check_request(std::string_view bytes, Head& head) const;
  std::optional<Refusal> check_fields(const Head& head) const;
  std::optional<Refusal> check_response(std::string_view bytes, const Head& head) const;
  std::optional<Refusal> read_connection(Head& head) const;
  std::optional<Refusal> frame(Head& head, bool for_head);
  std::optional<Refusal> delimit(Head& head, bool for_head, bool length, bool chunked);

  const Kind kind_;
  const Limits& limits_;
  llhttp_t llhttp_;
  Head* head_ = nullptr;
  bool in_value_ = false;
  bool whole_ = false;
  bool broken_ = false;
  Framing framing_ = Framing::none;
  std::uint64_t left_ = 0;
  std::uint64_t excess_ = 0;    // bytes of a chunked body that are no data, beyond 16 for each that is
  const char* mark_ = nullptr;  // they are counted up to here
  std::string trailer_name_, trailer_value_, trailers_;
  void* sink_ = nullptr;
  void (*deliver_)(void*, std::string_view) = nullptr;

  std::size_t read_chunked(std::string_view bytes);
  bool spend(const char* until);
  int trail(std::string& part, std::string_view bytes);
  void end_trailer();
};

template <class Sink>
std::size_t Parser::read_body(std::string_view bytes, Sink&& sink) {
  if (whole_ || broken_ || bytes.empty()) return 0;
  if (framing_ == Framing::until_close) {
    sink(bytes);
    return bytes.size();
  }
  if (framing_ == Framing::length) {
    const std::string_view data = bytes.substr(0, left_);
    left_ -= data.size();
    whole_ = left_ == 0;
    sink(data);
    return data.size();
  }
  sink_ = &sink;
  deliver_ = [](void* to, std::string_view data) { (*static_cast<std::remove_reference_t<Sink>*>(to))(data); };
  return read_chunked(bytes);
}

}  // namespace lbsuite::net::http1
