#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cctype>

#include "policy/policies.hpp"
#include "roster/report.hpp"
#include "roster/roster.hpp"
#include "stage/stages.hpp"

namespace lbsuite::bind {
namespace {

namespace py = pybind11;

// least_load -> LeastLoad
std::string class_name(std::string_view policy) {
  std::string name;
  bool capital = true;
  for (const char letter : policy) {
    if (letter != '_') name += capital ? static_cast<char>(std::toupper(letter)) : letter;
    capital = letter == '_';
  }
  return name;
}

template <class P>
typename P::Settings from_keywords(const py::kwargs& keywords) {
  std::string spec(P::name);
  for (const auto& [key, value] : keywords) {
    spec += (spec.size() == P::name.size() ? ":" : ",") + py::str(key).cast<std::string>() + "=" +
            py::str(value).cast<std::string>();
  }
  return std::get<typename P::Settings>(parse_policy(spec));
}

template <class P>
void register_settings(py::module_& module) {
  using Settings = typename P::Settings;
  py::class_<Settings, PolicySettings> bound(module, class_name(P::name).c_str(), py::is_final());
  bound.def(py::init(&from_keywords<P>));
  bound.def("__str__", [](const Settings& settings) { return policy_spec(settings); });
  Settings().fields([&](std::string_view field, const auto&) {
    bound.def_property_readonly(std::string(field).c_str(), [field](Settings settings) {
      std::string text;
      settings.fields([&](std::string_view name, const auto& value) {
        if (name == field) text = value.text();
      });
      return text;
    });
  });
}

// What all settings have, by their spec.
void register_parent(py::module_& module) {
  const auto spec = [](const py::object& settings) { return py::str(settings).cast<std::string>(); };
  py::class_<PolicySettings>(module, "Settings")
      .def_property_readonly("policy",
                             [=](const py::object& self) { return spec(self).substr(0, spec(self).find(':')); })
      .def("__repr__", [=](const py::object& self) { return "parse_policy('" + spec(self) + "')"; })
      .def("__eq__", [=](const py::object& self, const py::object& other) {
        return py::isinstance<PolicySettings>(other) && spec(self) == spec(other);
      });
}

}  // namespace

void register_policy(py::module_& module) {
  module.def("policies", &policy_names);
  module.def("rosters", [] { return std::vector<std::string>(kRosters.begin(), kRosters.end()); });
  module.def("signals", [] { return std::vector<std::string>(kSignals.begin(), kSignals.end()); });
  register_parent(module);
  Policies::each([&]<class P>() { register_settings<P>(module); });
  module.def("parse_policy", &parse_policy, py::arg("spec"));
  module.def("stages", &stage_names);
  module.def("parse_stage", [](const std::string& spec) { return stage_spec(parse_stage(spec)); }, py::arg("spec"));
}

}  // namespace lbsuite::bind
