#pragma once
// A client's connection: heads and bodies are read off it one request after another, and each request is an exchange.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/http1/exchange.hpp"
#include "net/http1/forward.hpp"
#include "net/http1/parser.hpp"
#include "net/reactor/socket.hpp"
#include "net/reactor/stream.hpp"

namespace lbsuite::net::http1 {

class Worker;

class Downstream final : public Watched, private Timer {
 public:
  // Watches a new connection.
  static Downstream& open(Worker& worker, Accepted accepted);
  ~Downstream() override;

  void ready(std::uint32_t events) override;
  // The request under way, if there is one, is its last.
  void drain();

  // For the exchange. False: the client is gone.
  bool deliver(std::string_view first, std::string_view second = {});
  std::size_t undelivered() const { return stream_.unsent(); }
  // Not, while a backend has not taken what came.
  void want_reads(bool wanted);
  // More requests may follow.
  bool goes_on() const { return !last_; }
  const Origin& origin() const { return origin_; }
  // Answers in place of a backend. The connection goes on if `keep_alive` and the whole request was read.
  void answer(std::uint16_t status, std::string_view why, bool keep_alive, bool bodiless = false);
  // The exchange is over.
  void over(bool keep_alive);
  // What was sent ahead is taken when this event has been dealt with: never within what an exchange calls.
  void resume_soon();
  void close();

 private:
  Downstream(Worker& worker, Accepted accepted, std::unique_ptr<TlsSession> tls);
  void ring() override;
  bool flush();
  void receive();
  void client_ended();
  void resume();
  std::size_t take(std::string_view bytes);
  void settle();
  void watch_reads();
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  void refuse(std::uint16_t status, std::string_view why);
  void refuse_body(std::uint16_t status, std::string_view why);
  void close_when_sent();
  void set_deadline();

  Worker& worker_;
  Stream stream_;
  const std::string host_;
  const Origin origin_;
  HeadEnd head_end_;
  Parser parser_;
  std::string in_;            // bytes that came and nobody has taken
  double head_since_ = 0;     // when the first byte of a head came; 0: none has
  bool taking_ = false;       // what is answered at once does not recurse
  bool resuming_ = false;     // the timer is set to take `in_`
  bool held_ = false;         // the exchange wants no more for now
  bool half_closed_ = false;  // the client has ended its side, and may still listen
  bool last_ = false;         // no request is taken after this one
  bool closing_ = false;      // what is unsent is the last
  Exchange exchange_;
};

}  // namespace lbsuite::net::http1
