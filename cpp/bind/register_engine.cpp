#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>

#include "bind/bound_engine.hpp"
#include "bind/fast_method.hpp"
#include "bind/python_policy.hpp"

namespace lbsuite::bind {
namespace {

using Waits = py::call_guard<Waiting>;

template <class Names>
std::size_t index_of(const Names& names, const std::string& name, const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string known;
  for (const std::string_view each : names) known += (known.empty() ? "" : ", ") + std::string(each);
  throw std::invalid_argument("no " + std::string(what) + " '" + name + "'; there are: " + known);
}

std::unique_ptr<BoundEngine> make_engine(const py::object& policy, const std::string& roster, std::uint64_t seed,
                                         const std::string& load, const std::string& accounting, bool outcomes,
                                         bool probes, bool native, const std::vector<std::string>& stages,
                                         double queue_s, std::uint32_t queue_tickets, const std::string& queue_order) {
  EngineSettings settings;
  settings.roster = static_cast<RosterKind>(index_of(kRosters, roster, "roster"));
  const bool python = is_python_policy(policy);
  // Every roster serves round_robin: it stands in until the policy written in Python takes over.
  settings.policy = python ? AnySettings(RoundRobin::Settings{}) : parse_policy(policy_spec_of(policy));
  settings.seed = seed;
  settings.signal = static_cast<Signal>(index_of(kSignals, load, "load"));
  settings.accounting = static_cast<Accounting>(index_of(kAccountings, accounting, "accounting"));
  settings.gives = {outcomes, probes, !native};
  for (const std::string& stage : stages) settings.stages.push_back(parse_stage(stage));
  settings.queue = {queue_s, queue_tickets,
                    static_cast<QueueOrder>(index_of(kQueueOrders, queue_order, "queue_order"))};
  return std::make_unique<BoundEngine>(settings, python ? policy : py::none());
}

PyObject* pick_address(BoundEngine& self, PyObject* argument) {
  const double now = PyFloat_AsDouble(argument);
  if (now == -1.0 && PyErr_Occurred() != nullptr) return nullptr;
  return self.pick_address(now);
}

void add_membership(py::class_<BoundEngine>& bound) {
  bound.def(
      "join",
      // str alone: of bytes, as pybind11 would take, picks could not make a str again.
      [](BoundEngine& self, const py::str& address, double now, std::uint32_t weight, std::uint32_t limit,
         const py::str& zone, std::optional<std::uint64_t> order, double lease_s, std::uint32_t tier) {
        return self.apply(Joined{address.cast<std::string>(), weight, limit, zone.cast<std::string>(),
                                 order.value_or(kUnordered), lease_s, tier},
                          now);
      },
      py::arg("address"), py::arg("now"), py::kw_only(), py::arg("weight") = 1, py::arg("limit") = 0,
      py::arg("zone") = "", py::arg("order") = py::none(), py::arg("lease_s") = 0.0, py::arg("tier") = 0);
  bound.def(
      "leave",
      [](BoundEngine& self, std::string address, double now) { return self.apply(Left{std::move(address)}, now); },
      py::arg("address"), py::arg("now"));
  bound.def(
      "drain",
      [](BoundEngine& self, std::string address, double now, bool undo) {
        return self.apply(Drained{std::move(address), undo}, now);
      },
      py::arg("address"), py::arg("now"), py::kw_only(), py::arg("undo") = false);
  bound.def(
      "lost",
      [](BoundEngine& self, std::string address, double now) { return self.apply(Lost{std::move(address)}, now); },
      py::arg("address"), py::arg("now"));
  bound.def(
      "reached",
      [](BoundEngine& self, std::string address, double now) { return self.apply(Reached{std::move(address)}, now); },
      py::arg("address"), py::arg("now"));
}

// What endpoints and other balancers tell.
void add_news(py::class_<BoundEngine>& bound) {
  bound.def(
      "report",
      [](BoundEngine& self, std::string address, double now, std::uint32_t tasks, std::optional<std::uint32_t> limit,
         std::uint64_t memory, double cpu, bool available, bool draining, double interval_s, double prompt_s,
         std::optional<std::uint64_t> begun, std::optional<std::uint64_t> finished, double busy_s, double task_s,
         std::uint64_t failed, std::uint64_t own_finished, std::uint64_t own_failed, std::uint64_t own_refused,
         double own_latency_s, double utilization) {
        const Report report{tasks,      limit,        memory,     cpu,         available,     draining,
                            interval_s, prompt_s,     begun,      finished,    busy_s,        task_s,
                            failed,     own_finished, own_failed, own_refused, own_latency_s, utilization};
        return self.apply(Reported{std::move(address), report}, now);
      },
      py::arg("address"), py::arg("now"), py::kw_only(), py::arg("tasks") = 0, py::arg("limit") = py::none(),
      py::arg("memory") = 0, py::arg("cpu") = 0.0, py::arg("available") = true, py::arg("draining") = false,
      py::arg("interval_s") = 0.0, py::arg("prompt_s") = 0.0, py::arg("begun") = py::none(),
      py::arg("finished") = py::none(), py::arg("busy_s") = 0.0, py::arg("task_s") = 0.0, py::arg("failed") = 0,
      py::arg("own_finished") = 0, py::arg("own_failed") = 0, py::arg("own_refused") = 0,
      py::arg("own_latency_s") = 0.0, py::arg("utilization") = 0.0);
  bound.def(
      "pickers", [](BoundEngine& self, std::uint32_t count, double now) { self.apply(Pickers{count}, now); },
      py::arg("count"), py::arg("now"));
  bound.def(
      "probed",
      [](BoundEngine& self, std::string address, double now, std::uint32_t tasks, double latency_s) {
        return self.apply(Probed{std::move(address), tasks, latency_s}, now);
      },
      py::arg("address"), py::arg("now"), py::kw_only(), py::arg("tasks"), py::arg("latency_s"));
}

void add_switching(py::class_<BoundEngine>& bound) {
  bound.def(
      "switch",
      [](BoundEngine& self, const py::object& policy, double now) {
        check_now(now);
        const std::uint32_t number = self.policy_number(policy);
        if (number == 0) policy_spec_of(policy);
        const Waiting waiting;
        self.engine.switch_to(number, now);
      },
      py::arg("policy"), py::arg("now"));
  bound.def(
      "shadow",
      [](BoundEngine& self, const py::object& policy, double now) {
        check_now(now);
        const std::uint32_t number = self.policy_number(policy);
        const Waiting waiting;
        self.engine.shadow(number, now);
      },
      py::arg("policy"), py::arg("now"));
  bound.def_property_readonly("shadowed", [](const BoundEngine& self) { return self.engine.shadow(); });
}

void add_picks(py::class_<BoundEngine>& bound) {
  bound.def("pick", &BoundEngine::pick, py::arg("now"), py::arg("key") = py::none(), py::arg("cost") = 1,
            py::arg("exclude") = py::tuple(), py::arg("policy") = py::none(), py::arg("deadline") = py::none(),
            py::arg("priority") = 0, py::arg("attempt") = 0, py::arg("lane") = 0);
  bound.def(
      "done",
      [](BoundEngine& self, BoundPick& pick, double now, double latency_s, const std::optional<std::string>& error,
         bool refused) { self.done(pick, now, {latency_s, error.has_value() || refused, refused}); },
      py::arg("pick"), py::arg("now"), py::arg("latency_s") = 0.0, py::arg("error") = py::none(),
      py::arg("refused") = false);
  bound.def("cancel", &BoundEngine::cancel, py::arg("ticket"), py::arg("now"));
  bound.def("pick_many", &BoundEngine::pick_many, py::arg("n"), py::arg("now"));
  bound.def("lane", [](BoundEngine& self) { return self.engine.open_lane(); }, Waits());
}

const char* why(BoundEngine& self, double now, std::uint32_t priority, std::uint32_t attempt) {
  check_now(now);
  const auto refused = self.engine.refusal({.priority = priority, .attempt = attempt}, now);
  if (refused) return kNotReady[static_cast<std::size_t>(*refused)].data();
  if (self.engine.any_ready()) return "ready";
  return kNotReady[static_cast<std::size_t>(self.engine.why())].data();
}

std::vector<std::string> ready(const BoundEngine& self, double now) {
  check_now(now);
  std::vector<std::string> ready;
  for (auto& standing : self.engine.standings(now)) {
    if (standing.state == State::ready) ready.push_back(std::move(standing.address));
  }
  return ready;
}

void add_state(py::class_<BoundEngine>& bound) {
  bound.def("__len__", [](const BoundEngine& self) { return self.engine.size(); }, Waits());
  bound.def_property_readonly("stages", [](const BoundEngine& self) {
    std::vector<std::string> specs;
    for (const AnyStage& stage : self.engine.settings().stages) specs.push_back(stage_spec(stage));
    return specs;
  });
  bound.def_property_readonly("policy", [](const BoundEngine& self) {
    const Waiting waiting;
    return self.engine.spec();
  });
  bound.def("why", &why, py::arg("now"), py::arg("priority") = 0, py::arg("attempt") = 0, Waits());
  bound.def("ready", &ready, py::arg("now"), Waits());
  bound.def(
      "endpoints",
      [](const BoundEngine& self, double now) {
        check_now(now);
        return self.engine.standings(now);
      },
      py::arg("now"), Waits());
  bound.def(
      "address_of",
      [](const BoundEngine& self, std::uint32_t index) {
        const auto address = self.engine.address(index, 0);
        if (!address) throw py::index_error("no endpoint with index " + std::to_string(index));
        return *address;
      },
      py::arg("index"), Waits());
}

void add_time(py::class_<BoundEngine>& bound) {
  bound.def("next_deadline", [](const BoundEngine& self) { return self.engine.next_deadline(); }, Waits());
  bound.def("expire", &BoundEngine::expire, py::arg("now"));
  bound.def("effects", &BoundEngine::effects);
}

}  // namespace

void register_engine(py::module_& module) {
  py::class_<BoundEngine> bound(module, "Engine", py::is_final());
  bound.def(py::init(&make_engine), py::arg("policy") = "least_load:choices=auto", py::arg("roster") = "snapshot",
            py::arg("seed") = 1, py::kw_only(), py::arg("load") = "tasks", py::arg("accounting") = "done",
            py::arg("outcomes") = true, py::arg("probes") = true, py::arg("native") = false,
            py::arg("stages") = py::tuple(), py::arg("queue_s") = 0.0,
            py::arg("queue_tickets") = QueueSettings().tickets, py::arg("queue_order") = "fifo");
  add_membership(bound);
  add_news(bound);
  add_picks(bound);
  add_switching(bound);
  add_explaining(bound);
  add_state(bound);
  add_time(bound);
  add_fast_method<BoundEngine, pick_address>(
      bound, "pick_address",
      "The cheap twin of pick: a cached address by the engine's own policy; nothing is counted.");
}

}  // namespace lbsuite::bind
