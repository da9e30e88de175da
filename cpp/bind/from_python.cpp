#include "bind/from_python.hpp"

#include <optional>
#include <stdexcept>

namespace lbsuite::bind {
namespace {

std::string spell(const py::handle& value) { return py::str(value).cast<std::string>(); }

py::object integer_from(const py::handle& value) {
  auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) throw py::error_already_set();
  return number;
}

// Nothing, if the number has no room in them.
std::optional<std::int64_t> in_64_bits(const py::object& number) {
  int side = 0;
  const long long found = PyLong_AsLongLongAndOverflow(number.ptr(), &side);
  return side == 0 ? std::optional<std::int64_t>(found) : std::nullopt;
}

}  // namespace

std::int64_t whole_from(const py::handle& value, const char* what, std::int64_t least, std::int64_t most) {
  const py::object number = integer_from(value);
  const auto found = in_64_bits(number);
  if (found && *found >= least && *found <= most) return *found;
  throw std::invalid_argument(std::string(what) + " out of " + std::to_string(least) + ".." + std::to_string(most) +
                              ": " + spell(number));
}

std::uint64_t revision_from(const py::handle& value) {
  const py::object number = integer_from(value);
  const unsigned long long revision = PyLong_AsUnsignedLongLong(number.ptr());
  if (PyErr_Occurred() == nullptr) return revision;
  PyErr_Clear();
  throw std::invalid_argument("revision out of 1..2^64-1: " + spell(number));
}

std::string text_from(const py::handle& value, const char* what) {
  if (!py::isinstance<py::str>(value)) {
    throw py::type_error(std::string(what) + " is a str, not " + py::repr(value).cast<std::string>());
  }
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text == nullptr) throw py::error_already_set();
  return {text, static_cast<std::size_t>(size)};
}

Weights weights_from(const py::object& mapping) {
  Weights weights;
  if (mapping.is_none()) return weights;
  if (!py::hasattr(mapping, "keys")) {
    throw py::type_error("weights are a mapping, not " + py::repr(mapping).cast<std::string>());
  }
  for (const auto& [key, value] : py::dict(mapping)) {
    const std::string name = text_from(key, "a name with a weight");
    const py::object number = integer_from(value);
    const auto weight = in_64_bits(number);
    if (!weight) throw std::invalid_argument("weight of '" + name + "' out of 0..64: " + spell(number));
    weights.emplace(name, *weight);
  }
  return weights;
}

}  // namespace lbsuite::bind
