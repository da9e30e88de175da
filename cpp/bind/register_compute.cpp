#include <pybind11/pybind11.h>

namespace lbsuite::bind {
void register_compute(pybind11::module_&) {}
}  // namespace lbsuite::bind
