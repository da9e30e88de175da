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

KeySource key_source(const std::string& key, std::string& name) {
  if (key.empty()) return KeySource::none;
  if (key == "path") return KeySource::path;
  const std::size_t colon = key.find(':');
  name = colon == key.npos ? "" : key.substr(colon + 1);
  const std::string kind = key.substr(0, colon);
  if (!name.empty() && kind == "header") return KeySource::header;
  if (!name.empty() && kind == "cookie") return KeySource::cookie;
  throw std::invalid_argument("key is path, header:NAME or cookie:NAME, not '" + key + "'");
}

ProxySettings read_settings(const py::kwargs& told) {
  ProxySettings settings;
  const auto take = [&](const char* name, auto& value) {
    if (told.contains(name)) value = told[name].template cast<std::decay_t<decltype(value)>>();
  };
  take("threads", settings.threads);
  take("connect_s", settings.timeouts.connect_s);
  take("head_s", settings.timeouts.head_s);
  take("idle_s", settings.timeouts.idle_s);
  take("request_s", settings.timeouts.request_s);
  take("head_bytes", settings.limits.head_bytes);
  take("target_bytes", settings.limits.target_bytes);
  take("fields", settings.limits.fields);
  take("body_bytes", settings.most_body_bytes);
  take("connections", settings.most_connections);
  take("idle_connections", settings.most_idle);
  take("attempts", settings.attempts);
  take("retry_share", settings.retry_share);
  take("retries_per_s", settings.retries_per_s);
  take("via", settings.via);
  take("certificate", settings.certificate);
  take("certificate_key", settings.certificate_key);
  if (told.contains("key")) settings.key = key_source(told["key"].cast<std::string>(), settings.key_name);
  if (told.contains("trusted")) {
    for (const auto& cidr : told["trusted"]) settings.trusted.add(cidr.cast<std::string>());
  }
  return settings;
}

std::unique_ptr<BoundProxy> make_proxy(const py::object& engine, const std::vector<std::string>& listen, int access_log,
                                       const py::kwargs& told) {
  return std::make_unique<BoundProxy>(engine, read_settings(told), listen, access_log);
}

}  // namespace

void register_proxy(py::module_& module) {
  py::class_<BoundProxy> bound(module, "HttpProxy", py::is_final());
  bound.def(py::init(&make_proxy), py::arg("engine"), py::arg("listen"), py::arg("access_log") = -1);
  bound.def_property_readonly("addresses", [](const BoundProxy& self) { return self.proxy.addresses(); });
  bound.def("totals", [](const BoundProxy& self) {
    const auto totals = self.proxy.totals();
    return py::dict(py::arg("connections") = totals.connections, py::arg("open") = totals.open,
                    py::arg("requests") = totals.requests, py::arg("answered") = totals.answered,
                    py::arg("refused") = totals.refused, py::arg("failed") = totals.failed,
                    py::arg("retried") = totals.retried, py::arg("bytes_in") = totals.bytes_in,
                    py::arg("bytes_out") = totals.bytes_out);
  });
  bound.def(
      "close", [](BoundProxy& self, double drain_s) { return self.proxy.close(drain_s); }, py::arg("drain_s") = 0.0,
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace lbsuite::bind
