#include "net/http1/downstream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

// A client that sends ahead of the answers is not read on from here.
constexpr std::size_t kMostAhead = 65536;
constexpr double kLinger_s = 2;  // for what a client still sends when all is said

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
  if ((events & EPOLLOUT) != 0 && !flush()) return close();
  if (ended()) return;
  if (stream_.wants_reads()) {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    close();  // not its end of sending, which is told as EPOLLIN: it is gone
  }
}

bool Downstream::flush() {
  const std::size_t before = stream_.unsent();
  if (!stream_.flush(*this)) return false;
  if (stream_.unsent() < before) set_deadline();
  if (stream_.unsent() > 0) return true;
  if (closing_) {
    close_when_sent();
  } else if (exchange_.active()) {
    exchange_.delivered();
  } else if (!in_.empty()) {
    resume();
  }
  return true;
}

void Downstream::receive() {
  std::size_t size = 0;
  const auto room = worker_.room();
  switch (stream_.receive(*this, room, size)) {
    case Stream::Got::nothing:
      return;
    case Stream::Got::end:
      return client_ended();
    case Stream::Got::broken:
      return close();
    case Stream::Got::bytes:
      break;
  }
  if (closing_) return;  // it speaks to nobody
  worker_.counters().bytes_in.add(size);
  const std::string_view bytes(room.data(), size);
  if (!in_.empty()) {
    in_.append(bytes);
    return resume();
  }
  in_.assign(bytes.substr(take(bytes)));
  settle();
}

// RFC 9112 9.6: who has ended his side may wait for the answer to what he sent whole.
void Downstream::client_ended() {
  half_closed_ = true;
  const bool idle = !exchange_.active() && in_.empty();
  const bool half = exchange_.active() && !exchange_.request_whole();
  if (half || (idle && stream_.unsent() == 0)) return close();
  if (exchange_.tunnel()) exchange_.end_pass();
  settle();
}

void Downstream::resume() {
  in_.erase(0, take(in_));
  settle();
}

void Downstream::resume_soon() {
  if (taking_ || ended()) return;
  resuming_ = true;
  ring_at(worker_.reactor().now());
}

// Takes all that can be taken now. While a client does not take its answers, no more requests are taken.
std::size_t Downstream::take(std::string_view bytes) {
  const std::size_t size = bytes.size();
  taking_ = true;
  while (!bytes.empty() && !ended() && !closing_) {
    std::size_t taken = 0;
    if (exchange_.tunnel()) {
      exchange_.pass(bytes);
      taken = bytes.size();
    } else if (!exchange_.active()) {
      if (stream_.unsent() <= kMostUnsent) taken = take_head(bytes);
    } else if (!exchange_.request_whole()) {
      taken = take_body(bytes);
    }
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  taking_ = false;
  return size - bytes.size();
}

void Downstream::settle() {
  if (ended()) return;
  if (closing_) in_.clear();
  if (in_.empty() && in_.capacity() > 4096) in_.shrink_to_fit();
  const bool waits = exchange_.active() || stream_.unsent() > kMostUnsent;
  if (half_closed_ && !waits && !closing_) return close_when_sent();
  watch_reads();
  set_deadline();
}

void Downstream::watch_reads() {
  const bool waits = exchange_.active() || stream_.unsent() > kMostUnsent;
  const bool full = waits && in_.size() >= kMostAhead;
  const bool wanted = !half_closed_ && (closing_ || !(held_ || full));
  if (wanted != stream_.wants_reads()) stream_.want_reads(*this, wanted);
}

void Downstream::want_reads(bool wanted) {
  held_ = !wanted;
  if (!taking_) watch_reads();
}

std::size_t Downstream::take_head(std::string_view bytes) {
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
  const std::uint64_t most = worker_.settings().most_body_bytes;
  if (parser_.broken()) {
    refuse_body(400, "a bad chunk");
  } else if (most != 0 && exchange_.active() && exchange_.request_bytes() > most) {
    refuse_body(413, "the body is too long");
  } else if (parser_.whole() && exchange_.active()) {
    exchange_.end(parser_.trailers());
  }
  return size;
}

bool Downstream::deliver(std::string_view first, std::string_view second) {
  worker_.counters().bytes_out.add(first.size() + second.size());
  if (ended() || !stream_.send(*this, first, second)) return false;
  if (stream_.unsent() == 0) set_deadline();
  return true;
}

void Downstream::refuse(std::uint16_t status, std::string_view why) {
  worker_.counters().refused.add(1);
  answer(status, why, false);
  close_when_sent();
}

// Where an answer has begun, another would be taken for a part of it.
void Downstream::refuse_body(std::uint16_t status, std::string_view why) {
  const bool begun = exchange_.active() && exchange_.answered();
  exchange_.abandon();
  if (!begun) return refuse(status, why);
  worker_.counters().refused.add(1);
  close_when_sent();
}

void Downstream::answer(std::uint16_t status, std::string_view why, bool keep_alive, bool bodiless) {
  std::string& answer = worker_.scratch();
  write_answer(status, why, keep_alive && !last_, bodiless, answer);
  deliver(answer);
}

void Downstream::over(bool keep_alive) {
  if (ended()) return;
  held_ = false;
  if (!keep_alive || last_ || !parser_.whole()) return close_when_sent();
  if (taking_) return;
  if (!in_.empty() || half_closed_) return resume_soon();
  watch_reads();
  set_deadline();
}

void Downstream::drain() {
  last_ = true;
  if (!exchange_.active() && head_since_ == 0) close_when_sent();
}

void Downstream::close_when_sent() {
  closing_ = true;
  if (stream_.unsent() == 0) {
    if (half_closed_) return close();
    // The answer must not be lost to a reset because of bytes that nobody read: the client closes after it, or the
    // deadline does.
    stream_.finish();
  }
  if (!taking_) watch_reads();
  set_deadline();
}

void Downstream::close() {
  if (ended()) return;
  if (exchange_.active()) exchange_.abandon();
  stream_.end(*this);
}

void Downstream::set_deadline() {
  if (ended() || resuming_) return;
  const Timeouts& timeouts = worker_.settings().timeouts;
  const double now = worker_.reactor().now();
  if (closing_ && stream_.unsent() == 0) {
    ring_at(now + std::min(timeouts.idle_s, kLinger_s));
  } else if (exchange_.active() && !exchange_.tunnel() && timeouts.request_s > 0) {
    ring_at(std::min(exchange_.began() + timeouts.request_s, now + timeouts.idle_s));
  } else if (head_since_ > 0 && !exchange_.active() && !closing_) {
    ring_at(head_since_ + timeouts.head_s);
  } else {
    ring_at(now + timeouts.idle_s);
  }
}

void Downstream::ring() {
  if (ended()) return;
  if (std::exchange(resuming_, false)) return resume();
  if (closing_) return close();
  if (exchange_.active()) return exchange_.time_out();
  // A CR LF that belongs to nothing is no head.
  if (head_since_ > 0 && in_ != "\r\n") return refuse(408, "the head took too long");
  close();
}

}  // namespace lbsuite::net::http1
