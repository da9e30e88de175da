#include <pybind11/pybind11.h>

#include <limits>

#include "compute/cancel.hpp"
#include "compute/fibonacci.hpp"
#include "compute/memory.hpp"
#include "compute/thread.hpp"

namespace py = pybind11;

namespace lbsuite::bind {
namespace {

// A Python int of any size: one that 64 bits cannot hold is as far out of bounds as their last value.
std::int64_t nearest(const py::int_& number) {
  int side = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &side);
  if (side == 0) return value;
  return side < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

std::uint64_t recursive(const py::int_& n, const Cancel& cancel) {
  const std::int64_t number = nearest(n);
  const py::gil_scoped_release unlocked;
  return fibonacci_recursive(number, cancel);
}

void memory(const py::int_& bytes, double seconds, Cancel& cancel) {
  const std::int64_t number = nearest(bytes);
  const py::gil_scoped_release unlocked;
  hold_memory(number, seconds, cancel);
}

void wait(double seconds, Cancel& cancel) {
  const py::gil_scoped_release unlocked;
  cancel.wait(seconds);
}

}  // namespace

void register_compute(py::module_& module) {
  py::class_<Cancel>(module, "Cancel", py::is_final())
      .def(py::init())
      .def("set", &Cancel::set)
      .def("is_set", &Cancel::is_set);
  py::register_exception<Cancelled>(module, "Cancelled");

  module.def("fibonacci", [](const py::int_& n) { return fibonacci(nearest(n)); }, py::arg("n"));
  module.def("fibonacci_recursive", &recursive, py::arg("n"), py::arg("cancel"));
  module.def("sleep", &wait, py::arg("seconds"), py::arg("cancel"));
  module.def("hold_memory", &memory, py::arg("bytes"), py::arg("seconds"), py::arg("cancel"));
  module.def("thread_cpu_s", &thread_cpu_s);
  module.def("lower_priority", &lower_priority, py::arg("nice"));
}

}  // namespace lbsuite::bind
