#pragma once
// One thread of a proxy: its reactor, its lane of the engine, its connections to backends, its figures.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "engine/engine.hpp"
#include "net/http1/access_log.hpp"
#include "net/http1/settings.hpp"
#include "net/http1/upstream.hpp"
#include "net/reactor/reactor.hpp"

namespace lbsuite::net::http1 {

class Downstream;

// What a thread has seen since it began; read by others while it runs.
struct Counters {
  SharedCell<std::uint64_t> connections, requests, answered, refused, failed, retried, bytes_in, bytes_out;
  SharedCell<std::int64_t> open;
};

// Retries cost at most a share of requests and a few a second beside (SRE book, ch. 21).
class RetryBudget {
 public:
  RetryBudget(double share, double per_s) : share_(share), per_s_(per_s), tokens_(per_s) {}
  void request() { tokens_ = std::min(tokens_ + share_, most()); }
  bool retry(double now) {
    if (last_ > 0) tokens_ = std::min(tokens_ + (now - last_) * per_s_, most());
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double most() const { return 10 * per_s_ + 100; }
  const double share_, per_s_;
  double tokens_, last_ = 0;
};

class Worker {
 public:
  Worker(Engine<Shared>& engine, const ProxySettings& settings, std::uint32_t lane, AccessLog* log, Tls* tls);
  ~Worker();

  Reactor& reactor() { return reactor_; }
  const ProxySettings& settings() const { return settings_; }
  Engine<Shared>& engine() { return engine_; }
  std::uint32_t lane() const { return lane_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  RetryBudget& retries() { return retries_; }
  AccessLog* log() { return log_; }
  Tls* tls() { return tls_; }  // nullptr: clients speak plain text
  // To read into; what is in it is gone with the next read of anybody.
  std::span<char> room() { return room_; }
  std::string& scratch() {
    scratch_.clear();
    return scratch_;
  }
  // The connections to the picked endpoint; nullptr if it has left.
  Pool* pool(const Pick& pick);

  // Before it runs.
  void listen(File listener);
  // No new connections; what is idle is closed, what is under way is the last on its connection.
  void drain();
  bool draining() const { return draining_; }
  void run() { reactor_.run(); }

 private:
  friend class Downstream;
  class Listener;
  void joined(Downstream& client);
  void left(Downstream& client);
  bool accept(int listener);

  Engine<Shared>& engine_;
  const ProxySettings& settings_;
  const std::uint32_t lane_;
  AccessLog* const log_;
  Tls* const tls_;
  Counters counters_;
  RetryBudget retries_;
  std::array<char, 65536> room_;
  std::string scratch_;
  std::vector<std::unique_ptr<Pool>> pools_;  // by the endpoint's index
  std::vector<std::unique_ptr<Pool>> left_;   // of endpoints that are gone, but for requests under way
  std::vector<Listener*> listeners_;
  absl::flat_hash_set<Downstream*> clients_;
  bool draining_ = false;
  Reactor reactor_;  // last: what it watches goes first
};

}  // namespace lbsuite::net::http1
