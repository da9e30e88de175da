#include "bind/bound_engine.hpp"

#include <cmath>
#include <stdexcept>

namespace lbsuite::bind {

void check_now(double now) {
  if (!std::isfinite(now)) throw std::invalid_argument("now is not a time: " + std::to_string(now));
}

template <class Spell>
const py::str& BoundEngine::name(std::uint32_t index, std::uint32_t generation, Spell&& spell) {
  if (index >= names_.size()) names_.resize(index + 1);
  Name& name = names_[index];
  if (name.generation != generation) name = {generation, py::str(spell())};
  return name.text;
}

std::uint32_t BoundEngine::policy_number(const std::optional<std::string>& spec) {
  if (!spec) return 0;
  const auto known = policies_.find(*spec);
  if (known != policies_.end()) return known->second;
  const std::uint32_t number = engine.policy(*spec);
  if (policies_.size() < kMostPolicies) policies_.emplace(*spec, number);
  return number;
}

std::optional<BoundPick> BoundEngine::pick(double now, const std::optional<std::string>& key, std::uint32_t cost,
                                           const py::object& exclude, const std::optional<std::string>& policy,
                                           std::optional<double> deadline, std::uint32_t priority, std::uint32_t lane) {
  check_now(now);
  std::vector<std::string> addresses;
  if (py::isinstance<py::str>(exclude)) throw py::type_error("exclude is a sequence of addresses, not one str");
  for (const auto& address : exclude) addresses.push_back(address.cast<std::string>());
  const std::vector<std::string_view> excluded(addresses.begin(), addresses.end());
  const Request request{policy_number(policy),
                        key ? std::string_view(*key) : std::string_view(),
                        cost,
                        excluded,
                        deadline.value_or(kNever),
                        priority};
  const Answer answer = engine.pick(request, now, lane);
  const auto* pick = std::get_if<Pick>(&answer);
  if (pick == nullptr) return std::nullopt;
  const auto spell = [&] { return engine.address(pick->endpoint, pick->generation).value_or(""); };
  return BoundPick{*pick, name(pick->endpoint, pick->generation, spell), false};
}

void BoundEngine::done(BoundPick& pick, double now, double latency_s, bool failed) {
  check_now(now);
  if (!(latency_s >= 0)) throw std::invalid_argument("latency_s below 0: " + std::to_string(latency_s));
  if (pick.ended) return;
  engine.done(pick.pick, {latency_s, failed}, now);
  pick.ended = true;
}

PyObject* BoundEngine::pick_address(double now) {
  static const Request whoever;
  check_now(now);
  return engine.choose(whoever, now, 0, [this](const Endpoint<Shared>* endpoint) {
    if (endpoint == nullptr) return Py_NewRef(Py_None);
    return Py_NewRef(name(endpoint->index, endpoint->generation, [&] { return endpoint->address; }).ptr());
  });
}

py::array_t<std::uint32_t> BoundEngine::pick_many(std::size_t count, double now) {
  check_now(now);
  py::array_t<std::uint32_t> chosen(static_cast<py::ssize_t>(count));
  const std::size_t found = engine.choose_many({}, now, 0, {chosen.mutable_data(), count});
  return found == count ? chosen : py::array_t<std::uint32_t>(0);
}

bool BoundEngine::apply(const Event& event, double now) {
  check_now(now);
  const py::gil_scoped_release released;
  return engine.apply(event, now);
}

}  // namespace lbsuite::bind
