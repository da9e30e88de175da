#pragma once
// One request and its response: from the endpoint that is picked to the last byte the client gets, over as many backends
// as it takes. What is tried again is what has not been answered yet, and may be asked twice: methods that are
// idempotent (RFC 9110 9.2.2), and any that a backend refused to connect for.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/events.hpp"
#include "net/http1/forward.hpp"
#include "net/http1/parser.hpp"
#include "net/http1/upstream.hpp"

namespace lbsuite::net::http1 {

class Downstream;
class Worker;

// Kept for one side before the other is read no further.
constexpr std::size_t kMostUnsent = 131072;

class Exchange final : private UpstreamUser {
 public:
  Exchange(Worker& worker, Downstream& client);
  ~Exchange();

  bool active() const { return active_; }
  bool tunnel() const { return tunnel_; }
  bool request_whole() const { return request_whole_; }
  // Something of a response went to the client: no other can.
  bool answered() const { return answered_; }
  double began() const { return began_; }
  std::uint64_t request_bytes() const { return request_bytes_; }

  // The head of a request; its body follows by `data` and `end`, none if `whole`.
  void begin(const Head& head, bool whole);
  void data(std::string_view bytes);
  void end(std::string_view trailers);
  // What a client sends where both are bare streams of bytes.
  void pass(std::string_view bytes);
  // It sends no more.
  void end_pass();
  // The client has taken all that was kept for it.
  void delivered();
  // The client has gone, or gives up waiting.
  void abandon();
  // It takes too long.
  void time_out();

 private:
  void backend_connected() override {}
  void backend_sent(std::string_view bytes) override;
  void backend_took_all() override;
  void backend_gone(int error) override;

  void reset(const Head& head);
  void ask();
  bool ask(const Pick& pick);
  void unconnected(int error);
  void send(std::string_view first, std::string_view second = {});
  bool again(bool refused);
  void leave(bool reusable, bool failed);
  void fail(std::uint16_t status, std::string_view why);

  std::size_t take_head(std::string_view bytes);
  void pass_interim(const Head& head);
  void pass_head(const Head& head, std::string_view body);
  void begin_tunnel(std::string_view head, std::string_view first);
  void take_body(std::string_view bytes, std::string& out);
  void end_body(std::string& out) const;
  void end_with_connection();
  void finish(bool clean);
  void over(bool keep_alive);

  Worker& worker_;
  Downstream& client_;
  bool active_ = false;
  bool tunnel_ = false;
  bool request_whole_ = false;
  bool chunked_ = false;    // the request's body
  bool keep_alive_ = true;  // as the client wishes
  bool head_only_ = false;  // HEAD
  bool idempotent_ = false;
  bool upgrade_ = false;
  bool repeatable_ = true;      // all that went to the backend is in `request_`
  bool answered_ = false;       // something of a response went to the client
  bool backend_keeps_ = false;  // the backend's connection may be used again
  std::uint8_t minor_ = 1;
  std::uint16_t status_ = 0;
  std::uint32_t attempts_ = 0, interims_ = 0;
  double began_ = 0, attempt_began_ = 0;
  Delivery delivery_ = Delivery::as_framed;
  Pick pick_;
  Upstream* upstream_ = nullptr;
  std::string address_;  // of the backend
  std::vector<std::string> failed_;
  std::string request_, key_, method_, target_;
  std::uint64_t request_bytes_ = 0, response_bytes_ = 0;
  HeadEnd head_end_;
  Parser parser_;
  std::string in_;
};

}  // namespace lbsuite::net::http1
