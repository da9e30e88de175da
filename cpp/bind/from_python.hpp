#pragma once
// What placers and routers are given from Python, where pybind11 would refuse a number of more than 64 bits without
// naming it, and take bytes for a name, so that b"a" beside "a" hides one of the two.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <map>
#include <string>

namespace lbsuite::bind {

namespace py = pybind11;

using Weights = std::map<std::string, std::int64_t>;

// A whole number of least..most. Throws std::invalid_argument with the value if it is another, a Python TypeError if it
// is none.
std::int64_t whole_from(const py::handle& value, const char* what, std::int64_t least, std::int64_t most);

// As whole_from, of 64 bits without a sign.
std::uint64_t revision_from(const py::handle& value);

// A str. Throws a Python TypeError for anything else, a ValueError if it is no Unicode.
std::string text_from(const py::handle& value, const char* what);

// By name, from any mapping; empty for None. Throws as the above; which weights there are is for others to say.
Weights weights_from(const py::object& mapping);

}  // namespace lbsuite::bind
