#include <pybind11/pybind11.h>

namespace lbsuite::bind {
void register_policy(pybind11::module_& module);
void register_python_policy(pybind11::module_& module);
void register_engine(pybind11::module_& module);
void register_log(pybind11::module_& module);
void register_compute(pybind11::module_& module);
}  // namespace lbsuite::bind

PYBIND11_MODULE(_core, module) {
  module.attr("__version__") = LBSUITE_VERSION;
  lbsuite::bind::register_policy(module);
  lbsuite::bind::register_python_policy(module);
  lbsuite::bind::register_engine(module);
  lbsuite::bind::register_log(module);
  lbsuite::bind::register_compute(module);
}
