#pragma once
// One TCP connection of a reactor: what it could not send yet is kept, and it is asked what the socket is ready for only
// as far as that is wanted.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/reactor/reactor.hpp"
#include "net/reactor/tls.hpp"

namespace lbsuite::net {

class Stream {
 public:
  enum class Got : std::uint8_t { bytes, nothing, end, broken };

  // tls: in plain text without.
  Stream(Reactor& reactor, File socket, std::unique_ptr<TlsSession> tls = nullptr)
      : reactor_(reactor), socket_(std::move(socket)), tls_(std::move(tls)) {}

  int socket() const { return socket_.number(); }
  bool open() const { return socket_.open(); }
  // connecting: it can be written to as soon as it is connected, which `EPOLLOUT` tells.
  void watch(std::unique_ptr<Watched> watched, bool connecting);
  void end(Watched& watched);

  // One read; `size` is what came.
  Got receive(Watched& self, std::span<char> room, std::size_t& size);
  // Sends what it can and keeps the rest; false: the connection is broken.
  bool send(Watched& self, std::string_view bytes);
  bool send(Watched& self, std::string_view first, std::string_view second);
  // Sends on; false: broken.
  bool flush(Watched& self);
  std::size_t unsent() const { return out_.size() - sent_; }
  // Nothing more is sent: the peer reads an end when it has read the rest.
  void finish();
  void connected(Watched& self);
  // Where they are not wanted, the end of the connection is told once and not again and again.
  void want_reads(Watched& self, bool wanted);
  bool wants_reads() const { return reads_; }
  // Nothing is sent after what is unsent.
  void end_sending();

 private:
  void keep(std::string_view bytes);
  // What the socket takes of `bytes`; false: broken.
  bool write(std::string_view bytes, std::size_t& size);
  Got receive_tls(Watched& self, std::span<char> room, std::size_t& size);
  void update(Watched& self);

  Reactor& reactor_;
  File socket_;
  std::unique_ptr<TlsSession> tls_;
  std::string out_;
  std::size_t sent_ = 0;  // of it
  bool connecting_ = false;
  bool reads_ = true;
  bool sending_ends_ = false;
  std::uint32_t events_ = 0;
};

}  // namespace lbsuite::net
