#include <pybind11/pybind11.h>

namespace lbsuite::bind {
void register_policy(pybind11::module_&) {}
}  // namespace lbsuite::bind
