#pragma once
// The engine as Python holds it: the C++ engine, and the Python strings of its endpoints' addresses, made once.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.hpp"

namespace lbsuite::bind {

namespace py = pybind11;

struct BoundPick {
  Pick pick;
  py::str address;
  bool ended = false;
};

class BoundEngine {
 public:
  explicit BoundEngine(const EngineSettings& settings) : engine(settings) {}

  std::optional<BoundPick> pick(double now, const std::optional<std::string>& key, std::uint32_t cost,
                                const py::object& exclude, const std::optional<std::string>& policy,
                                std::optional<double> deadline, std::uint32_t priority, std::uint32_t lane);
  void done(BoundPick& pick, double now, double latency_s, bool failed);
  // A new reference to a cached str, or to None.
  PyObject* pick_address(double now);
  py::array_t<std::uint32_t> pick_many(std::size_t count, double now);
  bool apply(const Event& event, double now);
  // The engine's number for a policy; 0 for none.
  std::uint32_t policy_number(const std::optional<std::string>& spec);

  Engine<Shared> engine;

 private:
  // An endpoint's address as a str, spelt out once. Called with the GIL.
  template <class Spell>
  const py::str& name(std::uint32_t index, std::uint32_t generation, Spell&& spell);

  struct Name {
    std::uint32_t generation = 0;
    py::str text;
  };
  std::vector<Name> names_;
  std::unordered_map<std::string, std::uint32_t> policies_;
};

// Throws std::invalid_argument unless `now` is a time.
void check_now(double now);

}  // namespace lbsuite::bind
