#include "net/http1/proxy.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace lbsuite::net::http1 {
namespace {

// Signals are for the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

Proxy::Proxy(Engine<Shared>& engine, ProxySettings settings, const std::vector<std::string>& listen, File access_log)
    : settings_(std::move(settings)) {
  if (engine.settings().queue.wait_s > 0)
    throw std::invalid_argument("a proxy lets nobody wait: its engine has queue_s");
  if (!token(settings_.via)) throw std::invalid_argument("not a name for Via: '" + settings_.via + "'");
  if (access_log.open()) log_ = std::make_unique<AccessLog>(std::move(access_log));
  if (!settings_.certificate.empty()) tls_ = Tls::server(settings_.certificate, settings_.certificate_key);
  for (std::uint32_t i = 0; i < settings_.threads; ++i) {
    const std::uint32_t lane = i == 0 ? 0 : engine.open_lane();
    workers_.push_back(std::make_unique<Worker>(engine, settings_, lane, log_.get(), tls_.get()));
  }
  for (const std::string& text : listen) {
    SocketAddress address = SocketAddress::parse(text);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      File socket = net::listen(address, workers_.size() > 1);
      if (i == 0) {
        address = SocketAddress::of_listener(socket.number());  // the others share the port it got
        addresses_.push_back(address.text());
      }
      workers_[i]->listen(std::move(socket));
    }
  }
  const SignalsBlocked blocked;
  for (auto& worker : workers_) {
    running_.add(1);
    threads_.emplace_back([this, &worker = *worker] {
      worker.run();
      running_.add(static_cast<std::uint32_t>(-1));
    });
  }
}

Proxy::~Proxy() { close(0); }

Totals Proxy::totals() const {
  const std::lock_guard lock(ending_);
  Totals totals = before_;
  for (const auto& worker : workers_) {
    const Counters& own = worker->counters();
    totals.connections += own.connections.get();
    totals.requests += own.requests.get();
    totals.answered += own.answered.get();
    totals.refused += own.refused.get();
    totals.failed += own.failed.get();
    totals.retried += own.retried.get();
    totals.bytes_in += own.bytes_in.get();
    totals.bytes_out += own.bytes_out.get();
    totals.open += own.open.get();
  }
  return totals;
}

bool Proxy::close(double drain_s) {
  if (threads_.empty()) return true;
  for (auto& worker : workers_) worker->reactor().post([&worker = *worker] { worker.drain(); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(drain_s);
  while (running_.get() > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const bool whole = running_.get() == 0;
  for (auto& worker : workers_) worker->reactor().stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  const Totals last = totals();
  {
    const std::lock_guard lock(ending_);
    before_ = last;
    workers_.clear();
  }
  log_.reset();
  return whole;
}

}  // namespace lbsuite::net::http1
