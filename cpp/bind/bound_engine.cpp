#include "bind/bound_engine.hpp"

#include <cmath>
#include <stdexcept>

#include "bind/python_policy.hpp"

namespace lbsuite::bind {

void check_now(double now) {
  if (!std::isfinite(now)) throw std::invalid_argument("now is not a time: " + std::to_string(now));
}

std::string policy_spec_of(const py::object& policy) {
  if (!py::isinstance<py::str>(policy) && !py::isinstance<PolicySettings>(policy)) {
    throw std::invalid_argument("not a policy: " + py::repr(policy).cast<std::string>() +
                                "; it is a name, settings, or an object of a class that derives from lbsuite.Policy");
  }
  return py::str(policy).cast<std::string>();
}

namespace {

// What a caller excludes, as a request has it.
class Addresses {
 public:
  explicit Addresses(const py::object& sequence) {
    if (py::isinstance<py::str>(sequence)) throw py::type_error("exclude is a sequence of addresses, not one str");
    for (const auto& address : sequence) {
      if (!py::isinstance<py::str>(address)) throw py::type_error("exclude is a sequence of addresses, each a str");
      addresses_.push_back(address.cast<std::string>());
    }
    views_.assign(addresses_.begin(), addresses_.end());
  }
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
  std::span<const std::string_view> views() const { return views_; }

 private:
  std::vector<std::string> addresses_;
  std::vector<std::string_view> views_;
};

}  // namespace

template <class Spell>
const py::str& BoundEngine::name(std::uint32_t index, std::uint32_t generation, Spell&& spell) {
  if (index >= names_.size() || names_[index].generation != generation) {
    py::str text(spell());  // others may come by meanwhile
    if (index >= names_.size()) names_.resize(index + 1);
    names_[index] = {generation, std::move(text)};
  }
  return names_[index].text;
}

BoundEngine::BoundEngine(const EngineSettings& settings, const py::object& python) : engine(settings) {
  if (python.is_none()) return;
  const std::uint32_t number = python_number(python);
  const Waiting waiting;
  engine.switch_to(number, -kNever);
}

template <class Call>
auto BoundEngine::ask(Call&& call) {
  if (python_policies_.empty()) [[likely]]
    return call();
  const Waiting waiting;
  const std::lock_guard turn(asking_);
  return call();
}

template <class Call>
auto BoundEngine::tell(Call&& call) {
  if (engine.settings().queue.wait_s > 0 && !python_policies_.empty()) return ask(std::forward<Call>(call));
  const Waiting waiting;
  return call();
}

std::uint32_t BoundEngine::policy_number(const py::object& policy) {
  if (policy.is_none()) return 0;
  if (is_python_policy(policy)) return python_number(policy);
  const std::string spec = policy_spec_of(policy);
  const auto known = policies_.find(spec);
  if (known != policies_.end()) return known->second;
  const std::uint32_t number = [&] {
    const Waiting waiting;
    return engine.policy(spec);
  }();
  if (policies_.size() < kMostPolicies) policies_.emplace(spec, number);
  return number;
}

// Two objects of one class are two policies: the second is python:Class#2.
std::uint32_t BoundEngine::python_number(const py::object& policy) {
  for (const PythonPolicy& known : python_policies_) {
    if (known.policy.is(policy)) return known.number;
  }
  const std::string name = python_policy_name(policy);
  std::string spec = "python:" + name;
  for (int count = 2; !python_names_.insert(spec).second; ++count)
    spec = "python:" + name + "#" + std::to_string(count);
  auto source = std::make_unique<PythonSource>(policy, spec, engine);
  std::uint32_t number = 0;
  try {
    const Waiting waiting;
    number = engine.policy(spec, std::move(source));
  } catch (...) {
    python_names_.erase(spec);
    throw;
  }
  python_policies_.push_back({policy, number});
  return number;
}

std::optional<std::variant<BoundPick, BoundTicket>> BoundEngine::pick(double now, const std::optional<std::string>& key,
                                                                      std::uint32_t cost, const py::object& exclude,
                                                                      const py::object& policy,
                                                                      std::optional<double> deadline,
                                                                      std::uint32_t priority, std::uint32_t attempt,
                                                                      std::uint32_t lane) {
  check_now(now);
  if (deadline && std::isnan(*deadline)) throw std::invalid_argument("deadline is not a time: nan");
  const Addresses excluded(exclude);
  const Request request{policy_number(policy),
                        key ? std::string_view(*key) : std::string_view(),
                        cost,
                        excluded.views(),
                        deadline.value_or(kNever),
                        priority,
                        attempt};
  for (;;) {
    const Answer answer = ask([&] { return engine.pick(request, now, lane); });
    if (const auto* ticket = std::get_if<Ticket>(&answer)) return BoundTicket{*ticket, this};
    const auto* pick = std::get_if<Pick>(&answer);
    if (pick == nullptr) return std::nullopt;
    const auto spell = [&] {
      return ask([&] { return engine.address(pick->endpoint, pick->generation).value_or(""); });
    };
    const py::str& address = name(pick->endpoint, pick->generation, spell);
    if (py::len(address) > 0) return BoundPick{*pick, address, this, false};  // else it has left meanwhile
  }
}

Explanation BoundEngine::explain_choice(double now, const std::optional<std::string>& key, std::uint32_t cost,
                                        const py::object& exclude, const py::object& policy, std::uint32_t priority,
                                        std::uint32_t attempt, std::uint32_t lane) {
  check_now(now);
  const Addresses excluded(exclude);
  const Request request{policy_number(policy),
                        key ? std::string_view(*key) : std::string_view(),
                        cost,
                        excluded.views(),
                        kNever,
                        priority,
                        attempt};
  return ask([&] { return engine.explain_choice(request, now, lane); });
}

void BoundEngine::done(BoundPick& pick, double now, const Outcome& outcome) {
  check_now(now);
  check_latency(outcome.latency_s);
  if (pick.of != this)
    throw std::invalid_argument("the pick of '" + pick.address.cast<std::string>() + "' is another engine's");
  if (pick.ended) return;
  pick.ended = true;
  try {
    ask([&] { engine.done(pick.pick, outcome, now); });
  } catch (...) {
    pick.ended = false;
    throw;
  }
}

PyObject* BoundEngine::pick_address(double now) {
  static const Request whoever;
  check_now(now);
  if (!python_policies_.empty()) [[unlikely]]
    return pick_address_in_turn(now);
  return engine.choose(whoever, now, 0, [this](const Endpoint<Shared>* endpoint) {
    if (endpoint == nullptr) return Py_NewRef(Py_None);
    return Py_NewRef(name(endpoint->index, endpoint->generation, [&] { return endpoint->address; }).ptr());
  });
}

PyObject* BoundEngine::pick_address_in_turn(double now) {
  struct Chosen {
    std::uint32_t index, generation;
    std::string address;
  };
  const std::optional<Chosen> chosen = ask([&] {
    return engine.choose({}, now, 0, [](const Endpoint<Shared>* endpoint) -> std::optional<Chosen> {
      if (endpoint == nullptr) return std::nullopt;
      return Chosen{endpoint->index, endpoint->generation, endpoint->address};
    });
  });
  if (!chosen) return Py_NewRef(Py_None);
  return Py_NewRef(name(chosen->index, chosen->generation, [&] { return chosen->address; }).ptr());
}

py::array_t<std::uint32_t> BoundEngine::pick_many(std::size_t count, double now) {
  check_now(now);
  py::array_t<std::uint32_t> chosen(static_cast<py::ssize_t>(count));
  const std::span<std::uint32_t> room(chosen.mutable_data(), count);
  const std::size_t found = ask([&] { return engine.choose_many({}, now, 0, room); });
  return found == count ? chosen : py::array_t<std::uint32_t>(0);
}

bool BoundEngine::apply(const Event& event, double now) {
  check_now(now);
  return tell([&] { return engine.apply(event, now); });
}

void BoundEngine::expire(double now) {
  check_now(now);
  tell([&] { engine.expire(now); });
}

bool BoundEngine::cancel(const BoundTicket& ticket, double now) {
  check_now(now);
  if (ticket.of != this)
    throw std::invalid_argument("ticket " + std::to_string(ticket.ticket.number) + " is another engine's");
  return tell([&] { return engine.cancel(ticket.ticket, now); });
}

std::vector<BoundEffect> BoundEngine::effects() {
  std::vector<Effect> effects = [&] {
    const Waiting waiting;
    return engine.effects();
  }();
  std::vector<BoundEffect> bound;
  for (Effect& effect : effects) {
    std::optional<BoundPick> pick;
    if (effect.kind == EffectKind::answered) {
      const auto spell = [&] { return effect.address; };
      pick = BoundPick{effect.pick, name(effect.pick.endpoint, effect.pick.generation, spell), this, false};
    }
    std::optional<BoundTicket> ticket;
    if (effect.ticket.number != 0) ticket = BoundTicket{effect.ticket, this};
    bound.push_back({std::move(effect), std::move(pick), ticket});
  }
  return bound;
}

}  // namespace lbsuite::bind
