#include "net/reactor/stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace lbsuite::net {

namespace {

ssize_t send_both(int socket, std::string_view first, std::string_view second) {
  std::array<iovec, 2> pieces{
      {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace

void Stream::watch(std::unique_ptr<Watched> watched, bool connecting) {
  connecting_ = connecting;
  events_ = connecting ? EPOLLIN | EPOLLOUT : EPOLLIN;
  reactor_.watch(std::move(watched), socket(), events_);
}

void Stream::end(Watched& watched) {
  if (!open()) return;
  reactor_.end(watched, socket());
  socket_.close();
  out_ = {};
  sent_ = 0;
}

Stream::Got Stream::receive(Watched& self, std::span<char> room, std::size_t& size) {
  if (tls_ != nullptr) return receive_tls(self, room, size);
  const ssize_t count = ::recv(socket(), room.data(), room.size(), 0);
  size = count > 0 ? static_cast<std::size_t>(count) : 0;
  if (count > 0) return Got::bytes;
  if (count == 0) return Got::end;
  return errno == EAGAIN || errno == EINTR ? Got::nothing : Got::broken;
}

bool Stream::send(Watched& self, std::string_view bytes) { return send(self, bytes, {}); }

bool Stream::send(Watched& self, std::string_view first, std::string_view second) {
  if (connecting_ || unsent() > 0 || tls_ != nullptr) {
    const bool waiting = connecting_ || unsent() > 0;
    keep(first);
    keep(second);
    return waiting || flush(self);
  }
  const ssize_t count =
      second.empty() ? ::send(socket(), first.data(), first.size(), MSG_NOSIGNAL) : send_both(socket(), first, second);
  if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
  const std::size_t sent = count > 0 ? static_cast<std::size_t>(count) : 0;
  if (sent == first.size() + second.size()) return true;
  keep(first.substr(std::min(sent, first.size())));
  keep(second.substr(sent > first.size() ? sent - first.size() : 0));
  update(self);
  return true;
}

void Stream::keep(std::string_view bytes) {
  if (sent_ > 0) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  out_.append(bytes);
}

bool Stream::flush(Watched& self) {
  while (unsent() > 0) {
    std::size_t size = 0;
    if (!write(std::string_view(out_).substr(sent_), size)) return false;
    if (size == 0) break;
    sent_ += size;
  }
  if (unsent() == 0) {
    constexpr std::size_t kKept = 4096;
    if (out_.capacity() > kKept) out_ = {};
    out_.clear();
    sent_ = 0;
    if (sending_ends_) finish();
  }
  update(self);
  return true;
}

bool Stream::write(std::string_view bytes, std::size_t& size) {
  if (tls_ != nullptr) {
    const auto said = tls_->write(bytes, size);
    return said == TlsSession::Said::fine || said == TlsSession::Said::again;
  }
  ssize_t count = 0;
  do {
    count = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  size = count > 0 ? static_cast<std::size_t>(count) : 0;
  return count >= 0 || errno == EAGAIN;
}

Stream::Got Stream::receive_tls(Watched& self, std::span<char> room, std::size_t& size) {
  const auto said = tls_->read(room, size);
  update(self);  // a handshake may have to write first
  switch (said) {
    case TlsSession::Said::fine:
      return Got::bytes;
    case TlsSession::Said::again:
      return Got::nothing;
    case TlsSession::Said::end:
      return Got::end;
    default:
      return Got::broken;
  }
}

void Stream::end_sending() {
  sending_ends_ = true;
  if (open() && !connecting_ && unsent() == 0) finish();
}

void Stream::finish() {
  if (tls_ != nullptr) tls_->finish();
  ::shutdown(socket(), SHUT_WR);
}

void Stream::connected(Watched& self) {
  connecting_ = false;
  update(self);
}

void Stream::want_reads(Watched& self, bool wanted) {
  reads_ = wanted;
  update(self);
}

void Stream::update(Watched& self) {
  std::uint32_t events = 0;
  // A level-triggered hang-up that nobody reads would be told for ever.
  events |= reads_ ? std::uint32_t{EPOLLIN} : std::uint32_t{EPOLLET};
  if (connecting_ || unsent() > 0 || (tls_ != nullptr && tls_->wants_write())) events |= EPOLLOUT;
  if (!open() || events == events_) return;
  events_ = events;
  reactor_.change(self, socket(), events);
}

}  // namespace lbsuite::net
