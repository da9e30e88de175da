#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <shared_mutex>
#include <stdexcept>

#include "bind/fast_method.hpp"
#include "bind/from_python.hpp"
#include "placer/key_router.hpp"

namespace lbsuite::bind {
namespace {

using routers::KeyRouter;

// A router, and its members as str. Whoever changes it holds the GIL and `routing`; a long read holds `routing` alone.
struct BoundRouter {
  KeyRouter router;
  std::vector<py::str> names;
  std::shared_mutex routing;

  explicit BoundRouter(KeyRouter made) : router(std::move(made)) { rename(); }

  template <class Change>
  void change(Change&& change) {
    const std::unique_lock lock(routing);
    change(router);
    rename();
  }

 private:
  void rename() {
    names.clear();
    for (const auto& member : router.members()) names.emplace_back(member.name);
  }
};

std::uint32_t weight_from(const std::string& name, std::int64_t weight) {
  if (weight >= 0 && weight <= KeyRouter::kMostWeight) return static_cast<std::uint32_t>(weight);
  throw std::invalid_argument("weight of '" + name + "' out of 0..64: " + std::to_string(weight));
}

std::unique_ptr<BoundRouter> make_router(const std::string& kind, const py::object& members, const py::object& weights,
                                         std::optional<double> bound, const py::object& capacity) {
  if (py::isinstance<py::str>(members)) throw py::type_error("members are names, not one str");
  if (PyAnySet_Check(members.ptr()) && !routers::traits(kind).sorted) {
    throw py::type_error(kind + " counts members as they come, and a set has no order");
  }
  Weights left = weights_from(weights);
  routers::Members named;
  for (const auto& member : members) {
    std::string name = text_from(member, "a member");
    const auto found = left.extract(name);
    const std::uint32_t weight = found.empty() ? 1 : weight_from(name, found.mapped());
    named.push_back({std::move(name), weight});
  }
  if (!left.empty()) throw std::invalid_argument("a weight for '" + left.begin()->first + "', which is no member");
  std::optional<std::int64_t> room;
  if (!capacity.is_none()) room = whole_from(capacity, "capacity", std::ssize(named), KeyRouter::kMostMembers);
  return std::make_unique<BoundRouter>(KeyRouter(kind, std::move(named), {bound, room}));
}

// An int from -2^63 to 2^64 - 1, as 64 bits.
std::uint64_t number_from(PyObject* key) {
  int side = 0;
  const long long number = PyLong_AsLongLongAndOverflow(key, &side);
  if (side == 0) return static_cast<std::uint64_t>(number);
  if (side > 0) {
    const unsigned long long large = PyLong_AsUnsignedLongLong(key);
    if (PyErr_Occurred() == nullptr) return large;
    PyErr_Clear();
  }
  throw std::invalid_argument("key out of -2^63..2^64-1: " + py::str(py::handle(key)).cast<std::string>());
}

// Nothing, with a Python error set, if it is no key.
std::optional<std::uint64_t> hash_of(const KeyRouter& router, PyObject* key) {
  if (PyLong_Check(key)) return router.hash(number_from(key));
  if (PyBytes_Check(key)) {
    return router.hash(std::string_view(PyBytes_AS_STRING(key), static_cast<std::size_t>(PyBytes_GET_SIZE(key))));
  }
  if (PyUnicode_Check(key)) {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(key, &size);
    if (text == nullptr) return std::nullopt;
    return router.hash(std::string_view(text, static_cast<std::size_t>(size)));
  }
  if (PyIndex_Check(key)) {
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(key));
    if (!number) return std::nullopt;
    return router.hash(number_from(number.ptr()));
  }
  PyErr_Format(PyExc_TypeError, "a key is bytes, str or int, not %s", Py_TYPE(key)->tp_name);
  return std::nullopt;
}

PyObject* route(BoundRouter& bound, PyObject* key) {
  const auto hash = hash_of(bound.router, key);
  return hash ? Py_NewRef(bound.names[bound.router.route(*hash)].ptr()) : nullptr;
}

py::str take(BoundRouter& bound, const py::object& key) {
  const auto hash = hash_of(bound.router, key.ptr());
  if (!hash) throw py::error_already_set();
  return bound.names[bound.router.take(*hash)];
}

template <class Number>
py::array_t<std::uint32_t> route_numbers(BoundRouter& bound, const py::array& keys) {
  const auto numbers = py::array_t<Number, py::array::c_style | py::array::forcecast>::ensure(keys);
  py::array_t<std::uint32_t> indices(std::vector<py::ssize_t>(keys.shape(), keys.shape() + keys.ndim()));
  const std::span in(reinterpret_cast<const std::uint64_t*>(numbers.data()), static_cast<std::size_t>(numbers.size()));
  std::uint32_t* const out = indices.mutable_data();
  if (bound.router.bounded()) {  // its counts change with the GIL alone
    bound.router.route_many(in, out);
    return indices;
  }
  const py::gil_scoped_release released;
  const std::shared_lock lock(bound.routing);
  bound.router.route_many(in, out);
  return indices;
}

py::array_t<std::uint32_t> route_many(BoundRouter& bound, const py::object& keys) {
  if (py::isinstance<py::array>(keys)) {
    const auto array = py::reinterpret_borrow<py::array>(keys);
    if (array.dtype().kind() == 'u') return route_numbers<std::uint64_t>(bound, array);
    if (array.dtype().kind() == 'i') return route_numbers<std::int64_t>(bound, array);
    throw py::type_error("an array of keys holds integers, not " + py::str(array.dtype()).cast<std::string>());
  }
  if (py::isinstance<py::bytes>(keys) || py::isinstance<py::str>(keys)) {
    throw py::type_error("keys are many, not one bytes or str");
  }
  std::vector<std::uint32_t> indices;
  for (const auto& key : keys) {
    const auto hash = hash_of(bound.router, key.ptr());
    if (!hash) throw py::error_already_set();
    indices.push_back(bound.router.route(*hash));
  }
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(indices.size()), indices.data());
}

template <class Value>
py::dict by_name(const BoundRouter& bound, Value&& value) {
  py::dict found;
  for (std::size_t i = 0; i < bound.names.size(); ++i) found[bound.names[i]] = value(i);
  return found;
}

void add_changes(py::class_<BoundRouter>& bound) {
  bound.def(
      "add",
      [](BoundRouter& self, const std::string& member, const py::object& weight) {
        const auto whole = static_cast<std::uint32_t>(
            whole_from(weight, ("weight of '" + member + "'").c_str(), 1, KeyRouter::kMostWeight));
        self.change([&](KeyRouter& router) { router.add({member, whole}); });
      },
      py::arg("member"), py::arg("weight") = 1);
  bound.def(
      "remove",
      [](BoundRouter& self, const std::string& member) {
        self.change([&](KeyRouter& router) { router.remove(member); });
      },
      py::arg("member"));
  bound.def(
      "apply",
      [](BoundRouter& self, const py::object& revision, const py::object& weights) {
        std::map<std::string, std::uint32_t> changes;
        for (const auto& [name, weight] : weights_from(weights)) changes.emplace(name, weight_from(name, weight));
        self.change([&](KeyRouter& router) { router.apply(revision_from(revision), changes); });
      },
      py::arg("revision"), py::arg("weights"));
}

void add_reads(py::class_<BoundRouter>& bound) {
  bound.def("route_many", &route_many, py::arg("keys"));
  bound.def("take", &take, py::arg("key"));
  bound.def(
      "done", [](BoundRouter& self, const std::string& member) { return self.router.done(member); }, py::arg("member"));
  bound.def_property_readonly("kind", [](const BoundRouter& self) { return self.router.kind(); });
  bound.def_property_readonly("members", [](const BoundRouter& self) { return self.names; });
  bound.def_property_readonly("weights", [](const BoundRouter& self) {
    return by_name(self, [&](std::size_t i) { return self.router.members()[i].weight; });
  });
  bound.def_property_readonly("loads", [](const BoundRouter& self) {
    return by_name(self, [&](std::size_t i) { return self.router.loads()[i]; });
  });
  bound.def_property_readonly("revision", [](const BoundRouter& self) { return self.router.revision(); });
  bound.def("__len__", [](const BoundRouter& self) { return self.names.size(); });
  add_fast_method<BoundRouter, &route>(bound, "route", "The member that has a key: bytes, str or int.");
}

}  // namespace

void register_routers(py::module_& module) {
  module.def("router_kinds", &routers::names);
  py::class_<BoundRouter> bound(module, "KeyRouter", py::is_final());
  bound.def(py::init(&make_router), py::arg("kind"), py::arg("members"), py::arg("weights") = py::none(), py::kw_only(),
            py::arg("bound") = py::none(), py::arg("capacity") = py::none());
  add_changes(bound);
  add_reads(bound);
}

}  // namespace lbsuite::bind
