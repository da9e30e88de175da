#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "bind/bound_placer.hpp"
#include "bind/fast_method.hpp"
#include "placer/set_placer.hpp"

namespace lbsuite::bind {
namespace {

// A number of objects stands for 0 to one less.
std::vector<std::uint32_t> objects_from(const py::object& objects) {
  std::vector<std::uint32_t> numbers;
  if (PyIndex_Check(objects.ptr()) && !py::isinstance<py::iterable>(objects)) {
    numbers.resize(static_cast<std::size_t>(whole_from(objects, "objects", 1, SetPlacer::kMostObjects)));
    std::iota(numbers.begin(), numbers.end(), 0U);
    return numbers;
  }
  for (const auto& object : objects) {
    numbers.push_back(static_cast<std::uint32_t>(whole_from(object, "object", 0, SetPlacer::kMostObjects - 1)));
  }
  std::sort(numbers.begin(), numbers.end());
  const auto twice = std::adjacent_find(numbers.begin(), numbers.end());
  if (twice != numbers.end()) throw std::invalid_argument("object twice: " + std::to_string(*twice));
  return numbers;
}

// Lists are made of a copy: making one may run Python code that waits for the placer.
std::map<std::string, py::list> owned_by_all(const SetPlacer& placer) {
  std::span<const std::uint32_t> objects;
  std::vector<std::uint16_t> owners;
  std::vector<Member> members;
  placer.look([&](auto placed, auto by_object, Members up) {
    objects = placed;
    owners.assign(by_object.begin(), by_object.end());
    members.assign(up.begin(), up.end());
  });
  std::map<std::string, py::list> owned;
  std::vector<py::list> lists;
  for (const Member& member : members) lists.push_back(owned[spell_ipv4(member.server)] = py::list());
  for (std::size_t o = 0; o < owners.size(); ++o) lists[owners[o]].append(objects[o]);
  return owned;
}

// Each server once: a dict would hide a second one.
std::vector<Change> members_from(const py::object& servers, const py::object& weights) {
  if (py::isinstance<py::str>(servers)) throw py::type_error("servers are addresses, not one str");
  std::vector<Change> members;
  Weights left = weights_from(weights);
  for (const auto& server : servers) {
    const std::string address = text_from(server, "a server");
    const auto found = left.extract(address);
    const std::int64_t weight = found.empty() ? 1 : found.mapped();
    if (weight < 1 || weight > Placement::kMostWeight) {
      throw std::invalid_argument("weight of " + address + " out of 1..64: " + std::to_string(weight));
    }
    members.push_back({parse_ipv4(address), static_cast<std::uint32_t>(weight)});
  }
  if (!left.empty()) throw std::invalid_argument("a weight for " + left.begin()->first + ", which is no server");
  return members;
}

void register_place(py::module_& module) {
  module.def("set_kinds", &set_kinds);
  module.def(
      "place",
      [](const py::object& objects, const py::object& servers, const py::object& weights, const std::string& kind) {
        SetPlacer placer(objects_from(objects), kind);
        const std::vector<Change> members = members_from(servers, weights);
        {
          const py::gil_scoped_release released;
          placer.apply(members);
        }
        return owned_by_all(placer);
      },
      py::arg("objects"), py::arg("servers"), py::arg("weights") = py::none(), py::arg("kind") = set_kinds()[0]);
}

void register_set_placer(py::module_& module) {
  struct Bound {
    SetPlacer placer;
    ServerNames names;
  };
  py::class_<Bound>(module, "SetPlacer", py::is_final())
      .def(py::init([](const py::object& objects, const std::string& kind) {
             return new Bound{SetPlacer(objects_from(objects), kind), {}};
           }),
           py::arg("objects") = 4096, py::arg("kind") = set_kinds()[0])
      .def(
          "apply",
          [](Bound& self, const py::object& weights) {
            const std::vector<Change> changes = changes_from(weights_from(weights));
            const Delta delta = [&] {
              const py::gil_scoped_release released;
              return self.placer.apply(changes);
            }();
            return bind_delta(delta, self.names);
          },
          py::arg("weights"))
      .def_property_readonly("kind", [](const Bound& self) { return self.placer.kind(); })
      .def_property_readonly("placed", [](const Bound& self) { return owned_by_all(self.placer); })
      .def("digest", [](const Bound& self) { return self.placer.digest(); });
}

// The memory that `apply` writes to, read-only; it keeps the placer alive.
py::array table(const BoundPlacer& bound) {
  const auto owners = bound.placer->table();
  const py::capsule keeper(new std::shared_ptr<Placer>(bound.placer),
                           [](void* placer) { delete static_cast<std::shared_ptr<Placer>*>(placer); });
  py::array_t<ServerId> view(static_cast<py::ssize_t>(owners.size()), reinterpret_cast<const ServerId*>(owners.data()),
                             keeper);
  view.attr("flags").attr("writeable") = false;
  return view;
}

PyObject* owner(BoundPlacer& bound, PyObject* object) { return bound.owner(object); }

void add_reads(py::class_<BoundPlacer>& bound) {
  bound.def("owners", &BoundPlacer::owners, py::arg("objects"));
  bound.def("owned", &BoundPlacer::owned, py::arg("server"));
  bound.def("owners_n", &BoundPlacer::owners_n, py::arg("object"), py::arg("k"), py::kw_only(),
            py::arg("zones") = std::map<std::string, std::string>());
  bound.def("server", &BoundPlacer::server, py::arg("id"));
  bound.def_property_readonly("weights", &BoundPlacer::weights);
  bound.def_property_readonly("table", &table);
  bound.def_property_readonly("objects", [](const BoundPlacer& self) { return self.placer->objects(); });
  bound.def_property_readonly("live", [](const BoundPlacer& self) {
    return self.placer->look([](const Placement& placement) { return placement.live(); });
  });
  bound.def_property_readonly("revision", [](const BoundPlacer& self) {
    return self.placer->look([](const Placement& placement) { return placement.revision(); });
  });
  add_fast_method<BoundPlacer, &owner>(bound, "owner", "The server that owns an object; None before the first batch.");
}

}  // namespace

void register_placer(py::module_& module) {
  py::class_<BoundDelta>(module, "Delta", py::is_final())
      .def_readonly("moves", &BoundDelta::moves)
      .def_readonly("minimum", &BoundDelta::minimum)
      .def("__repr__", [](const BoundDelta& delta) {
        return "Delta(" + std::to_string(delta.moves.size()) + " moves, minimum " + std::to_string(delta.minimum) + ")";
      });
  register_place(module);
  register_set_placer(module);
  py::class_<BoundPlacer> bound(module, "Placer", py::is_final());
  bound.def(py::init([](const py::object& objects, const py::object& max_servers) {
              const auto most = whole_from(max_servers, "max_servers", 1, Placement::kMostServers);
              const auto count = whole_from(objects, "objects", 1, Placement::kMostObjects);
              return BoundPlacer(static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(most));
            }),
            py::arg("objects") = 4096, py::arg("max_servers") = Placement::kMostServers);
  bound.def("apply", &BoundPlacer::apply, py::arg("revision"), py::arg("weights"));
  bound.def("preview", &BoundPlacer::preview, py::arg("revision"), py::arg("weights"));
  add_reads(bound);
  bound.def("snapshot", [](const BoundPlacer& self) {
    return py::bytes(self.placer->look([](const Placement& placement) { return placement.snapshot(); }));
  });
  bound.def_static(
      "restore", [](const py::bytes& bytes) { return BoundPlacer(Placement::restore(std::string_view(bytes))); },
      py::arg("snapshot"));
  bound.def("digest", [](const BoundPlacer& self) {
    return self.placer->look([](const Placement& placement) { return placement.digest(); });
  });
}

}  // namespace lbsuite::bind
