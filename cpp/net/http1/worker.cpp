#include "net/http1/worker.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include "net/http1/downstream.hpp"

namespace lbsuite::net::http1 {

// Takes new connections. Where the process has no descriptor left, it rests: epoll would tell of them for ever.
class Worker::Listener final : public Watched, private Timer {
 public:
  Listener(Worker& worker, File socket)
      : Timer(worker.reactor_.timers()), worker_(worker), socket_(std::move(socket)) {}
  int socket() const { return socket_.number(); }
  void ready(std::uint32_t) override {
    if (worker_.accept(socket())) return;
    worker_.reactor_.change(*this, socket(), 0);
    ring_at(worker_.reactor_.now() + 0.1);
  }
  void close() {
    ring_never();
    worker_.reactor_.end(*this, socket());
    socket_.close();
  }

 private:
  void ring() override {
    if (!ended()) worker_.reactor_.change(*this, socket(), EPOLLIN);
  }
  Worker& worker_;
  File socket_;
};

Worker::Worker(Engine<Shared>& engine, const ProxySettings& settings, std::uint32_t lane, AccessLog* log, Tls* tls)
    : engine_(engine),
      settings_(settings),
      lane_(lane),
      log_(log),
      tls_(tls),
      retries_(settings.retry_share, settings.retries_per_s) {}

Worker::~Worker() {
  const std::vector<Downstream*> clients(clients_.begin(), clients_.end());
  for (Downstream* const client : clients) client->close();
  for (const auto& pool : pools_) {
    if (pool != nullptr) pool->close();
  }
}

void Worker::listen(File listener) {
  auto made = std::make_unique<Listener>(*this, std::move(listener));
  const int socket = made->socket();
  listeners_.push_back(made.get());
  reactor_.watch(std::move(made), socket, EPOLLIN);
}

// False: there is nothing to take one with.
bool Worker::accept(int listener) {
  // A few at a time: who is connected is served between.
  for (int i = 0; i < 16; ++i) {
    Accepted accepted = net::accept(listener);
    if (!accepted.socket.open()) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    counters_.connections.add(1);
    if (clients_.size() >= settings_.most_connections) continue;  // closed at once
    try {
      Downstream::open(*this, std::move(accepted));
    } catch (const std::system_error&) {
      return false;  // epoll can watch no more; the connection is closed
    }
  }
  return true;
}

Pool* Worker::pool(const Pick& pick) {
  if (pick.endpoint >= pools_.size()) pools_.resize(pick.endpoint + 1);
  auto& pool = pools_[pick.endpoint];
  if (pool != nullptr && pool->generation() == pick.generation) return pool.get();
  const auto address = engine_.address(pick.endpoint, pick.generation);
  if (!address) return nullptr;
  if (pool != nullptr) {
    pool->close();
    left_.push_back(std::move(pool));
    std::erase_if(left_, [](const auto& left) { return left->unused(); });
  }
  pool = std::make_unique<Pool>(*this, pick.endpoint, pick.generation, *address);
  return pool.get();
}

void Worker::drain() {
  draining_ = true;
  for (Listener* const listener : std::exchange(listeners_, {})) listener->close();
  const std::vector<Downstream*> clients(clients_.begin(), clients_.end());
  for (Downstream* const client : clients) client->drain();
  if (clients_.empty()) reactor_.stop();
}

void Worker::joined(Downstream& client) {
  clients_.insert(&client);
  counters_.open.add(1);
}

void Worker::left(Downstream& client) {
  clients_.erase(&client);
  counters_.open.add(-1);
  if (draining_ && clients_.empty()) reactor_.stop();
}

}  // namespace lbsuite::net::http1
