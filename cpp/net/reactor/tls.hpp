#pragma once
// TLS for the connections that a listener takes, by OpenSSL: 1.2 and 1.3, HTTP/1.1 by ALPN. Where the build has no
// OpenSSL, making one throws std::invalid_argument.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lbsuite::net {

// One connection's. Never blocks: `again` means that the socket must be ready first, as `wants_write` tells.
class TlsSession {
 public:
  enum class Said : std::uint8_t { fine, again, end, broken };
  virtual ~TlsSession() = default;
  virtual Said read(std::span<char> room, std::size_t& size) = 0;
  virtual Said write(std::string_view bytes, std::size_t& size) = 0;
  // Tells the peer that nothing more comes.
  virtual void finish() = 0;
  virtual bool wants_write() const = 0;
};

class Tls {
 public:
  virtual ~Tls() = default;
  virtual std::unique_ptr<TlsSession> accept(int socket) = 0;

  // Files in PEM; throws std::invalid_argument with the path and why it is not taken.
  static std::unique_ptr<Tls> server(const std::string& certificate, const std::string& key);
};

}  // namespace lbsuite::net
