#pragma once
// What reaches a policy besides requests, and what it needs of its host.

#include <algorithm>
#include <cstdint>

namespace lbsuite {

// An endpoint for longer than one pick: its index in the roster, and the generation that tells a later one with the
// same index apart.
struct Place {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

// Tasks that ended at one endpoint: one, where the host saw it, or several that a report told of.
struct Endings {
  Place place;
  std::uint32_t count = 1;
  std::uint32_t failed = 0;
  double latency_s = 0;       // their mean
  std::int32_t tasks = 0;     // that are left there
  std::uint32_t refused = 0;  // of the failed: turned away, as the endpoint was full or about to leave

  // The latency they count for where `known_s` was known before: an error never counts as quicker than that, nor does
  // its haste count for the successes beside it, which are taken to have had all the time.
  double counted_s(double known_s) const {
    return failed == count ? std::max(latency_s, known_s) : latency_s * count / (count - failed);
  }
};

// An endpoint's answer to a probe.
struct ProbeAnswer {
  Place place;
  std::uint32_t tasks = 0;  // requests in flight
  double latency_s = 0;     // what a request with so many in flight would take, by its own estimate
};

// What a policy cannot do without, and some hosts do not give.
struct Needs {
  bool outcomes = false;  // how long each task took, and whether it failed
  bool probes = false;    // the sending of probes, and their answers
  bool python = false;    // an interpreter, as it is written in Python
};

}  // namespace lbsuite
