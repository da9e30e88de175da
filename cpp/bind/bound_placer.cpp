#include "bind/bound_placer.hpp"

#include <limits>
#include <stdexcept>

#include "placer/other_owners.hpp"

namespace lbsuite::bind {
namespace {

std::string spell(const py::handle& value) { return py::str(value).cast<std::string>(); }

template <class Number>
std::uint32_t checked(Number object, std::uint32_t objects) {
  if (object < 0 || static_cast<std::uint64_t>(object) >= objects) {
    throw std::invalid_argument("object out of 0.." + std::to_string(objects - 1) + ": " + std::to_string(object));
  }
  return static_cast<std::uint32_t>(object);
}

template <class Number>
py::array_t<ServerId> look_up(const Placer& placer, const py::array& objects) {
  const auto numbers = py::array_t<Number, py::array::c_style>::ensure(objects);
  py::array_t<ServerId> owners(std::vector<py::ssize_t>(objects.shape(), objects.shape() + objects.ndim()));
  const Number* const in = numbers.data();
  ServerId* const out = owners.mutable_data();
  const auto size = static_cast<std::size_t>(numbers.size());
  const auto bound = static_cast<std::uint64_t>(placer.objects());
  std::uint64_t outside = 0;  // looked at once, after all: a branch an object would cost more than the look-up
  for (std::size_t i = 0; i < size; ++i) {
    const auto object = static_cast<std::uint64_t>(in[i]);
    const bool inside = object < bound;
    outside |= inside ? 0 : 1;
    out[i] = placer.owner(static_cast<std::uint32_t>(inside ? object : 0));
  }
  for (std::size_t i = 0; i < size && outside != 0; ++i) checked(in[i], placer.objects());
  return owners;
}

}  // namespace

const py::str& ServerNames::of(Ipv4 server) {
  auto found = names_.find(server);
  if (found == names_.end()) found = names_.emplace(server, py::str(spell_ipv4(server))).first;
  return found->second;
}

std::vector<Change> changes_from(const Weights& weights) {
  std::vector<Change> changes;
  for (const auto& [server, weight] : weights) {
    if (weight < 0 || weight > Placement::kMostWeight) {
      throw std::invalid_argument("weight of " + server + " out of 0..64: " + std::to_string(weight));
    }
    changes.push_back({parse_ipv4(server), static_cast<std::uint32_t>(weight)});
  }
  return changes;
}

BoundDelta bind_delta(const Delta& delta, ServerNames& names) {
  BoundDelta bound{py::list(delta.moves.size()), delta.minimum};
  for (std::size_t i = 0; i < delta.moves.size(); ++i) {
    const auto& [object, from, to] = delta.moves[i];
    bound.moves[i] = py::make_tuple(object, names.or_none(from), names.or_none(to));
  }
  return bound;
}

BoundDelta BoundPlacer::apply(const py::object& revision, const py::object& weights) {
  const Delta delta = placer->apply(revision_from(revision), changes_from(weights_from(weights)));
  rename();
  return bind_delta(delta, names_);
}

BoundDelta BoundPlacer::preview(const py::object& revision, const py::object& weights) {
  return bind_delta(placer->preview(revision_from(revision), changes_from(weights_from(weights))), names_);
}

void BoundPlacer::rename() {
  placer->look([&](const Placement& placement) {
    by_id_.resize(placement.servers().size());
    for (std::size_t id = 0; id < by_id_.size(); ++id) by_id_[id] = names_.or_none(placement.servers()[id]);
  });
}

PyObject* BoundPlacer::owner(PyObject* object) {
  const long long number = PyLong_AsLongLong(object);
  if (number == -1 && PyErr_Occurred() != nullptr) {
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return nullptr;
    PyErr_Clear();
    throw std::invalid_argument("object out of 0.." + std::to_string(placer->objects() - 1) + ": " + spell(object));
  }
  const ServerId id = placer->owner(checked(number, placer->objects()));
  if (id >= by_id_.size()) {
    if (id == kUnowned) Py_RETURN_NONE;
    rename();
  }
  return Py_NewRef(by_id_[id].ptr());
}

py::array_t<ServerId> BoundPlacer::owners(const py::array& objects) const {
  const py::dtype type = objects.dtype();
  if (type.kind() == 'u' && type.itemsize() == 8) return look_up<std::uint64_t>(*placer, objects);
  if (type.kind() == 'u' && type.itemsize() == 4) return look_up<std::uint32_t>(*placer, objects);
  if (type.kind() == 'u' && type.itemsize() == 2) return look_up<std::uint16_t>(*placer, objects);
  if (type.kind() == 'i' || type.kind() == 'u') return look_up<std::int64_t>(*placer, objects);
  throw py::type_error("objects are integers, not " + spell(type));
}

py::array_t<std::uint32_t> BoundPlacer::owned(const std::string& server) const {
  const Ipv4 address = parse_ipv4(server);
  const std::vector<std::uint32_t> objects = placer->look([&](const Placement& placement) {
    const ServerId id = placement.find(address);
    return id == kUnowned ? std::vector<std::uint32_t>() : placement.owned(id);
  });
  return py::array_t<std::uint32_t>(static_cast<py::ssize_t>(objects.size()), objects.data());
}

std::vector<py::str> BoundPlacer::owners_n(const py::object& object, const py::object& count,
                                           const std::map<std::string, std::string>& zones) {
  std::map<Ipv4, std::string> by_address;
  for (const auto& [server, zone] : zones) by_address[parse_ipv4(server)] = zone;
  const auto number = static_cast<std::uint32_t>(whole_from(object, "object", 0, placer->objects() - 1));
  const auto k = static_cast<std::size_t>(whole_from(count, "k", 0, std::numeric_limits<std::int64_t>::max()));
  // A server without a zone is a zone of its own.
  const auto zone = [&](Ipv4 server) {
    const auto found = by_address.find(server);
    return found == by_address.end() ? "\n" + spell_ipv4(server) : found->second;
  };
  std::vector<py::str> owners;
  for (const Ipv4 server : placer->look([&](const Placement& p) { return other_owners(p, number, k, zone); })) {
    owners.push_back(names_.of(server));
  }
  return owners;
}

std::map<std::string, std::uint32_t> BoundPlacer::weights() const {
  return placer->look([](const Placement& placement) {
    std::map<std::string, std::uint32_t> weights;
    for (std::size_t id = 0; id < placement.servers().size(); ++id) {
      if (placement.weights()[id] > 0) weights[spell_ipv4(placement.servers()[id])] = placement.weights()[id];
    }
    return weights;
  });
}

py::object BoundPlacer::server(const py::object& id) {
  const auto number = static_cast<std::size_t>(whole_from(id, "id", 0, kUnowned));
  const Ipv4 server = placer->look([&](const Placement& placement) {
    return number < placement.servers().size() ? placement.servers()[number] : kNoServer;
  });
  return names_.or_none(server);
}

}  // namespace lbsuite::bind
