#include "placer/set_placer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "bits/check.hpp"
#include "bits/hash.hpp"

namespace lbsuite {
namespace {

template <class Visitor, std::size_t... I>
void each_kind(Visitor&& visit, std::index_sequence<I...>) {
  (visit.template operator()<std::variant_alternative_t<I, SetKind>>(), ...);
}
template <class Visitor>
void each_kind(Visitor&& visit) {
  each_kind(visit, std::make_index_sequence<std::variant_size_v<SetKind>>());
}

SetKind kind_named(std::string_view name) {
  SetKind found;
  bool known = false;
  std::string names;
  each_kind([&]<class Kind>() {
    names += (names.empty() ? "" : ", ") + std::string(Kind::name);
    if (Kind::name != name) return;
    found = Kind();
    known = true;
  });
  check(known, "no kind '" + std::string(name) + "'; there are: " + names);
  return found;
}

}  // namespace

std::vector<std::string> set_kinds() {
  std::vector<std::string> names;
  each_kind([&]<class Kind>() { names.emplace_back(Kind::name); });
  return names;
}

SetPlacer::SetPlacer(std::vector<std::uint32_t> objects, std::string_view kind)
    : objects_(std::move(objects)), kind_(kind_named(kind)) {
  check(!objects_.empty(), "no objects to place");
  check(objects_.back() < kMostObjects,
        "object out of 0.." + std::to_string(kMostObjects - 1) + ": " + std::to_string(objects_.back()));
}

std::string_view SetPlacer::kind() const {
  return std::visit([]<class Kind>(const Kind&) { return Kind::name; }, kind_);
}

std::vector<Member> SetPlacer::changed(std::span<const Change> changes) const {
  std::map<Ipv4, std::uint32_t> weights;
  for (const auto& [server, weight] : members_) weights[server] = weight;
  std::map<Ipv4, std::uint32_t> named;
  for (const auto& [server, weight] : changes) {
    check(server != kNoServer, "0.0.0.0 is no server");
    check(weight <= Placement::kMostWeight,
          "weight of " + spell_ipv4(server) + " out of 0..64: " + std::to_string(weight));
    check(named.emplace(server, weight).second, "named twice: " + spell_ipv4(server));
    weights[server] = weight;
  }
  std::vector<Member> members;
  for (const auto& [server, weight] : weights) {
    if (weight > 0) members.push_back({server, weight});
  }
  check(!members.empty() && members.size() <= Placement::kMostServers,
        "servers up out of 1.." + std::to_string(Placement::kMostServers) + ": " + std::to_string(members.size()));
  check(!weights_differ(members) || std::visit([]<class Kind>(const Kind&) { return Kind::takes_weights; }, kind_),
        std::string(kind()) + " takes no weights");
  return members;
}

// As Placement's: forced are what those below their floor lack, and what the dead and those above their ceiling have.
std::uint32_t SetPlacer::minimum(Members after) const {
  std::map<Ipv4, std::uint32_t> loads;
  for (const std::uint16_t owner : owners_) ++loads[members_[owner].server];
  const Quotas quotas(static_cast<std::uint32_t>(objects_.size()), after);
  std::uint32_t wanted = 0;
  auto surplus = static_cast<std::uint32_t>(objects_.size());
  for (std::size_t m = 0; m < after.size(); ++m) {
    const std::uint32_t load = loads[after[m].server];
    const std::uint32_t floor = quotas.floors[m];
    wanted += floor > load ? floor - load : 0;
    surplus -= std::min(load, floor + (quotas.whole[m] ? 0U : 1U));
  }
  return std::max(wanted, surplus);
}

Delta SetPlacer::apply(std::span<const Change> changes) {
  const std::lock_guard lock(applying_);
  std::vector<Member> members = changed(changes);
  std::vector<std::uint16_t> owners = std::visit([&](auto& kind) { return kind.place(objects_, members); }, kind_);
  Delta delta{{}, minimum(members)};
  for (std::size_t o = 0; o < objects_.size(); ++o) {
    const Ipv4 from = owners_.empty() ? kNoServer : members_[owners_[o]].server;
    const Ipv4 to = members[owners[o]].server;
    if (from != to) delta.moves.push_back({objects_[o], from, to});
  }
  members_ = std::move(members);
  owners_ = std::move(owners);
  return delta;
}

std::uint64_t SetPlacer::digest() const {
  const std::lock_guard lock(applying_);
  std::string bytes(kind());
  const auto put = [&](std::uint32_t number) {
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(number >> 8 * i & 255);
  };
  for (const auto& [server, weight] : members_) put(server), put(weight);
  for (std::size_t o = 0; o < owners_.size(); ++o) put(objects_[o]), put(members_[owners_[o]].server);
  return Xxh64::hash(bytes);
}

}  // namespace lbsuite
