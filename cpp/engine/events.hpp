#pragma once
// What goes into an engine and what comes out, as values; and the record that a log keeps of each.
// Strings in events are owned, so an event can wait in a queue or a log; hot calls take views instead.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/request.hpp"
#include "roster/endpoint.hpp"
#include "roster/report.hpp"

namespace lbsuite {

// Membership. An endpoint that joins again is updated and keeps its place.
struct Joined {
  std::string address;
  std::uint32_t weight = 1;
  std::uint32_t limit = 0;
  std::string zone;
  std::uint64_t order = kUnordered;
  double lease_s = 0;      // it leaves unless it joins or reports again within this; 0: it stays
  std::uint32_t tier = 0;  // those of a lower one go before
};
struct Left {
  std::string address;
};
struct Reported {
  std::string address;
  Report report;
};
struct Drained {
  std::string address;
  bool undo = false;
};
struct Lost {  // its connection broke and it refuses another
  std::string address;
};
struct Reached {
  std::string address;
};
struct Pickers {  // how many engines pick for this service, this one included
  std::uint32_t count = 1;
};
struct Probed {  // it has answered a probe; see ProbeAnswer
  std::string address;
  std::uint32_t tasks = 0;
  double latency_s = 0;
};
using Event = std::variant<Joined, Left, Reported, Drained, Lost, Reached, Pickers, Probed>;

// Answers to a request.
struct Pick {
  std::uint32_t endpoint = 0;    // index
  std::uint32_t generation = 0;  // tells a later endpoint with the same index apart
  std::uint64_t sequence = 0;    // the lane in the high 16 bits, its picks from 1 in the others
  std::uint32_t cost = 1;
  bool big = false;       // it counts among its endpoint's big tasks
  double until = kNever;  // a stream that lasts beyond should be picked anew

  std::uint32_t lane() const { return static_cast<std::uint32_t>(sequence >> 48); }
  std::uint64_t in_lane() const { return sequence & 0xFFFF'FFFF'FFFF; }
};
struct Ticket {  // where waiting is on: the answer comes as an effect
  std::uint64_t number = 0;
};
using Answer = std::variant<Pick, NotReady, Ticket>;
inline bool says_all_full(const Answer& answer) {
  const auto* why = std::get_if<NotReady>(&answer);
  return why != nullptr && *why == NotReady::all_full;
}

// How a task ended, as its host saw it.
struct Outcome {
  double latency_s = 0;
  bool failed = false;
  bool refused = false;  // it failed as the endpoint turned it away, being full or about to leave
};
// Throws std::invalid_argument for what no task takes: policies reckon with latencies and their powers.
void check_latency(double latency_s);

// What a host should act on or log.
enum class EffectKind : std::uint8_t {
  lost,
  back,
  stale,
  fresh,
  expired,
  probe,
  ejected,
  returned,
  panic,
  calm,
  answered,
  timed_out
};
inline constexpr std::array<std::string_view, 12> kEffects = {"lost",    "back",  "stale",    "fresh",
                                                              "expired", "probe", "ejected",  "returned",
                                                              "panic",   "calm",  "answered", "timed_out"};
struct Effect {
  EffectKind kind;
  std::string address;  // of all, or of nobody: empty
  double now;
  std::string by = {};  // the stage that ejected it,
  std::string why = {};
  double for_s = kNever;  // and for how long
  Ticket ticket = {};     // whose waiting is over
  Pick pick = {};         // what it is answered with
};

// One line of the event log: what was asked of the engine, in the order in which it took place.
struct Asked {
  std::string policy;  // a spec; empty: the engine's own
  std::string key;
  std::uint32_t cost = 1;
  std::vector<std::string> exclude;
  double deadline = kNever;
  std::uint32_t priority = 0;
  std::uint32_t attempt = 0;
  bool counted = true;         // false: the cheap twin's question
  std::uint64_t sequence = 0;  // in its lane; 0: nobody was picked, or nothing counted
  std::string answer;          // an address, or why there is none
  std::uint64_t ticket = 0;    // of one who is waiting from here on
};
struct Ended {
  std::uint64_t sequence = 0;  // of the pick, in its lane
  Outcome outcome;
};
struct Expired {};
struct Switched {  // the engine's own policy is another from here on
  std::string policy;
};
struct Shadowed {  // this policy is asked, too, but not obeyed; empty: none is
  std::string policy;
};
struct Answered {  // a ticket's waiting is over
  std::uint64_t ticket = 0;
  std::uint64_t sequence = 0;  // of the pick, in its lane; 0: it timed out
  std::string answer;          // an address, or "timed_out"
};
struct Cancelled {
  std::uint64_t ticket = 0;
};
struct Record {
  std::uint32_t lane = 0;
  double now = 0;
  std::variant<Joined, Left, Reported, Drained, Lost, Reached, Pickers, Probed, Asked, Ended, Expired, Switched,
               Shadowed, Answered, Cancelled>
      what;
};

}  // namespace lbsuite
