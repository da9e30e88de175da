// Two threads pick at once under every policy that takes no lock. What the kernel is asked for between the lines
// "begin <policy>" and "end <policy>" is asked for by picks: `test_cpp.py` looks with strace.

#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "engine/engine.hpp"

namespace lbsuite {
namespace {

constexpr int kPicks = 20'000;

// One write, without a buffer or a lock of its own.
void say(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::terminate();
}

void pick(Engine<Shared>& engine, std::uint32_t lane, int picks) {
  const Request request{.key = "key"};
  for (int i = 0; i < picks; ++i) {
    const Answer answer = engine.pick(request, 0, lane);
    if (const Pick* picked = std::get_if<Pick>(&answer)) engine.done(*picked, {}, 0);
    engine.choose(request, 0, lane, [](const auto*) {});
  }
}

void pick_in_two_threads(std::string_view policy) {
  Engine<Shared> engine({.policy = parse_policy(policy)});
  for (int i = 0; i < 25; ++i)
    engine.apply(Joined{"127.0.0.1:" + std::to_string(4000 + i), 1, 0, "", kUnordered, 0}, 0);
  const std::uint32_t lane = engine.open_lane();
  std::atomic<int> stage = 0;
  std::thread other([&] {
    pick(engine, lane, 1);  // makes the lane's objects
    stage = 1;
    while (stage < 2) {
    }
    pick(engine, lane, kPicks);
    stage = 3;
    while (stage < 4) {
    }
  });
  pick(engine, 0, 1);
  while (stage < 1) {
  }
  say("begin " + std::string(policy) + "\n");
  stage = 2;
  pick(engine, 0, kPicks);
  while (stage < 3) {
  }
  say("end " + std::string(policy) + "\n");
  stage = 4;
  other.join();
}

}  // namespace
}  // namespace lbsuite

int main() {
  lbsuite::Policies::each([]<class P>() {
    if constexpr (!lbsuite::listening<P>) lbsuite::pick_in_two_threads(P::name);
  });
}
