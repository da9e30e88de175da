#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "bind/bound_engine.hpp"
#include "engine/explanation.hpp"

namespace lbsuite::bind {
namespace {

using Waits = py::call_guard<Waiting>;

// None for what is not there.
py::object text_or_none(const std::string& text) { return text.empty() ? py::object(py::none()) : py::cast(text); }

std::string_view state(const Considered& one) { return kStates[static_cast<std::size_t>(one.state)]; }

py::dict endpoint_dict(const Considered& one) {
  return py::dict(py::arg("address") = one.address, py::arg("state") = state(one),
                  py::arg("out_by") = text_or_none(one.out_by), py::arg("looked_at") = one.looked_at,
                  py::arg("weighed") = one.weighed, py::arg("score") = one.score, py::arg("tasks") = one.tasks,
                  py::arg("limit") = one.limit, py::arg("weight") = one.weight, py::arg("level") = one.level,
                  py::arg("report_age_s") = one.report_age_s);
}

py::dict as_dict(const Explanation& told) {
  py::list endpoints;
  for (const Considered& one : told.endpoints) endpoints.append(endpoint_dict(one));
  return py::dict(
      py::arg("policy") = told.policy, py::arg("goes_by") = told.goes_by, py::arg("picked") = text_or_none(told.picked),
      py::arg("refused") = text_or_none(told.refused), py::arg("sequence") = told.sequence, py::arg("now") = told.now,
      py::arg("view") = told.view, py::arg("key") = py::bytes(told.key), py::arg("cost") = told.cost,
      py::arg("priority") = told.priority, py::arg("attempt") = told.attempt, py::arg("ready") = told.ready(),
      py::arg("looked_at") = told.looked_at(), py::arg("endpoints") = endpoints);
}

void register_considered(py::module_& module) {
  py::class_<Considered>(module, "Considered", py::is_final())
      .def_readonly("address", &Considered::address)
      .def_property_readonly("state", &state)
      .def_property_readonly("out_by", [](const Considered& one) { return text_or_none(one.out_by); })
      .def_readonly("looked_at", &Considered::looked_at)
      .def_readonly("weighed", &Considered::weighed)
      .def_readonly("score", &Considered::score)
      .def_readonly("tasks", &Considered::tasks)
      .def_readonly("limit", &Considered::limit)
      .def_readonly("weight", &Considered::weight)
      .def_readonly("level", &Considered::level)
      .def_readonly("report_age_s", &Considered::report_age_s);
}

}  // namespace

void add_explaining(py::class_<BoundEngine>& bound) {
  bound.def("sample", [](BoundEngine& self, std::uint32_t every) { self.engine.sample(every); }, py::arg("every"));
  bound.def(
      "explain",
      [](const BoundEngine& self, const BoundPick& pick) {
        if (pick.of != &self) throw std::invalid_argument("that pick is another engine's");
        return self.engine.explain(pick.pick);
      },
      py::arg("pick"), Waits());
  bound.def("explain_choice", &BoundEngine::explain_choice, py::arg("now"), py::arg("key") = py::none(),
            py::arg("cost") = 1, py::arg("exclude") = py::tuple(), py::arg("policy") = py::none(),
            py::arg("priority") = 0, py::arg("attempt") = 0, py::arg("lane") = 0);
  bound.def(
      "records",
      [](const BoundEngine& self, std::optional<std::size_t> most) {
        return self.engine.records(most.value_or(Samples::kKept));
      },
      py::arg("most") = py::none(), Waits());
  bound.def("counters", [](const BoundEngine& self) {
    const auto counters = [&] {
      const Waiting waiting;
      return self.engine.counters();
    }();
    py::dict named;
    for (const auto& [name, count] : counters) named[py::str(name)] = count;
    return named;
  });
}

void register_explanation(py::module_& module) {
  register_considered(module);
  py::class_<Explanation>(module, "Explanation", py::is_final())
      .def_readonly("policy", &Explanation::policy)
      .def_readonly("goes_by", &Explanation::goes_by)
      .def_property_readonly("picked", [](const Explanation& told) { return text_or_none(told.picked); })
      .def_property_readonly("refused", [](const Explanation& told) { return text_or_none(told.refused); })
      .def_readonly("sequence", &Explanation::sequence)
      .def_readonly("now", &Explanation::now)
      .def_readonly("view", &Explanation::view)
      .def_property_readonly("key", [](const Explanation& told) { return py::bytes(told.key); })
      .def_readonly("cost", &Explanation::cost)
      .def_readonly("priority", &Explanation::priority)
      .def_readonly("attempt", &Explanation::attempt)
      .def_property_readonly("ready", &Explanation::ready)
      .def_property_readonly("looked_at", &Explanation::looked_at)
      .def_readonly("endpoints", &Explanation::endpoints)
      .def("as_dict", &as_dict)
      .def("__str__", &Explanation::in_words);
}

}  // namespace lbsuite::bind
