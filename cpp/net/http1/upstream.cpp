#include "net/http1/upstream.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "net/http1/worker.hpp"

namespace lbsuite::net::http1 {
namespace {

std::optional<SocketAddress> numeric(const std::string& text) {
  try {
    return SocketAddress::parse(text);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

}  // namespace

Upstream::Upstream(Worker& worker, Pool& pool, File socket)
    : Timer(worker.reactor().timers()), worker_(worker), pool_(pool), stream_(worker.reactor(), std::move(socket)) {
  ++pool_.open_;
}

Upstream::~Upstream() { --pool_.open_; }

void Upstream::use(UpstreamUser* user) {
  user_ = user;
  if (connecting_) {
    ring_at(worker_.reactor().now() + worker_.settings().timeouts.connect_s);
  } else {
    ring_never();
  }
}

void Upstream::release(bool reusable) {
  user_ = nullptr;
  if (ended()) return;
  const bool room = !pool_.closed_ && pool_.idle_.size() < worker_.settings().most_idle;
  if (!reusable || connecting_ || stream_.unsent() > 0 || !room) {
    stream_.end(*this);
    return;
  }
  used_before_ = true;
  stream_.want_reads(*this, true);
  ring_at(worker_.reactor().now() + worker_.settings().timeouts.idle_s);
  pool_.idle_.push_back(this);
}

bool Upstream::send(std::string_view first, std::string_view second) { return stream_.send(*this, first, second); }

void Upstream::fail() { ::shutdown(stream_.socket(), SHUT_RDWR); }

void Upstream::ready(std::uint32_t events) {
  if (connecting_) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    if (const int error = connect_error(stream_.socket())) return gone(error);
    connecting_ = false;
    ring_never();
    stream_.connected(*this);
    if (user_ != nullptr) user_->backend_connected();
    if (ended()) return;
  }
  if ((events & EPOLLOUT) != 0) {
    if (!stream_.flush(*this)) return gone(EPIPE);
    if (stream_.unsent() == 0 && user_ != nullptr) user_->backend_took_all();
  }
  // While the client does not take what came, the end waits, too.
  if (!ended() && stream_.wants_reads() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
}

void Upstream::receive() {
  std::size_t size = 0;
  const auto room = worker_.room();
  switch (stream_.receive(*this, room, size)) {
    case Stream::Got::nothing:
      return;
    case Stream::Got::bytes:
      // What nobody has asked for makes an idle connection unfit.
      if (user_ == nullptr) return gone(0);
      return user_->backend_sent({room.data(), size});
    case Stream::Got::end:
      return gone(0);
    case Stream::Got::broken:
      return gone(ECONNRESET);
  }
}

void Upstream::ring() {
  if (!ended() && (user_ == nullptr || connecting_)) gone(ETIMEDOUT);
}

void Upstream::gone(int error) {
  UpstreamUser* const user = std::exchange(user_, nullptr);
  if (user == nullptr) std::erase(pool_.idle_, this);
  stream_.end(*this);
  if (user != nullptr) user->backend_gone(error);
}

Pool::Pool(Worker& worker, std::uint32_t index, std::uint32_t generation, const std::string& address)
    : worker_(worker), index_(index), generation_(generation), text_(address), address_(numeric(address)) {}

Pool::~Pool() { close(); }

Upstream* Pool::take(bool fresh, int& error) {
  if (!fresh && !idle_.empty()) {
    Upstream* const upstream = idle_.back();
    idle_.pop_back();
    return upstream;
  }
  error = EADDRNOTAVAIL;
  if (!address_) return nullptr;
  File socket = connect(*address_);
  error = errno;
  if (!socket.open()) return nullptr;
  auto made = std::make_unique<Upstream>(worker_, *this, std::move(socket));
  Upstream* const upstream = made.get();
  try {
    upstream->stream_.watch(std::move(made), true);
  } catch (const std::system_error& full) {
    error = full.code().value();
    return nullptr;
  }
  return upstream;
}

void Pool::close() {
  closed_ = true;
  for (Upstream* const upstream : std::exchange(idle_, {})) upstream->stream_.end(*upstream);
}

}  // namespace lbsuite::net::http1
