#include <fcntl.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cerrno>
#include <optional>
#include <stdexcept>

#include "bind/bound_engine.hpp"
#include "bind/recording.hpp"
#include "engine/event_log.hpp"
#include "engine/replay.hpp"

namespace lbsuite::bind {
namespace {

using Released = py::call_guard<py::gil_scoped_release>;
using Waits = py::call_guard<Waiting>;

[[noreturn]] void refuse(const std::string& path, int why) {
  errno = why;
  PyErr_SetFromErrnoWithFilename(PyExc_OSError, path.c_str());
  throw py::error_already_set();
}

int open_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw std::invalid_argument("a path has no null character in it");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) refuse(path, errno);
  return file;
}

std::shared_ptr<Recording> record(BoundEngine& bound, const std::optional<std::string>& path) {
  auto& engine = bound.engine;
  const std::string heading = [&] {
    const Waiting waiting;
    engine.check_untold();
    return write_heading(heading_of(engine));
  }();
  auto recording = std::make_shared<Recording>(path ? open_file(*path) : Recording::kKept);
  if (!recording->add(heading)) refuse(*path, recording->failure());
  const Waiting waiting;
  engine.record([recording](const Record& record) {
    if (!recording->add(write_record(record))) throw std::runtime_error("the log has ended");
  });
  return recording;
}

py::dict log_settings(const std::string& line) {
  const LogHeading heading = read_heading(line);
  py::dict settings(
      py::arg("policy") = heading.policy, py::arg("roster") = kRosters[static_cast<std::size_t>(heading.roster)],
      py::arg("seed") = heading.seed, py::arg("load") = kSignals[static_cast<std::size_t>(heading.load)],
      py::arg("accounting") = kAccountings[static_cast<std::size_t>(heading.accounting)],
      py::arg("outcomes") = heading.outcomes, py::arg("probes") = heading.probes, py::arg("stages") = heading.stages);
  if (heading.queue_s > 0) {
    settings["queue_s"] = heading.queue_s;
    settings["queue_tickets"] = heading.queue_tickets;
    settings["queue_order"] = kQueueOrders[static_cast<std::size_t>(heading.queue_order)];
  }
  return settings;
}

std::vector<Replayed> replay(BoundEngine& engine, const std::vector<std::string>& lines, bool another_policy) {
  Replay<Shared> replay(engine.engine, another_policy);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    try {
      replay.feed(lines[i]);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("line " + std::to_string(i + 1) + ": " + error.what());
    }
  }
  return replay.picks();
}

}  // namespace

void register_log(py::module_& module) {
  py::class_<Recording, std::shared_ptr<Recording>>(module, "Recording", py::is_final())
      .def_property_readonly("lines", &Recording::kept)
      .def_property_readonly("failure", &Recording::failure)
      .def("__len__", &Recording::lines)
      .def("close", &Recording::close, Released());
  py::class_<Replayed>(module, "ReplayedPick", py::is_final())
      .def_readonly("now", &Replayed::now)
      .def_readonly("lane", &Replayed::lane)
      .def_readonly("recorded", &Replayed::recorded)
      .def_readonly("picked", &Replayed::picked);
  module.def("record", &record, py::arg("engine"), py::arg("path") = py::none());
  module.def("end_recording", [](BoundEngine& engine) { engine.engine.record({}); }, py::arg("engine"), Waits());
  module.def("log_settings", &log_settings, py::arg("line"));
  module.def("replay", &replay, py::arg("engine"), py::arg("lines"), py::kw_only(), py::arg("another_policy"), Waits());
}

}  // namespace lbsuite::bind
