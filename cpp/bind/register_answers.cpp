#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bind/bound_engine.hpp"

namespace lbsuite::bind {
namespace {

void register_endpoint(py::module_& module) {
  py::class_<Standing>(module, "Endpoint", py::is_final())
      .def_readonly("address", &Standing::address)
      .def_readonly("index", &Standing::index)
      .def_property_readonly("state", [](const Standing& s) { return kStates[static_cast<std::size_t>(s.state)]; })
      .def_readonly("tasks", &Standing::tasks)
      .def_readonly("work", &Standing::work)
      .def_readonly("estimate", &Standing::estimate)
      .def_readonly("score", &Standing::score)
      .def_readonly("picks", &Standing::picks)
      .def_readonly("limit", &Standing::limit)
      .def_readonly("weight", &Standing::weight)
      .def_readonly("zone", &Standing::zone)
      .def_readonly("tier", &Standing::tier)
      .def_readonly("warmth", &Standing::warmth)
      .def_property_readonly("memory", [](const Standing& s) { return s.last.memory; })
      .def_property_readonly("cpu", [](const Standing& s) { return s.last.cpu; })
      .def_readonly("report_age_s", &Standing::report_age_s);
}

void register_pick(py::module_& module) {
  py::class_<BoundPick>(module, "Pick", py::is_final())
      .def_property_readonly("endpoint", [](const BoundPick& bound) { return bound.address; })
      .def_property_readonly("index", [](const BoundPick& bound) { return bound.pick.endpoint; })
      .def_property_readonly("generation", [](const BoundPick& bound) { return bound.pick.generation; })
      .def_property_readonly("sequence", [](const BoundPick& bound) { return bound.pick.sequence; })
      .def_property_readonly("until", [](const BoundPick& bound) { return bound.pick.until; })
      .def("__repr__", [](const BoundPick& bound) {
        return "Pick(endpoint='" + bound.address.cast<std::string>() +
               "', sequence=" + std::to_string(bound.pick.sequence) + ")";
      });
  const auto number = [](const BoundTicket& bound) { return bound.ticket.number; };
  py::class_<BoundTicket>(module, "Ticket", py::is_final())
      .def_property_readonly("number", number)
      .def(
          "__eq__", [](const BoundTicket& one, const BoundTicket& other) { return one == other; }, py::is_operator())
      .def("__hash__", number)
      .def("__repr__",
           [number](const BoundTicket& bound) { return "Ticket(number=" + std::to_string(number(bound)) + ")"; });
}

void register_shadow(py::module_& module) {
  py::class_<Shadow>(module, "Shadow", py::is_final())
      .def_readonly("asked", &Shadow::asked)
      .def_readonly("differing", &Shadow::differing)
      .def_property_readonly("share", [](const Shadow& shadow) {
        return shadow.asked == 0 ? 0.0 : static_cast<double>(shadow.differing) / static_cast<double>(shadow.asked);
      });
}

void register_effect(py::module_& module) {
  const auto told = [](auto field) { return [field](const BoundEffect& bound) { return bound.effect.*field; }; };
  py::class_<BoundEffect>(module, "Effect", py::is_final())
      .def_property_readonly(
          "kind", [](const BoundEffect& bound) { return kEffects[static_cast<std::size_t>(bound.effect.kind)]; })
      .def_property_readonly("address", told(&Effect::address))
      .def_property_readonly("now", told(&Effect::now))
      .def_property_readonly("by", told(&Effect::by))
      .def_property_readonly("why", told(&Effect::why))
      .def_property_readonly("for_s", told(&Effect::for_s))
      .def_readonly("ticket", &BoundEffect::ticket)
      .def_property_readonly(
          "pick", [](BoundEffect& bound) { return bound.pick ? &*bound.pick : nullptr; },
          py::return_value_policy::reference_internal);
}

}  // namespace

void register_answers(py::module_& module) {
  register_endpoint(module);
  register_pick(module);
  register_shadow(module);
  register_effect(module);
}

}  // namespace lbsuite::bind
