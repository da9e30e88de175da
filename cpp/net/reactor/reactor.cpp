#include "net/reactor/reactor.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <system_error>
#include <utility>

namespace lbsuite::net {
namespace {

constexpr int kMostEvents = 256;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Reactor::Reactor()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), woken_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), now_(clock()) {
  if (!epoll_.open() || !woken_.open()) fail("cannot watch sockets");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, woken_.number(), &event) != 0) fail("cannot watch sockets");
}

Reactor::~Reactor() {
  bury();
  watched_.clear();  // while all that they may call is there
}

double Reactor::clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void Reactor::watch(std::unique_ptr<Watched> watched, int socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watched.get();
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket, &event) != 0) fail("cannot watch a socket");
  watched->place_ = watched_.size();
  watched_.push_back(std::move(watched));
}

void Reactor::change(Watched& watched, int socket, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, socket, &event) != 0) fail("cannot watch a socket");
}

void Reactor::end(Watched& watched, int socket) {
  if (std::exchange(watched.ended_, true)) return;
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, socket, nullptr);
  ended_.push_back(&watched);
}

void Reactor::run() {
  std::array<epoll_event, kMostEvents> events;
  while (!stopping_) {
    const double wait_s = timers_.next() - clock();
    const int wait_ms = std::isinf(wait_s) ? -1 : static_cast<int>(std::ceil(std::clamp(wait_s, 0.0, 60.0) * 1000));
    const int count = ::epoll_wait(epoll_.number(), events.data(), kMostEvents, wait_ms);
    now_ = clock();
    for (int i = 0; i < count; ++i) {
      auto* const watched = static_cast<Watched*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (watched == nullptr) {
        take_posted();
      } else if (!watched->ended()) {
        watched->ready(events[static_cast<std::size_t>(i)].events);
      }
    }
    timers_.turn(now_);
    bury();
  }
}

void Reactor::bury() {
  while (!ended_.empty()) {
    Watched* const dead = std::exchange(ended_.back(), nullptr);
    ended_.pop_back();
    const std::size_t place = dead->place_;
    std::swap(watched_[place], watched_.back());
    watched_[place]->place_ = place;
    watched_.pop_back();
  }
}

void Reactor::stop() {
  post([this] { stopping_ = true; });
}

void Reactor::post(std::function<void()> task) {
  {
    const std::lock_guard lock(posting_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // It can only fail where so many wakes are pending that one more does not matter.
  [[maybe_unused]] const auto written = ::write(woken_.number(), &one, sizeof one);
}

void Reactor::take_posted() {
  std::uint64_t wakes = 0;
  [[maybe_unused]] const auto read = ::read(woken_.number(), &wakes, sizeof wakes);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posting_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

}  // namespace lbsuite::net
