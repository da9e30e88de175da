#include "net/http1/downstream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

// A client that sends ahead of the answers is not read on from here.
constexpr std::size_t kMostAhead = 65536;

}  // namespace

Downstream& Downstream::open(Worker& worker, Accepted accepted) {
  auto tls = worker.tls() == nullptr ? nullptr : worker.tls()->accept(accepted.socket.number());
  std::unique_ptr<Downstream> made(new Downstream(worker, std::move(accepted), std::move(tls)));
  Downstream& opened = *made;
  opened.stream_.watch(std::move(made), false);
  opened.set_deadline();
  return opened;
}

Downstream::Downstream(Worker& worker, Accepted accepted, std::unique_ptr<TlsSession> tls)
    : Timer(worker.reactor().timers()),
      worker_(worker),
      stream_(worker.reactor(), std::move(accepted.socket), std::move(tls)),
      host_(accepted.from.host()),
      origin_{host_, accepted.from.family() == AF_INET6, worker.settings().trusted.contain(accepted.from),
              worker.tls() != nullptr},
      parser_(Parser::Kind::request, worker.settings().limits),
      exchange_(worker, *this) {
  worker.joined(*this);
}

Downstream::~Downstream() { worker_.left(*this); }

void Downstream::ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    if (!stream_.flush(*this)) return close();
    if (stream_.unsent() == 0) {
      if (closing_) return close();
      if (exchange_.active()) exchange_.delivered();
    }
  }
  if (!ended() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
}

void Downstream::receive() {
  std::size_t size = 0;
  const auto room = worker_.room();
  switch (stream_.receive(*this, room, size)) {
    case Stream::Got::nothing:
      return;
    case Stream::Got::end:
    case Stream::Got::broken:
      return close();
    case Stream::Got::bytes:
      break;
  }
  if (closing_) return;  // it speaks to nobody
  worker_.counters().bytes_in.add(size);
  const std::string_view bytes(room.data(), size);
  if (in_.empty()) return take(bytes);
  in_.append(bytes);
  take(std::exchange(in_, {}));
}

// All that can be taken now; the rest is kept.
void Downstream::take(std::string_view bytes) {
  taking_ = true;
  while (!bytes.empty() && !ended() && !closing_) {
    std::size_t taken = 0;
    if (exchange_.tunnel()) {
      exchange_.pass(bytes);
      taken = bytes.size();
    } else if (!exchange_.active()) {
      taken = take_head(bytes);
    } else if (!exchange_.request_whole()) {
      taken = take_body(bytes);
    }
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  taking_ = false;
  if (ended()) return;
  in_.assign(closing_ ? std::string_view() : bytes);
  if (in_.empty() && in_.capacity() > 4096) in_.shrink_to_fit();
  if (exchange_.active() && exchange_.request_whole() && in_.size() >= kMostAhead) want_reads(false);
  set_deadline();
}

std::size_t Downstream::take_head(std::string_view bytes) {
  // RFC 9112 2.2: some clients end a body with a CR LF that belongs to nothing.
  if (head_since_ == 0 && bytes.starts_with("\r\n")) return 2;
  if (head_since_ == 0) head_since_ = worker_.reactor().now();
  const std::size_t size = head_end_.find(bytes, worker_.settings().limits);
  if (size == 0) {
    if (const auto refused = head_end_.refused()) refuse(refused->status, refused->why);
    return 0;
  }
  head_end_.restart();
  head_since_ = 0;
  Head head;
  if (const auto refused = parser_.read_head(bytes.substr(0, size), head)) {
    refuse(refused->status, refused->why);
    return 0;
  }
  const std::uint64_t most = worker_.settings().most_body_bytes;
  if (most != 0 && head.framing == Framing::length && head.length > most) {
    refuse(413, "the body is too long");
    return 0;
  }
  last_ |= !head.keep_alive;
  exchange_.begin(head, parser_.whole());
  return size;
}

std::size_t Downstream::take_body(std::string_view bytes) {
  const std::size_t size = parser_.read_body(bytes, [this](std::string_view data) {
    if (exchange_.active()) exchange_.data(data);
  });
  if (parser_.broken()) {
    exchange_.abandon();
    refuse(400, "a bad chunk");
    return 0;
  }
  if (parser_.whole() && exchange_.active()) exchange_.end(parser_.trailers());
  return size;
}

bool Downstream::deliver(std::string_view first, std::string_view second) {
  worker_.counters().bytes_out.add(first.size() + second.size());
  if (!ended() && stream_.send(*this, first, second)) return true;
  return false;
}

void Downstream::refuse(std::uint16_t status, std::string_view why) {
  worker_.counters().refused.add(1);
  answer(status, why, false);
  close_when_sent();
}

void Downstream::answer(std::uint16_t status, std::string_view why, bool keep_alive, bool bodiless) {
  std::string& answer = worker_.scratch();
  write_answer(status, why, keep_alive && !last_, bodiless, answer);
  deliver(answer);
}

void Downstream::over(bool keep_alive) {
  if (ended()) return;
  if (!keep_alive || last_ || !parser_.whole()) return close_when_sent();
  want_reads(true);
  if (!in_.empty() && !taking_) take(std::exchange(in_, {}));
  if (!ended()) set_deadline();
}

void Downstream::drain() {
  last_ = true;
  if (!exchange_.active() && head_since_ == 0) close_when_sent();
}

void Downstream::close_when_sent() {
  closing_ = true;
  if (stream_.unsent() == 0) {
    // The answer must not be lost to a reset because of bytes that nobody read: the client closes after it, or the
    // deadline does.
    stream_.finish();
  }
  set_deadline();
}

void Downstream::close() {
  if (ended()) return;
  if (exchange_.active()) exchange_.abandon();
  stream_.end(*this);
}

void Downstream::set_deadline() {
  if (ended()) return;
  const Timeouts& timeouts = worker_.settings().timeouts;
  const double now = worker_.reactor().now();
  if (closing_) {
    ring_at(now + std::min(timeouts.idle_s, 2.0));
  } else if (exchange_.active() && timeouts.request_s > 0) {
    ring_at(now + std::min(timeouts.request_s, timeouts.idle_s));
  } else if (head_since_ > 0 && !exchange_.active()) {
    ring_at(head_since_ + timeouts.head_s);
  } else {
    ring_at(now + timeouts.idle_s);
  }
}

void Downstream::ring() {
  if (closing_) return close();
  if (exchange_.active()) return exchange_.time_out();
  if (head_since_ > 0) return refuse(408, "the head took too long");
  close();
}

}  // namespace lbsuite::net::http1
