#pragma once
// reactor: sockets, deadlines and the loop that waits for them; what a door is built on.
//   reactor   one thread's loop           timers   its deadlines
//   socket    TCP, never blocking         file     owns a descriptor
// Everything that is watched belongs to one reactor and is touched by its thread alone; `post` and `stop` may come from
// any. Level-triggered: who does not read all is told again.

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/reactor/file.hpp"
#include "net/reactor/timers.hpp"

namespace lbsuite::net {

// What is told when its socket is ready. Gone from the reactor's view once it has ended.
class Watched {
 public:
  virtual ~Watched() = default;
  // events: of epoll.
  virtual void ready(std::uint32_t events) = 0;
  bool ended() const { return ended_; }

 private:
  friend class Reactor;
  bool ended_ = false;
  std::size_t place_ = 0;  // among the watched
};

class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  Timers& timers() { return timers_; }
  // CLOCK_MONOTONIC, read now.
  static double clock();
  // As it was when this round of events began.
  double now() const { return now_; }

  // The reactor owns it until it has ended.
  void watch(std::unique_ptr<Watched> watched, int socket, std::uint32_t events);
  void change(Watched& watched, int socket, std::uint32_t events);
  // It is told nothing from now on, and destroyed when this round is over. Its socket must still be open.
  void end(Watched& watched, int socket);

  void run();
  void stop();
  void post(std::function<void()> task);
  std::size_t watched() const { return watched_.size(); }

 private:
  void take_posted();
  void bury();

  File epoll_;
  File woken_;
  Timers timers_;
  double now_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Watched>> watched_;  // in no order
  std::vector<Watched*> ended_;
  std::mutex posting_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace lbsuite::net
