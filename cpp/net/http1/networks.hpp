#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "net/reactor/socket.hpp"

namespace lbsuite::net::http1 {

// Networks in CIDR notation, "10.0.0.0/8" or "fd00::/8".
class Networks {
 public:
  // Throws std::invalid_argument with the bad text.
  void add(std::string_view cidr) {
    const std::string host(cidr.substr(0, cidr.find('/')));
    Network network;
    const bool six = host.find(':') != host.npos;
    network.family = six ? AF_INET6 : AF_INET;
    const bool read = ::inet_pton(network.family, host.c_str(), network.bytes.data()) == 1;
    const std::uint32_t most = six ? 128 : 32;
    network.bits = most;
    bool fits = true;
    if (host.size() < cidr.size()) {
      const std::string digits(cidr.substr(host.size() + 1));
      fits = !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == digits.npos;
      if (fits) network.bits = static_cast<std::uint32_t>(std::stoul(digits));
    }
    if (!read || !fits || network.bits > most)
      throw std::invalid_argument("not a network: '" + std::string(cidr) + "'");
    networks_.push_back(network);
  }

  bool contain(const SocketAddress& address) const {
    return std::any_of(networks_.begin(), networks_.end(),
                       [&](const Network& network) { return within(network, address); });
  }

 private:
  struct Network {
    int family = AF_INET;
    std::array<std::uint8_t, 16> bytes{};
    std::uint32_t bits = 0;
  };

  static bool within(const Network& network, const SocketAddress& address) {
    if (address.family() != network.family) return false;
    const void* const host =
        network.family == AF_INET6
            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr)
            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), host, network.family == AF_INET6 ? 16 : 4);
    for (std::uint32_t bit = 0; bit < network.bits; ++bit) {
      const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      if (((bytes[bit / 8] ^ network.bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
  }

  std::vector<Network> networks_;
};

}  // namespace lbsuite::net::http1
