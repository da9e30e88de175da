#pragma once
// The engine as Python holds it: the C++ engine, and the Python strings of its endpoints' addresses, made once. Any
// thread may call, with the GIL, which guards the strings. Throws what the engine does, and what a policy raises.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "bind/waiting.hpp"
#include "engine/engine.hpp"

namespace lbsuite::bind {

class BoundEngine;

struct BoundPick {
  Pick pick;
  py::str address;
  const BoundEngine* of;  // told apart by, never called: it may be gone
  bool ended = false;
};

struct BoundTicket {
  Ticket ticket;
  const BoundEngine* of;
  bool operator==(const BoundTicket& other) const { return ticket.number == other.ticket.number && of == other.of; }
};

struct BoundEffect {
  Effect effect;
  std::optional<BoundPick> pick;
  std::optional<BoundTicket> ticket;
};

class BoundEngine {
 public:
  // python: the engine's own policy, where that is written in Python; None otherwise.
  BoundEngine(const EngineSettings& settings, const py::object& python);

  // A pick, a ticket where waiting is on, or neither.
  std::optional<std::variant<BoundPick, BoundTicket>> pick(double now, const std::optional<std::string>& key,
                                                           std::uint32_t cost, const py::object& exclude,
                                                           const py::object& policy, std::optional<double> deadline,
                                                           std::uint32_t priority, std::uint32_t attempt,
                                                           std::uint32_t lane);
  // As the engine's: what `pick` would answer now, told in full.
  Explanation explain_choice(double now, const std::optional<std::string>& key, std::uint32_t cost,
                             const py::object& exclude, const py::object& policy, std::uint32_t priority,
                             std::uint32_t attempt, std::uint32_t lane);
  void done(BoundPick& pick, double now, const Outcome& outcome);
  // A new reference to a cached str, or to None.
  PyObject* pick_address(double now);
  py::array_t<std::uint32_t> pick_many(std::size_t count, double now);
  bool apply(const Event& event, double now);
  void expire(double now);
  bool cancel(const BoundTicket& ticket, double now);
  std::vector<BoundEffect> effects();
  // The engine's number for a policy: its spec, its settings, or an object of a class that derives from Policy; 0 for
  // None.
  std::uint32_t policy_number(const py::object& policy);

  Engine<Shared> engine;

 private:
  // Makes a call that may ask a policy. Where one is written in Python that is without the GIL, and in turn: callers that
  // share a lane no longer have the GIL between them.
  template <class Call>
  auto ask(Call&& call);
  // As ask, for what may answer those who wait: never with the GIL.
  template <class Call>
  auto tell(Call&& call);
  PyObject* pick_address_in_turn(double now);
  std::uint32_t python_number(const py::object& policy);

  // An endpoint's address as a str, spelt out once. Called with the GIL.
  template <class Spell>
  const py::str& name(std::uint32_t index, std::uint32_t generation, Spell&& spell);

  struct Name {
    std::uint32_t generation = 0;
    py::str text;
  };
  std::vector<Name> names_;
  std::unordered_map<std::string, std::uint32_t> policies_;

  struct PythonPolicy {
    py::object policy;
    std::uint32_t number;
  };
  std::vector<PythonPolicy> python_policies_;
  std::unordered_set<std::string> python_names_;
  std::mutex asking_;
};

// The spec of a name or of settings; throws std::invalid_argument for what is neither.
std::string policy_spec_of(const py::object& policy);

// Throws std::invalid_argument unless `now` is a time.
void check_now(double now);

// The methods by which an engine tells what it did; see register_explanation.cpp.
void add_explaining(py::class_<BoundEngine>& bound);

}  // namespace lbsuite::bind
