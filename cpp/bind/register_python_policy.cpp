#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "bind/python_policy.hpp"

namespace lbsuite::bind {
namespace {

constexpr const char* kPolicyDoc =
    "The parent of policies written in Python: a subclass has `pick(view, request, rng)`, and may have `done` and "
    "`report`.";

PyObject* policy_class = nullptr;

// An ordinary class: a subclass may have an __init__ of its own and need not call this one's.
void register_class(py::module_& module) {
  py::dict attributes;
  attributes["__doc__"] = kPolicyDoc;
  attributes["__module__"] = "lbsuite._core";
  py::object made =
      py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyType_Type))("Policy", py::tuple(), attributes);
  made.attr("pick") = py::cpp_function(
      [](const py::object& self, const py::args&) -> py::object {
        const auto name = python_policy_name(self);
        PyErr_SetString(PyExc_NotImplementedError, (name + " has no pick(view, request, rng)").c_str());
        throw py::error_already_set();
      },
      py::name("pick"), py::is_method(made));
  module.attr("Policy") = made;
  policy_class = made.release().ptr();
}

PolicyCandidate candidate(const std::shared_ptr<PolicyView>& view, std::ptrdiff_t index) {
  const auto size = static_cast<std::ptrdiff_t>(view->ready.size());
  const std::ptrdiff_t from_the_start = index < 0 ? index + size : index;
  if (from_the_start < 0 || from_the_start >= size) {
    throw py::index_error("no candidate " + std::to_string(index) + " of " + std::to_string(size));
  }
  return {view, static_cast<std::uint32_t>(from_the_start)};
}

// A property of a candidate: what `get` tells of it by its number among all.
template <class Get>
auto fact(Get get) {
  return [get](const PolicyCandidate& self) { return get(self.view->candidates(), self.view->ready[self.index]); };
}

void register_view(py::module_& module) {
  using All = Candidates<Shared>;
  py::class_<PolicyCandidate>(module, "Candidate", py::is_final())
      .def_readonly("index", &PolicyCandidate::index)
      .def_property_readonly("address", fact([](const All& all, std::uint32_t i) { return all[i].address; }))
      .def_property_readonly("tasks", fact([](const All& all, std::uint32_t i) { return all.tasks(i); }))
      .def_property_readonly("estimate", fact([](const All& all, std::uint32_t i) { return all.estimate(i); }))
      .def_property_readonly("score", fact([](const All& all, std::uint32_t i) { return all.score(i); }))
      .def_property_readonly("weight", fact([](const All& all, std::uint32_t i) { return all.weight(i); }))
      .def_property_readonly("limit", fact([](const All& all, std::uint32_t i) { return all.limit(i); }));
  py::class_<PolicyView, std::shared_ptr<PolicyView>>(module, "View", py::is_final())
      .def("__len__", [](const PolicyView& self) { return self.ready.size(); })
      .def("__getitem__", &candidate, py::arg("index"))
      .def("__iter__",
           [](const std::shared_ptr<PolicyView>& self) {
             py::list all;
             for (std::uint32_t i = 0; i < self->ready.size(); ++i) all.append(PolicyCandidate{self, i});
             return py::iter(all);
           })
      .def_property_readonly("now", [](const PolicyView& self) { return self.candidates().now(); });
}

void register_request(py::module_& module) {
  py::class_<PolicyRequest>(module, "Request", py::is_final())
      .def_property_readonly("key", [](const PolicyRequest& self) { return py::bytes(self.key); })
      .def_readonly("cost", &PolicyRequest::cost)
      .def_property_readonly("exclude", [](const PolicyRequest& self) { return py::tuple(py::cast(self.exclude)); })
      .def_readonly("deadline", &PolicyRequest::deadline)
      .def_readonly("priority", &PolicyRequest::priority);
}

std::uint32_t below(PolicyRng& self, std::int64_t bound) {
  if (bound < 1 || bound > std::int64_t{0xFFFFFFFF}) {
    throw std::invalid_argument("below() takes 1..4294967295, not " + std::to_string(bound));
  }
  return self.rng.below(static_cast<std::uint32_t>(bound));
}

void register_rng(py::module_& module) {
  py::class_<PolicyRng, std::shared_ptr<PolicyRng>>(module, "Rng", py::is_final())
      .def("below", &below, py::arg("bound"))
      .def("random", [](PolicyRng& self) { return self.rng.uniform(); })
      .def(
          "choice",
          [](PolicyRng& self, const py::sequence& of) {
            if (of.empty()) throw py::index_error("choice() from nothing");
            return py::object(of[below(self, static_cast<std::int64_t>(of.size()))]);
          },
          py::arg("of"))
      .def(
          "shuffle",
          [](PolicyRng& self, py::list items) {  // Fisher and Yates
            for (std::size_t i = items.size(); i > 1; --i) {
              const std::size_t j = self.rng.below(static_cast<std::uint32_t>(i));
              const py::object last = items[i - 1];
              items[i - 1] = items[j];
              items[j] = last;
            }
          },
          py::arg("items"));
}

void register_report(py::module_& module) {
  py::class_<Report>(module, "Report", py::is_final())
      .def_readonly("tasks", &Report::tasks)
      .def_readonly("limit", &Report::limit)
      .def_readonly("memory", &Report::memory)
      .def_readonly("cpu", &Report::cpu)
      .def_readonly("available", &Report::available)
      .def_readonly("draining", &Report::draining)
      .def_readonly("begun", &Report::begun)
      .def_readonly("finished", &Report::finished)
      .def_readonly("busy_s", &Report::busy_s)
      .def_readonly("task_s", &Report::task_s)
      .def_readonly("failed", &Report::failed)
      .def_readonly("utilization", &Report::utilization);
}

}  // namespace

bool is_python_policy(const py::object& policy) {
  const int is = PyObject_IsInstance(policy.ptr(), policy_class);
  if (is < 0) throw py::error_already_set();
  return is == 1;
}

std::string python_policy_name(const py::object& policy) {
  return py::type::of(policy).attr("__name__").cast<std::string>();
}

void register_python_policy(py::module_& module) {
  register_class(module);
  register_view(module);
  register_request(module);
  register_rng(module);
  register_report(module);
}

}  // namespace lbsuite::bind
