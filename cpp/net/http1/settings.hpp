#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "net/http1/networks.hpp"
#include "net/http1/parser.hpp"

namespace lbsuite::net::http1 {

// What of a request a policy that goes by a key gets.
enum class KeySource : std::uint8_t { none, path, header, cookie };

struct Timeouts {
  double connect_s = 1;
  double head_s = 10;    // from the first byte of a head to its end
  double idle_s = 60;    // between requests, and between two pieces of one message
  double request_s = 0;  // from a request's head to the end of its response; 0: no limit
};

struct ProxySettings {
  std::uint32_t threads = 1;
  Limits limits;
  Timeouts timeouts;
  std::uint64_t most_body_bytes = 0;       // of a request; 0: no limit
  std::uint32_t most_connections = 10000;  // of clients, a thread
  std::uint32_t most_idle = 256;           // connections kept open to one backend, a thread
  std::uint32_t attempts = 3;
  double retry_share = 0.1;  // of requests that may be tried again, beside
  double retries_per_s = 10;
  KeySource key = KeySource::none;
  std::string key_name;  // of the header or cookie
  Networks trusted;      // whose word on whom they forward for is passed on
  std::string via = "lbsuite";
  std::string certificate, certificate_key;  // files in PEM; empty: clients speak plain text
};

}  // namespace lbsuite::net::http1
