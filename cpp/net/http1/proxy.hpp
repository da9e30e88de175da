#pragma once
// http1: a reverse proxy for HTTP/1.1. The engine that every host has decides; here are bytes in and bytes out.
//   proxy        its threads                       worker      one of them: reactor, lane, pools, figures
//   downstream   a client's connection             upstream    connections to backends
//   exchange     one request and its response      forward     the heads that are sent on
//   parser       the messages as they come         head, head_end, grammar     what they are made of
//   request_key  what hashing policies get         settings    what it is told
//   access_log   a line a request                  networks    whose word is passed on
// Never holds the GIL, never waits for Python.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {

// The figures of all threads together.
struct Totals {
  std::uint64_t connections = 0, requests = 0, answered = 0, refused = 0, failed = 0, retried = 0, bytes_in = 0,
                bytes_out = 0;
  std::int64_t open = 0;
};

class Proxy {
 public:
  // Listens and serves. The engine must outlive it and account by `done`. Throws std::system_error if it cannot listen,
  // std::invalid_argument for what is told wrongly.
  Proxy(Engine<Shared>& engine, ProxySettings settings, const std::vector<std::string>& listen, File access_log);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // Where it listens: ports that were 0 are told.
  const std::vector<std::string>& addresses() const { return addresses_; }
  Totals totals() const;
  // No new connections, no new requests. True when all that was under way is over within `drain_s`; the rest is cut.
  bool close(double drain_s);

 private:
  const ProxySettings settings_;
  std::unique_ptr<AccessLog> log_;
  std::unique_ptr<Tls> tls_;
  std::vector<std::string> addresses_;
  mutable std::mutex ending_;  // figures are read while it closes
  Totals before_;              // of workers that have ended
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  SharedCell<std::uint32_t> running_{0};
};

}  // namespace lbsuite::net::http1
