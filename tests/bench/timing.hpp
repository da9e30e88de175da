#pragma once
// What the programs here measure with: wall time of a loop that runs in several threads, and a value that is kept.

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite::bench {

// Makes the compiler believe that `value` is used.
template <class Value>
void keep(const Value& value) {
  asm volatile("" : : "m"(value) : "memory");
}

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Model>
void join(Engine<Model>& engine, int count) {
  for (int i = 0; i < count; ++i) {
    engine.apply(Joined{"127.0.0.1:" + std::to_string(4000 + i), 1, 0, "", kUnordered, 0}, 0);
  }
}

// Seconds that `threads` threads take to run loop(thread, turns), all of them at once.
template <class Loop>
double seconds_of(int threads, long turns, Loop&& loop) {
  if (threads == 1) {
    const double began = seconds();
    loop(0, turns);
    return seconds() - began;
  }
  std::atomic<int> ready = 0;
  std::atomic<bool> start = false;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      ++ready;
      start.wait(false);
      loop(t, turns);
    });
  }
  while (ready < threads) std::this_thread::yield();
  const double began = seconds();
  start = true;
  start.notify_all();
  for (auto& thread : running) thread.join();
  return seconds() - began;
}

// Nanoseconds of wall time a turn, over all threads; a run takes 0.1 s or more.
template <class Loop>
double ns_per_turn(int threads, Loop&& loop) {
  for (long turns = 200'000 / threads;; turns *= 2) {
    const double took = seconds_of(threads, turns, loop);
    if (took >= 0.1) return took * 1e9 / (static_cast<double>(turns) * threads);
  }
}

}  // namespace lbsuite::bench
