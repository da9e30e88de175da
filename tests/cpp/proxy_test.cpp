// A proxy before backends that die and lie, and clients that do as they like: nothing breaks, nothing is left behind, and
// who asks in order is answered. What it finds, the sanitizers say.
#include "net/http1/proxy.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bits/rng.hpp"

namespace lbsuite::net::http1 {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

std::uint32_t below(Rng& rng, std::uint32_t most) { return static_cast<std::uint32_t>(rng.next() % most); }

// A blocking socket's next bytes; empty at its end, or when nothing comes for a second.
std::string receive(int socket) {
  pollfd waited{socket, POLLIN, 0};
  char room[16384];
  if (::poll(&waited, 1, 1000) <= 0) return "";
  const ssize_t size = ::recv(socket, room, sizeof room, 0);
  return {room, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

void send(int socket, std::string_view bytes) {
  [[maybe_unused]] const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

File dial(const std::string& text) {
  const SocketAddress address = SocketAddress::parse(text);
  File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.number(), address.get(), address.size()) != 0) socket.close();
  return socket;
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

// Answers on one thread, one connection at a time to its end or its mood's.
class Backend {
 public:
  explicit Backend(std::uint64_t seed) : rng_(seed), listener_(listen(SocketAddress::parse("127.0.0.1:0"), false)) {
    address_ = SocketAddress::of_listener(listener_.number()).text();
    thread_ = std::thread([this] { run(); });
  }
  ~Backend() {
    stopping_ = true;
    thread_.join();
  }
  const std::string& address() const { return address_; }
  void behave() { behaves_ = true; }
  bool has_connections() const { return connections_ > 0; }

 private:
  void run() {
    std::vector<pollfd> waited{{listener_.number(), POLLIN, 0}};
    std::vector<File> open;
    while (!stopping_) {
      if (::poll(waited.data(), waited.size(), 20) <= 0) continue;
      if ((waited[0].revents & POLLIN) != 0) {
        open.push_back(accept(listener_.number()).socket);
        if (open.back().open()) waited.push_back({open.back().number(), POLLIN, 0});
        if (!open.back().open()) open.pop_back();
      }
      for (std::size_t i = open.size(); i-- > 0;) {
        if (waited[i + 1].revents == 0 || serve(open[i].number())) continue;
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
        waited.erase(waited.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      connections_ = open.size();
    }
  }

  // False: it is closed.
  bool serve(int socket) {
    const std::string got = receive(socket);
    if (got.empty()) return false;
    const std::uint32_t mood = behaves_ ? 99 : below(rng_, 20);
    if (mood == 0) return false;
    if (mood == 1) reset_on_close(socket);
    if (mood == 2) send(socket, kOk + kOk);
    if (mood == 3) send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    if (mood == 4) send(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx");
    if (mood == 5) send(socket, "HTTP/1.1 200 OK\r\n\r\nuntil the end");
    if (mood == 6) send(socket, "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello");
    if (mood == 7) send(socket, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, 'a'));
    if (mood == 8) return true;  // says nothing
    if (mood > 8) send(socket, kOk);
    return mood == 6 || mood == 7 || mood > 8;
  }

  Rng rng_;
  File listener_;
  std::string address_;
  std::atomic<bool> stopping_{false}, behaves_{false};
  std::atomic<std::size_t> connections_{0};
  std::thread thread_;
};

void misbehave(const std::string& proxy, Rng& rng) {
  const std::string kSaid[] = {
      kGet,
      kGet + kGet + kGet,
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'a'),
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\nX: y\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh",
      "GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nahead",
      "GET /a HTTP/1.1\nHost: h\r\n\r\n",
      "HEAD /a HTTP/1.0\r\n\r\n" + kGet};
  const File socket = dial(proxy);
  if (!socket.open()) return;
  for (std::uint32_t i = 0, rounds = 1 + below(rng, 4); i < rounds; ++i) {
    const std::string& said = kSaid[below(rng, 8)];
    send(socket.number(), std::string_view(said).substr(0, below(rng, 4) == 0 ? below(rng, 40) : said.npos));
    if (below(rng, 2) == 0) receive(socket.number());
  }
  if (below(rng, 3) == 0) ::shutdown(socket.number(), SHUT_WR);
  if (below(rng, 3) == 0) receive(socket.number());
  if (below(rng, 2) == 0) reset_on_close(socket.number());
}

void join(Engine<Shared>& engine, const std::string& address) {
  Joined joined;
  joined.address = address;
  engine.apply(joined, Reactor::clock());
}

std::string ask(int socket) {
  send(socket, kGet);
  std::string got;
  for (std::string piece; !got.ends_with("\r\n\r\nok") && !(piece = receive(socket)).empty();) got += piece;
  return got;
}

bool answered_in_order(const std::string& proxy) {
  const File socket = dial(proxy);
  const std::string got = ask(socket.number());
  return got.starts_with("HTTP/1.1 200") && got.ends_with("\r\n\r\nok");
}

// As long as it lives, this process can open nothing.
class NoDescriptors {
 public:
  NoDescriptors() {
    for (int number; (number = ::dup(0)) >= 0;) taken_.emplace_back(number);
  }

 private:
  std::vector<File> taken_;
};

ProxySettings hasty() {
  ProxySettings settings;
  settings.threads = 2;
  settings.timeouts = {0.5, 0.3, 0.5, 1};
  return settings;
}

std::vector<std::thread> misbehaving_clients(const std::string& address) {
  std::vector<std::thread> clients;
  for (std::uint64_t i = 0; i < 4; ++i) {
    clients.emplace_back([address, i] {
      Rng rng(100 + i);
      for (int round = 0; round < 25; ++round) misbehave(address, rng);
    });
  }
  return clients;
}

void come_and_go(Engine<Shared>& engine, const std::string& address) {
  for (int round = 0; round < 20; ++round) {
    engine.apply(Left{address}, Reactor::clock());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    join(engine, address);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

TEST(Proxy, WithoutADescriptorNoBackendIsToBlame) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the undefined-behaviour sanitizer opens a pipe to look at an object's type";
#endif
  EngineSettings settings;
  settings.policy = parse_policy("round_robin");
  Engine<Shared> engine(settings);
  Backend backend(1);
  backend.behave();
  join(engine, backend.address());
  ProxySettings proxy_settings;
  proxy_settings.most_idle = 0;  // each request needs a new connection
  Proxy proxy(engine, proxy_settings, {"127.0.0.1:0"}, File());
  const File served = dial(proxy.addresses()[0]);
  EXPECT_TRUE(ask(served.number()).starts_with("HTTP/1.1 200"));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few{256, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  {
    while (backend.has_connections()) std::this_thread::yield();  // the last request's is closed on both sides
    const File waiting(::socket(AF_INET, SOCK_STREAM, 0));
    const NoDescriptors none;
    const SocketAddress address = SocketAddress::parse(proxy.addresses()[0]);
    ::connect(waiting.number(), address.get(), address.size());  // the listener cannot take it, and rests
    EXPECT_TRUE(ask(served.number()).starts_with("HTTP/1.1 503"));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(ask(served.number()).starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(answered_in_order(proxy.addresses()[0]));
}

TEST(Proxy, StandsWhateverBothSidesDo) {
  EngineSettings settings;
  settings.policy = parse_policy("round_robin");
  Engine<Shared> engine(settings);
  std::vector<std::unique_ptr<Backend>> backends;
  for (std::uint64_t i = 0; i < 3; ++i) {
    backends.push_back(std::make_unique<Backend>(i));
    join(engine, backends.back()->address());
  }
  join(engine, "127.0.0.1:1");  // nobody listens
  Proxy proxy(engine, hasty(), {"127.0.0.1:0"}, File());
  const std::string address = proxy.addresses()[0];
  std::vector<std::thread> clients = misbehaving_clients(address);
  come_and_go(engine, backends[0]->address());
  for (std::thread& client : clients) client.join();
  for (const auto& backend : backends) {
    backend->behave();
    engine.apply(Reached{backend->address()}, Reactor::clock());
  }
  int served = 0;
  for (int i = 0; i < 40; ++i) served += answered_in_order(address) ? 1 : 0;
  EXPECT_GE(served, 30);
  proxy.close(0);
}

}  // namespace
}  // namespace lbsuite::net::http1
