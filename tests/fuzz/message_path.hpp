#pragma once
// What becomes of bytes on their way through a proxy, without its sockets: heads and bodies are parsed in pieces of any
// size and written as they would be sent on, and what is sent on must mean the same to whoever parses it next.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1/forward.hpp"
#include "net/http1/parser.hpp"

namespace lbsuite::net::http1 {

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Sent {
  std::string head, body, trailers;
  bool whole = false;
  bool operator==(const Sent&) const = default;
};

struct Path {
  std::vector<Sent> sent;
  std::uint16_t refused = 0;
  std::string why;
  bool operator==(const Path&) const = default;
};

inline constexpr Limits kLimits{2048, 512, 20};

// As a head and a body are written: chunked is the body of one chunk.
inline std::string wire(const Sent& sent, Framing framing) {
  std::string out = sent.head;
  if (framing != Framing::chunked) return out + sent.body;
  if (!sent.body.empty()) {
    write_chunk_head(sent.body.size(), out);
    out.append(sent.body).append("\r\n");
  }
  return out.append("0\r\n").append(sent.trailers).append("\r\n");
}

inline void check_fields(const Head& head) {
  for (const Field& field : head.fields) {
    must(token(field.name), "a name is a token");
    must(printable(field.value) && trimmed(field.value) == field.value,
         "a value is printable, without white space around");
  }
}

// Whoever parses what was sent on must see one request, framed alike.
inline void check_sent(const Sent& sent, const Head& meant) {
  const std::string bytes = wire(sent, meant.framing);
  HeadEnd end;
  Limits wide = kLimits;
  wide.head_bytes *= 4, wide.fields *= 4, wide.target_bytes *= 4;
  const std::size_t size = end.find(bytes, wide);
  must(size == sent.head.size(), "the head ends where it ends");
  Parser parser(Parser::Kind::request, wide);
  Head head;
  must(!parser.read_head(std::string_view(bytes).substr(0, size), head), "the head is fine");
  check_fields(head);
  must(head.method == meant.method && head.minor == 1, "the method stays");
  must(head.framing == meant.framing && head.length == meant.length, "the framing stays");
  std::string body;
  std::size_t taken = 0;
  while (!parser.whole() && !parser.broken() && size + taken < bytes.size())
    taken +=
        parser.read_body(std::string_view(bytes).substr(size + taken), [&](std::string_view data) { body += data; });
  must(!parser.broken(), "the body is fine");
  must(body == sent.body && parser.trailers() == sent.trailers, "the body and its trailers stay");
  if (sent.whole) must(parser.whole() && size + taken == bytes.size(), "nothing is left over");
}

// A client's connection, as far as its bytes go.
class Walk {
 public:
  // bytes: what comes next.
  void take(std::string_view bytes) {
    in_ += bytes;
    while (path_.refused == 0 && (in_body_ ? body() : begin())) {
    }
  }
  const Path& path() const { return path_; }

 private:
  // Both: whether something was done.
  bool begin() {
    const std::size_t size = end_.find(in_, kLimits);
    if (end_.refused()) return refuse(*end_.refused());
    if (size == 0) return false;
    head_bytes_ = in_.substr(0, size);
    in_.erase(0, size);
    end_.restart();
    Head& head = head_.emplace();
    if (const auto refusal = parser_.read_head(head_bytes_, head)) return refuse(*refusal);
    check_fields(head);
    write_request(head, {"192.0.2.1"}, "test", path_.sent.emplace_back().head);
    return in_body_ = true;
  }
  bool body() {
    Sent& sent = path_.sent.back();
    const std::size_t taken = parser_.read_body(in_, [&](std::string_view data) { sent.body += data; });
    in_.erase(0, taken);
    if (parser_.broken()) return refuse({400, "a bad chunk"});
    if (!parser_.whole()) return taken > 0;
    sent.trailers = parser_.trailers();
    sent.whole = true;
    check_sent(sent, *head_);
    in_body_ = false;
    return true;
  }
  bool refuse(const Refusal& refusal) {
    path_.refused = refusal.status;
    path_.why = refusal.why;
    return false;
  }

  Path path_;
  HeadEnd end_;
  Parser parser_{Parser::Kind::request, kLimits};
  std::string in_, head_bytes_;
  std::optional<Head> head_;
  bool in_body_ = false;
};

// bytes: of a client, `piece` of them at a time.
inline Path path_of(std::string_view bytes, std::size_t piece) {
  Walk walk;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) walk.take(bytes.substr(0, piece));
  return walk.path();
}

// bytes: of a backend. What of its head goes to a client means the same there.
inline void check_response(std::string_view bytes) {
  HeadEnd end;
  const std::size_t size = end.find(bytes, kLimits);
  if (size == 0) return;
  Parser parser(Parser::Kind::response, kLimits);
  Head head;
  if (parser.read_head(bytes.substr(0, size), head)) return;
  check_fields(head);
  const bool chunked = head.framing == Framing::chunked || head.framing == Framing::until_close;
  std::string out;
  write_response(head, chunked ? Delivery::chunked : Delivery::as_framed, true, 1, "test", out);
  HeadEnd out_end;
  Limits wide = kLimits;
  wide.head_bytes *= 4, wide.fields *= 4, wide.target_bytes *= 4;
  must(out_end.find(out, wide) == out.size(), "an answer's head ends where it ends");
  Parser again(Parser::Kind::response, wide);
  Head sent;
  must(!again.read_head(out, sent), "an answer's head is fine");
  must(sent.status == head.status && sent.length == (sent.find("content-length") ? head.length : 0), "an answer stays");
  must((sent.framing == Framing::chunked) == chunked, "an answer's framing stays");
}

// Whatever the pieces are, the same must become of the bytes.
inline Path check_path(std::string_view bytes, std::size_t piece) {
  const Path whole = path_of(bytes, bytes.size() + 1);
  must(path_of(bytes, piece) == whole, "the pieces do not matter");
  check_response(bytes);
  return whole;
}

}  // namespace lbsuite::net::http1
