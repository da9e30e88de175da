#pragma once
// Policies written in Python, as an engine holds them, and what they see of a pick.
// The engine calls in without the GIL and takes it here, last of all locks; there is no lock of one's own, so `done` and
// `report` may come while another thread is inside `pick`. One object serves all lanes; each lane has its generator.

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bits/rng.hpp"
#include "engine/engine.hpp"

namespace lbsuite::bind {

namespace py = pybind11;

// The candidates of one pick that are ready; over once the pick is.
struct PolicyView {
  explicit PolicyView(const Candidates<Shared>& all);
  // Throws std::runtime_error if the pick is over.
  const Candidates<Shared>& candidates() const;

  std::vector<std::uint32_t> ready;
  const Candidates<Shared>* during;
};

struct PolicyCandidate {
  std::shared_ptr<const PolicyView> view;
  std::uint32_t index;
};

struct PolicyRequest {
  explicit PolicyRequest(const Request& request);
  std::string key;
  std::uint32_t cost;
  std::vector<std::string> exclude;
  double deadline;
  std::uint32_t priority;
};

struct PolicyRng {
  Rng rng;
};

// True for an object of a class that derives from lbsuite.Policy.
bool is_python_policy(const py::object& policy);
// Its class's name.
std::string python_policy_name(const py::object& policy);

class PythonSource final : public PickerSource<Shared> {
 public:
  PythonSource(py::object policy, std::string spec, const Engine<Shared>& engine);
  ~PythonSource() override;

  std::unique_ptr<Picker<Shared>> lane(std::uint32_t number, std::uint32_t lane, std::uint64_t seed,
                                       Probes& probes) override;
  std::unique_ptr<PickerSource<Shared>> twin() const override;
  Needs needs() const override { return {.python = true}; }
  std::string_view goes_by() const override { return "its own word, written in Python"; }

  const std::string& spec() const { return spec_; }
  const py::object& pick() const { return pick_; }
  const py::object& done() const { return done_; }
  const py::object& report() const { return report_; }
  // Called without the GIL, for it may wait.
  std::optional<std::string> address(Place place) const { return engine_.address(place.index, place.generation); }

 private:
  PythonSource(const PythonSource&) = default;

  const std::string spec_;
  const Engine<Shared>& engine_;
  // Methods bound to the object; the last two are empty where it has none.
  py::object pick_, done_, report_;
};

}  // namespace lbsuite::bind
