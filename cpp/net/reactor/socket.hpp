#pragma once
// TCP sockets that never block. Failure of a system call throws std::system_error, save where it is told.

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "net/reactor/file.hpp"

namespace lbsuite::net {

// A numeric address and a port.
class SocketAddress {
 public:
  // "1.2.3.4:80" or "[::1]:80"; throws std::invalid_argument with the bad text.
  static SocketAddress parse(std::string_view text);
  static SocketAddress of_peer(int socket);
  static SocketAddress of_listener(int socket);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }
  std::string host() const;  // without brackets
  std::string text() const;

 private:
  friend struct Accepted accept(int listener);
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof(sockaddr_storage);
};

// shared: several listeners may have the same address, and the kernel spreads connections over them.
File listen(const SocketAddress& address, bool shared);

struct Accepted {
  File socket;
  SocketAddress from;
};
// A socket that is not open: nobody waits, or the process has no descriptor left; errno tells.
Accepted accept(int listener);

// Begins to connect; a socket that is not open: it was refused at once, or there is none to be had; errno tells.
File connect(const SocketAddress& address);
// What became of it: 0, or an error number.
int connect_error(int socket);

}  // namespace lbsuite::net
