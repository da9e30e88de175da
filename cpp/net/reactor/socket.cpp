#include "net/reactor/socket.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

namespace lbsuite::net {
namespace {

constexpr int kBacklog = 4096;

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

void set(int socket, int level, int option) {
  const int on = 1;
  if (::setsockopt(socket, level, option, &on, sizeof on) != 0) fail("setsockopt");
}

// Small writes go at once. One that fails, because its peer is gone by now, shows when it is used.
void prompt(int socket) {
  const int on = 1;
  [[maybe_unused]] const int failed = ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

SocketAddress SocketAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  SocketAddress address;
  const auto refuse = [&] { throw std::invalid_argument("not IP:PORT: '" + std::string(text) + "'"); };
  if (colon == std::string_view::npos) refuse();
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) refuse();
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto& six = reinterpret_cast<sockaddr_in6&>(address.storage_);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &six.sin6_addr) != 1) refuse();
    address.size_ = sizeof six;
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(address.storage_);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) refuse();
    address.size_ = sizeof four;
  }
  return address;
}

SocketAddress SocketAddress::of_peer(int socket) {
  SocketAddress address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) fail("getpeername");
  return address;
}

SocketAddress SocketAddress::of_listener(int socket) {
  SocketAddress address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) fail("getsockname");
  return address;
}

std::string SocketAddress::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = family() == AF_INET6
                          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr)
                          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(storage_).sin_addr);
  ::inet_ntop(family(), bytes, text.data(), text.size());
  return text.data();
}

std::string SocketAddress::text() const {
  const bool six = family() == AF_INET6;
  const std::uint16_t port = six ? reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port
                                 : reinterpret_cast<const sockaddr_in&>(storage_).sin_port;
  return (six ? "[" + host() + "]" : host()) + ":" + std::to_string(ntohs(port));
}

File listen(const SocketAddress& address, bool shared) {
  File socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) fail("socket");
  set(socket.number(), SOL_SOCKET, SO_REUSEADDR);
  if (shared) set(socket.number(), SOL_SOCKET, SO_REUSEPORT);
  if (address.family() == AF_INET6) set(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket.number(), address.get(), address.size()) != 0) fail("cannot listen on " + address.text());
  if (::listen(socket.number(), kBacklog) != 0) fail("cannot listen on " + address.text());
  return socket;
}

Accepted accept(int listener) {
  Accepted accepted;
  accepted.socket = File(::accept4(listener, reinterpret_cast<sockaddr*>(&accepted.from.storage_), &accepted.from.size_,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.socket.open()) prompt(accepted.socket.number());
  return accepted;
}

File connect(const SocketAddress& address) {
  File socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return socket;
  prompt(socket.number());
  if (::connect(socket.number(), address.get(), address.size()) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    socket.close();
    errno = error;
  }
  return socket;
}

int connect_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace lbsuite::net
