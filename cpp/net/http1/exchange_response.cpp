// The way back: what a backend answers, until the client has the last byte of it.
#include <utility>

#include "net/http1/downstream.hpp"
#include "net/http1/exchange.hpp"
#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

constexpr std::uint32_t kMostInterim = 16;  // answers before the answer

}  // namespace

void Exchange::backend_sent(std::string_view bytes) {
  if (tunnel_) {
    response_bytes_ += bytes.size();
    if (!client_.deliver(bytes)) return client_.close();
    if (client_.undelivered() > kMostUnsent) upstream_->want_reads(false);
    return;
  }
  if (answered_) return take_body(bytes, worker_.scratch());
  std::string kept;
  if (!in_.empty()) {
    kept = std::move(in_.append(bytes));
    in_.clear();
    bytes = kept;
  }
  while (active_ && !answered_ && !tunnel_) {
    const std::size_t taken = take_head(bytes);
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  if (active_ && !answered_ && !tunnel_) in_ = bytes;
}

// Returns how much of `bytes` is done with; 0: there is no whole head, or the exchange is over.
std::size_t Exchange::take_head(std::string_view bytes) {
  const std::size_t size = head_end_.find(bytes, worker_.settings().limits);
  Head head;
  auto refused = head_end_.refused();
  if (size == 0 && !refused) return 0;
  head_end_.restart();
  if (!refused) refused = parser_.read_head(bytes.substr(0, size), head, head_only_);
  if (!refused && head.status == 101 && !upgrade_) refused = Refusal{502, "it switches protocols unasked"};
  if (refused) {
    fail(502, "a backend's answer makes no sense");
    return 0;
  }
  if (head.status < 200 && head.status != 101) {
    pass_interim(head);
    return size;
  }
  pass_head(head, bytes.substr(size));
  return 0;
}

void Exchange::pass_interim(const Head& head) {
  if (++interims_ > kMostInterim) return fail(502, "a backend answers for ever without an answer");
  if (minor_ == 0) return;  // HTTP/1.0 knows none
  std::string& out = worker_.scratch();
  write_response(head, Delivery::until_close, true, minor_, worker_.settings().via, out);
  if (!client_.deliver(out)) client_.close();
}

// The head and what has come of the body go to the client together.
void Exchange::pass_head(const Head& head, std::string_view body) {
  answered_ = true;
  status_ = head.status;
  backend_keeps_ = head.keep_alive;
  delivery_ = Delivery::as_framed;
  if (head.framing == Framing::chunked || head.framing == Framing::until_close) {
    delivery_ = minor_ == 0 ? Delivery::until_close : Delivery::chunked;
  }
  // What the client is told now holds: it may send no more from here.
  keep_alive_ = keep_alive_ && delivery_ != Delivery::until_close && request_whole_ && client_.goes_on();
  std::string& out = worker_.scratch();
  write_response(head, delivery_, keep_alive_, minor_, worker_.settings().via, out);
  if (head.status == 101) return begin_tunnel(out, body);
  take_body(body, out);
}

void Exchange::begin_tunnel(std::string_view head, std::string_view first) {
  tunnel_ = true;
  response_bytes_ += first.size();
  if (!client_.deliver(head, first)) return client_.close();
  client_.resume_soon();  // what it sent ahead
}

// out: what goes before it. All of it goes to the client in one piece: a system call costs more than a copy.
void Exchange::take_body(std::string_view bytes, std::string& out) {
  constexpr std::size_t kCopied = 2048;
  std::string_view as_it_is;  // one that is long and needs no chunks around it
  const std::size_t taken = parser_.read_body(bytes, [&](std::string_view data) {
    response_bytes_ += data.size();
    if (data.empty()) return;  // a chunk of nothing would end the body
    if (delivery_ == Delivery::chunked) {
      write_chunk_head(data.size(), out);
      out.append(data).append("\r\n");
    } else if (parser_.framing() == Framing::chunked || data.size() <= kCopied) {
      out.append(data);
    } else {
      as_it_is = data;
    }
  });
  if (parser_.whole()) end_body(out);
  if (!out.empty() && !client_.deliver(out, as_it_is)) return client_.close();
  if (out.empty() && !as_it_is.empty() && !client_.deliver(as_it_is)) return client_.close();
  if (parser_.broken()) {
    leave(false, true);
    return over(false);
  }
  if (parser_.whole()) return finish(taken == bytes.size());
  if (client_.undelivered() > kMostUnsent && upstream_ != nullptr) upstream_->want_reads(false);
}

void Exchange::end_body(std::string& out) const {
  if (delivery_ == Delivery::chunked) out.append("0\r\n").append(parser_.trailers()).append("\r\n");
}

// The backend has closed, and so told that this was all.
void Exchange::end_with_connection() {
  std::string& out = worker_.scratch();
  end_body(out);
  if (!out.empty() && !client_.deliver(out)) return client_.close();
  finish(false);
}

// clean: the backend sent nothing beyond this response.
void Exchange::finish(bool clean) {
  worker_.counters().answered.add(1);
  leave(clean && backend_keeps_ && request_whole_, status_ >= 500);
  over(keep_alive_ && request_whole_);
}

}  // namespace lbsuite::net::http1
