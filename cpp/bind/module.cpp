// bind: the only room that knows Python, and the only one that lets go of the GIL.
//   register_<room>.cpp       the names that Python sees, checked against python/lbsuite/_core.pyi
//   bound_engine              an engine and the str objects of its endpoints     recording  the lines of its log
//   bound_placer              a placer and the str objects of its members
//   from_python, fast_method  what is read from Python objects, and a method without pybind11's cost
//   python_policy             a policy written in Python, as an engine sees it
//   waiting                   how a call waits for an engine's locks without the GIL
// Python alone calls in here; what the core throws becomes ValueError, RuntimeError or OSError.

#include <pybind11/pybind11.h>

namespace lbsuite::bind {
void register_policy(pybind11::module_& module);
void register_python_policy(pybind11::module_& module);
void register_answers(pybind11::module_& module);
void register_explanation(pybind11::module_& module);
void register_engine(pybind11::module_& module);
void register_log(pybind11::module_& module);
void register_routers(pybind11::module_& module);
void register_compute(pybind11::module_& module);
void register_placer(pybind11::module_& module);
void register_proxy(pybind11::module_& module);
void register_timing(pybind11::module_& module);
}  // namespace lbsuite::bind

PYBIND11_MODULE(_core, module) {
  module.attr("__version__") = LBSUITE_VERSION;
  lbsuite::bind::register_policy(module);
  lbsuite::bind::register_python_policy(module);
  lbsuite::bind::register_answers(module);
  lbsuite::bind::register_explanation(module);
  lbsuite::bind::register_engine(module);
  lbsuite::bind::register_log(module);
  lbsuite::bind::register_routers(module);
  lbsuite::bind::register_compute(module);
  lbsuite::bind::register_placer(module);
  lbsuite::bind::register_proxy(module);
  lbsuite::bind::register_timing(module);
}
