#include <pybind11/pybind11.h>

#include <limits>
#include <string>
#include <utility>

#include "bind/from_python.hpp"
#include "bits/distribution.hpp"
#include "compute/cancel.hpp"
#include "compute/fibonacci.hpp"
#include "compute/fibonacci_big.hpp"
#include "compute/memory.hpp"
#include "compute/mix.hpp"
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

void mixed(double cpu_s, double sleep_s, const py::int_& bytes, Cancel& cancel) {
  const std::int64_t number = nearest(bytes);
  const py::gil_scoped_release unlocked;
  mix(cpu_s, sleep_s, number, cancel);
}

// What a kernel of big numbers gives for n, without the GIL.
template <class Kernel>
auto big(const py::handle& n, const Cancel& cancel, Kernel&& kernel) {
  const std::int64_t number = whole_from(n, "n", 0, kLargestBig);
  const py::gil_scoped_release unlocked;
  return kernel(number, cancel);
}

py::object exact(const py::handle& n) {
  const std::int64_t number = whole_from(n, "n", 0, kLargestBig);
  if (number <= kLargest64Bit) return py::int_(fibonacci(number));  // some 10 ns: less than to let go of the GIL
  const py::bytes found(big(n, Cancel(), fibonacci_bytes));
  const py::object integer = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyLong_Type));
  return integer.attr("from_bytes")(found, "little");
}

std::pair<std::size_t, std::uint64_t> digest(const py::handle& n, const Cancel& cancel) {
  const BigDigest found = big(n, cancel, fibonacci_digest);
  return {found.digits, found.hash};
}

std::string text(const py::handle& n, const Cancel& cancel) { return big(n, cancel, fibonacci_text); }

Distribution distribution(const std::string& name, double shape) {
  if (name == "exp") return Exponential();
  if (name == "lognormal") return Lognormal(shape);
  if (name == "pareto") return Pareto(shape);
  throw std::invalid_argument("no distribution " + py::repr(py::str(name)).cast<std::string>() +
                              "; there are exp, lognormal, pareto");
}

py::list sizes(const std::string& name, double shape, std::uint64_t seed, int count) {
  const Distribution drawn = distribution(name, shape);
  Rng rng(seed);
  py::list found;
  for (int i = 0; i < count; ++i) found.append(draw(drawn, rng));
  return found;
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const NoGmp& error) {
    PyErr_SetString(PyExc_NotImplementedError, error.what());
  }
}

}  // namespace

void register_compute(py::module_& module) {
  py::class_<Cancel>(module, "Cancel", py::is_final())
      .def(py::init())
      .def("set", &Cancel::set)
      .def("is_set", &Cancel::is_set);
  py::register_exception<TaskCancelled>(module, "TaskCancelled");

  py::register_exception_translator(&translate);

  module.def("fibonacci", &exact, py::arg("n"));
  module.def("fibonacci_digest", &digest, py::arg("n"), py::arg("cancel"));
  module.def("fibonacci_text", &text, py::arg("n"), py::arg("cancel"));
  module.def("fibonacci_recursive", &recursive, py::arg("n"), py::arg("cancel"));
  module.def("gmp_release", &gmp_release);
  module.def("sleep", &wait, py::arg("seconds"), py::arg("cancel"));
  module.def("hold_memory", &memory, py::arg("bytes"), py::arg("seconds"), py::arg("cancel"));
  module.def("mix", &mixed, py::arg("cpu_s"), py::arg("sleep_s"), py::arg("bytes"), py::arg("cancel"));
  module.def("draw", &sizes, py::arg("distribution"), py::arg("shape"), py::arg("seed"), py::arg("count"));
  module.def("thread_cpu_s", &thread_cpu_s);
  module.def("lower_priority", &lower_priority, py::arg("nice"));
}

}  // namespace lbsuite::bind
