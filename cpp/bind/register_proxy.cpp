#include <fcntl.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cerrno>
#include <optional>

#include "bind/bound_engine.hpp"
#include "net/http1/proxy.hpp"

namespace lbsuite::bind {
namespace {

using net::http1::KeySource;
using net::http1::Proxy;
using net::http1::ProxySettings;

// The engine stays as long as the proxy that asks it.
struct BoundProxy {
  BoundProxy(py::object engine_, ProxySettings settings, const std::vector<std::string>& listen, int access_log)
      : engine(std::move(engine_)),
        proxy(engine.cast<BoundEngine&>().engine, std::move(settings), listen, net::File(access_log)) {}
  py::object engine;
  Proxy proxy;
};

std::unique_ptr<BoundProxy> make_proxy(const py::object& engine, const std::vector<std::string>& listen,
                                       std::uint32_t threads, double connect_s, double head_s, double idle_s,
                                       double request_s, int access_log) {
  ProxySettings settings;
  settings.threads = threads;
  settings.timeouts = {connect_s, head_s, idle_s, request_s};
  return std::make_unique<BoundProxy>(engine, std::move(settings), listen, access_log);
}

}  // namespace

void register_proxy(py::module_& module) {
  py::class_<BoundProxy> bound(module, "HttpProxy", py::is_final());
  bound.def(py::init(&make_proxy), py::arg("engine"), py::arg("listen"), py::kw_only(), py::arg("threads") = 1,
            py::arg("connect_s") = 1.0, py::arg("head_s") = 10.0, py::arg("idle_s") = 60.0, py::arg("request_s") = 0.0,
            py::arg("access_log") = -1);
  bound.def_property_readonly("addresses", [](const BoundProxy& self) { return self.proxy.addresses(); });
  bound.def("totals", [](const BoundProxy& self) {
    const auto totals = self.proxy.totals();
    return py::dict(py::arg("connections") = totals.connections, py::arg("open") = totals.open,
                    py::arg("requests") = totals.requests, py::arg("answered") = totals.answered,
                    py::arg("refused") = totals.refused, py::arg("failed") = totals.failed,
                    py::arg("retried") = totals.retried, py::arg("bytes_in") = totals.bytes_in,
                    py::arg("bytes_out") = totals.bytes_out);
  });
  bound.def("close", [](BoundProxy& self, double drain_s) { return self.proxy.close(drain_s); }, py::arg("drain_s") = 0.0,
            py::call_guard<py::gil_scoped_release>());
}

}  // namespace lbsuite::bind
