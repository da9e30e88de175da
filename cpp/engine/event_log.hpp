#pragma once
// The event log as text: one JSON object a line. The first line tells how the engine was made, each further one a
// record, in the order in which things took place. A field that has its default is left out; a time reads back exactly;
// a text that is no UTF-8 stands as base64 under `<name>_base64`.
// Reading throws std::invalid_argument with the bad part. Cost: a few microseconds a line.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/events.hpp"

namespace lbsuite {

inline constexpr std::uint32_t kLogFormat = 1;

// How the engine of a log was made. `policy` is a spec, and may be one that only Python can build.
struct LogHeading {
  std::uint32_t format = kLogFormat;
  std::string policy;
  RosterKind roster = RosterKind::snapshot;
  std::uint64_t seed = 1;
  Signal load = Signal::tasks;
  Accounting accounting = Accounting::done;
  bool outcomes = true;
  bool probes = true;
  std::vector<std::string> stages;
  double queue_s = 0;  // 0: nobody waits, and what is set beside it says nothing
  std::uint32_t queue_tickets = QueueSettings().tickets;
  QueueOrder queue_order = QueueOrder::fifo;
};

template <class Model>
LogHeading heading_of(const Engine<Model>& engine) {
  const EngineSettings& made = engine.settings();
  std::vector<std::string> stages;
  for (const AnyStage& stage : made.stages) stages.push_back(stage_spec(stage));
  return {kLogFormat,        engine.spec(),     made.roster,         made.seed,
          made.signal,       made.accounting,   made.gives.outcomes, made.gives.probes,
          std::move(stages), made.queue.wait_s, made.queue.tickets,  made.queue.order};
}

std::string write_heading(const LogHeading& heading);
std::string write_record(const Record& record);

LogHeading read_heading(std::string_view line);
Record read_record(std::string_view line);

}  // namespace lbsuite
