#pragma once
// Connections to backends: one carries one request at a time and is kept for the next.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1/head.hpp"
#include "net/reactor/socket.hpp"
#include "net/reactor/stream.hpp"

namespace lbsuite::net::http1 {

class Pool;
class Worker;

// What a connection to a backend tells whoever uses it.
class UpstreamUser {
 public:
  virtual void backend_connected() = 0;
  virtual void backend_sent(std::string_view bytes) = 0;
  virtual void backend_took_all() = 0;  // nothing is unsent any more
  // error: 0 if it closed in order.
  virtual void backend_gone(int error) = 0;

 protected:
  ~UpstreamUser() = default;
};

class Upstream final : public Watched, private Timer {
 public:
  Upstream(Worker& worker, Pool& pool, File socket);
  ~Upstream() override;

  void ready(std::uint32_t events) override;
  void use(UpstreamUser* user);
  // The user leaves it for the next, or, where it cannot be used again, for good.
  void release(bool reusable);
  bool send(std::string_view first, std::string_view second = {});
  // It cannot be written to: its user hears so when this round of events is over, not within its own call.
  void fail();
  std::size_t unsent() const { return stream_.unsent(); }
  void want_reads(bool wanted) { stream_.want_reads(*this, wanted); }
  // Nothing follows what was sent: a tunnel's client has ended its side.
  void end_sending() { stream_.end_sending(); }
  bool connecting() const { return connecting_; }
  bool used_before() const { return used_before_; }

 private:
  friend class Pool;
  void ring() override;
  void receive();
  void gone(int error);

  Worker& worker_;
  Pool& pool_;
  Stream stream_;
  UpstreamUser* user_ = nullptr;
  bool connecting_ = true;
  bool used_before_ = false;
};

// The connections to one backend that wait for a request, newest last.
class Pool {
 public:
  Pool(Worker& worker, std::uint32_t index, std::uint32_t generation, const std::string& address);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const std::string& address() const { return text_; }
  std::uint32_t generation() const { return generation_; }
  // One that waits, else a new one. fresh: a new one in any case. nullptr: `error` tells why.
  Upstream* take(bool fresh, int& error);
  // None waits from now on.
  void close();
  bool unused() const { return open_ == 0; }

 private:
  friend class Upstream;
  Worker& worker_;
  const std::uint32_t index_, generation_;
  const std::string text_;
  const std::optional<SocketAddress> address_;  // nothing: a name, which is not resolved here
  std::vector<Upstream*> idle_;
  std::size_t open_ = 0;  // waiting or not
  bool closed_ = false;
};

}  // namespace lbsuite::net::http1
