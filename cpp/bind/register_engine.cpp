#include <pybind11/pybind11.h>

namespace lbsuite::bind {
void register_engine(pybind11::module_&) {}
}  // namespace lbsuite::bind
