#pragma once
// Replay: a log's records fed to a fresh engine, in their order, by one thread. With the log's own settings each pick
// comes out as it was recorded; with another policy the replay tells what that one would have done with the same
// requests, ends and reports. What an endpoint took for a task stays as recorded, wherever the task goes.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/event_log.hpp"

namespace lbsuite {

struct Replayed {
  double now;
  std::uint32_t lane;
  std::string recorded;  // an address, or why there is none; "waiting", and once more when that is over
  std::string picked;
};

template <class Model>
class Replay {
 public:
  // another_policy: the engine's is not the log's, and the log does not switch it.
  explicit Replay(Engine<Model>& engine, bool another_policy = false)
      : engine_(engine), another_policy_(another_policy) {}

  // Takes the next line, after the heading; throws std::invalid_argument with the bad part.
  void feed(std::string_view line);

  const std::vector<Replayed>& picks() const { return picks_; }
  std::size_t differing() const;

 private:
  void take(const Asked& asked, const Record& record);
  void take(const Ended& ended, const Record& record);
  void take(const Expired&, const Record& record) { engine_.expire(record.now); }
  void take(const Switched& switched, const Record& record);
  void take(const Shadowed& shadowed, const Record& record);
  void take(const Answered& answered, const Record& record);
  void take(const Cancelled& cancelled, const Record& record);
  template <class Event>
  void take(const Event& event, const Record& record) {
    engine_.apply(event, record.now);
  }

  // What has become of an answer by now: a ticket may have been answered since.
  Answer now_of(const Answer& answer);
  std::string spell(const Answer& answer) const;
  // The record has no task for this answer any more.
  void give_up(const Answer& answer, const Record& record);

  Engine<Model>& engine_;
  const bool another_policy_;
  std::uint32_t lanes_ = 1;
  std::vector<Replayed> picks_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Answer> answers_;  // by the recorded lane and sequence
  std::map<std::uint64_t, Answer> waiting_;                            // by the recorded ticket
  std::map<std::uint64_t, Effect> over_;                               // by the engine's own ticket
};

// How an engine was made; throws std::invalid_argument for what this build does not know.
EngineSettings settings_of(const LogHeading& heading);

extern template class Replay<Shared>;
extern template class Replay<Plain>;

}  // namespace lbsuite
