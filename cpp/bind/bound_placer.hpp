#pragma once
// Placers as Python holds them: servers are strings there, made once for each address.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bind/from_python.hpp"
#include "placer/placer.hpp"

namespace lbsuite::bind {

// A str for each server, kept. Called with the GIL.
class ServerNames {
 public:
  const py::str& of(Ipv4 server);
  py::object or_none(Ipv4 server) {
    if (server == kNoServer) return py::none();
    return of(server);
  }

 private:
  std::unordered_map<Ipv4, py::str> names_;
};

struct BoundDelta {
  py::list moves;
  std::uint32_t minimum;
};

// Throws std::invalid_argument for what is no address or no weight of 0..64.
std::vector<Change> changes_from(const Weights& weights);
BoundDelta bind_delta(const Delta& delta, ServerNames& names);

class BoundPlacer {
 public:
  BoundPlacer(std::uint32_t objects, std::uint32_t max_servers)
      : placer(std::make_shared<Placer>(objects, max_servers)) {}
  explicit BoundPlacer(Placement placement) : placer(std::make_shared<Placer>(std::move(placement))) {}

  BoundDelta apply(const py::object& revision, const py::object& weights);
  BoundDelta preview(const py::object& revision, const py::object& weights);
  // The owner as a str, or None.
  PyObject* owner(PyObject* object);
  // The ids of the owners; numbers of any integer type.
  py::array_t<ServerId> owners(const py::array& objects) const;
  py::array_t<std::uint32_t> owned(const std::string& server) const;
  std::vector<py::str> owners_n(const py::object& object, const py::object& count,
                                const std::map<std::string, std::string>& zones);
  std::map<std::string, std::uint32_t> weights() const;
  py::object server(const py::object& id);

  std::shared_ptr<Placer> placer;

 private:
  void rename();

  ServerNames names_;
  std::vector<py::object> by_id_;  // the name of each server, for `owner`
};

}  // namespace lbsuite::bind
