#include "placer/key_router.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace lbsuite::routers {
namespace {

constexpr double kThousandths = 1000;
constexpr double kMostBound = 1000;
constexpr int kChoices = 64;  // of a key, before it is looked who has room at all

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument(why); }

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

bool by_name(const Member& a, const Member& b) { return a.name < b.name; }

// Checks what must hold of all members together, and puts them in their order.
Members in_order(Members members, const Traits& traits) {
  Members sorted = members;
  std::stable_sort(sorted.begin(), sorted.end(), by_name);
  const auto same = [](const Member& a, const Member& b) { return a.name == b.name; };
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(), same);
  if (twice != sorted.end()) refuse("named twice: " + quoted(twice->name));
  if (members.empty() || members.size() > KeyRouter::kMostMembers) {
    refuse("members out of 1.." + std::to_string(KeyRouter::kMostMembers) + ": " + std::to_string(members.size()));
  }
  return traits.sorted ? sorted : members;
}

std::uint64_t thousandths(const std::optional<double>& bound) {
  if (!bound) return 0;
  const double exact = *bound * kThousandths;
  const std::string value = std::to_string(*bound);
  if (!(*bound >= 1 && *bound <= kMostBound)) refuse("bound out of 1..1000: " + value);
  if (std::abs(exact - std::round(exact)) > 1e-6) refuse("bound finer than thousandths: " + value);
  return static_cast<std::uint64_t>(std::llround(exact));
}

std::uint32_t room(const std::optional<std::int64_t>& capacity, const Members& members, const Traits& traits) {
  if (capacity && !traits.roomy) refuse(std::string(traits.name) + " has no capacity");
  const auto least = static_cast<std::int64_t>(members.size());
  const std::int64_t wanted = capacity.value_or(std::min<std::int64_t>(2 * least, KeyRouter::kMostMembers));
  if (wanted < least || wanted > KeyRouter::kMostMembers) {
    refuse("capacity out of " + std::to_string(least) + ".." + std::to_string(KeyRouter::kMostMembers) + ": " +
           std::to_string(wanted));
  }
  return static_cast<std::uint32_t>(wanted);
}

}  // namespace

KeyRouter::KeyRouter(std::string_view kind, Members members, const KeyRouterSettings& settings)
    : traits_(traits(kind)),
      members_(in_order(std::move(members), traits_)),
      bound_(thousandths(settings.bound)),
      capacity_(room(settings.capacity, members_, traits_)),
      loads_(members_.size()),
      router_([&] {
        for (const Member& member : members_) check(member);
        return make(kind, members_, capacity_);
      }()) {
  for (const Member& member : members_) total_weight_ += member.weight;
}

std::uint64_t KeyRouter::hash(std::string_view key) const {
  return std::visit([&](const auto& router) { return router.hash(key); }, router_);
}

std::uint64_t KeyRouter::hash(std::uint64_t key) const {
  return std::visit([&](const auto& router) { return router.hash(key); }, router_);
}

std::uint32_t KeyRouter::route(std::uint64_t hash) const {
  return std::visit(
      [&](const auto& router) {
        std::uint32_t index = router.route(hash);
        if (!bounded()) return index;
        for (int choice = 1; !has_room(index) && choice < kChoices; ++choice) {
          hash = next_hash(hash);
          index = router.route(hash);
        }
        while (!has_room(index)) index = index + 1 < members_.size() ? index + 1 : 0;
        return index;
      },
      router_);
}

void KeyRouter::route_many(std::span<const std::uint64_t> keys, std::uint32_t* indices) const {
  if (bounded()) {
    for (const std::uint64_t key : keys) *indices++ = route(hash(key));
    return;
  }
  std::visit(
      [&](const auto& router) {
        for (const std::uint64_t key : keys) *indices++ = router.route(router.hash(key));
      },
      router_);
}

// Bounded loads (Mirrokni, Thorup and Zadimoghaddam, arXiv 1608.01350, 2018), the task to come counted in; the sum of all
// that members may have is more than there is, so that one has room. Forwarding by a new hash and not to the neighbour:
// Chen, Coleman and Shrivastava, "Revisiting consistent hashing with bounded loads", AAAI 2021.
bool KeyRouter::has_room(std::uint32_t index) const {
  const auto most = static_cast<unsigned __int128>(bound_ * members_[index].weight) * (in_flight_ + 1);
  return static_cast<unsigned __int128>(loads_[index]) * (1000 * total_weight_) < most;
}

std::uint32_t KeyRouter::take(std::uint64_t hash) {
  if (!bounded()) refuse("take is for a router with a bound");
  const std::uint32_t index = route(hash);
  ++loads_[index];
  ++in_flight_;
  return index;
}

bool KeyRouter::done(std::string_view member) {
  if (!bounded()) refuse("done is for a router with a bound");
  const auto index = find(member);
  if (!index || loads_[*index] == 0) return false;
  --loads_[*index];
  --in_flight_;
  return true;
}

void KeyRouter::add(Member member) {
  refuse_unlogged();
  if (find(member.name)) refuse("already a member: " + quoted(member.name));
  come(std::move(member));
}

void KeyRouter::remove(std::string_view name) {
  refuse_unlogged();
  const auto index = find(name);
  if (!index) refuse("not a member: " + quoted(name));
  go(*index);
}

void KeyRouter::apply(std::uint64_t revision, const std::map<std::string, std::uint32_t>& changes) {
  if (revision <= revision_) {
    refuse("revision " + std::to_string(revision) + " is not newer than " + std::to_string(revision_));
  }
  KeyRouter next = *this;
  for (const auto& [name, weight] : changes) {
    if (weight == 0) continue;
    if (const auto index = next.find(name)) {
      next.weigh(*index, weight);
    } else {
      next.come({name, weight});
    }
  }
  for (std::size_t index = next.members_.size(); index-- > 0;) {
    const auto change = changes.find(next.members_[index].name);
    if (change != changes.end() && change->second == 0) next.go(index);
  }
  next.revision_ = revision;
  *this = std::move(next);
}

std::optional<std::size_t> KeyRouter::find(std::string_view name) const {
  const auto found = traits_.sorted ? std::lower_bound(members_.begin(), members_.end(), name,
                                                       [](const Member& a, std::string_view b) { return a.name < b; })
                                    : std::find_if(members_.begin(), members_.end(),
                                                   [&](const Member& member) { return member.name == name; });
  if (found == members_.end() || found->name != name) return std::nullopt;
  return static_cast<std::size_t>(found - members_.begin());
}

void KeyRouter::check(const Member& member) const {
  const std::string value = std::to_string(member.weight);
  if (member.name.empty()) refuse("a member without a name: ''");
  if (member.weight < 1 || member.weight > kMostWeight)
    refuse("weight of " + quoted(member.name) + " out of 1..64: " + value);
  if (member.weight > 1 && !traits_.weighted) {
    refuse(std::string(kind()) + " takes no weights: '" + member.name + "' has " + value);
  }
}

void KeyRouter::refuse_unlogged() const {
  if (!traits_.logged) return;
  refuse(std::string(kind()) + " goes by the order of changes: use apply(revision, changes), from one log for all");
}

void KeyRouter::come(Member member) {
  check(member);
  std::visit([&](const auto& router) { router.check_add(member.name); }, router_);
  if (members_.size() == kMostMembers) refuse("members out of 1..65535: 65536");
  total_weight_ += member.weight;
  const auto place =
      traits_.sorted ? std::upper_bound(members_.begin(), members_.end(), member, by_name) : members_.end();
  const auto index = static_cast<std::size_t>(place - members_.begin());
  members_.insert(place, std::move(member));
  loads_.insert(loads_.begin() + static_cast<std::ptrdiff_t>(index), 0);
  std::visit([&](auto& router) { router.add(members_, index); }, router_);
}

void KeyRouter::weigh(std::size_t index, std::uint32_t weight) {
  if (members_[index].weight == weight) return;
  check({members_[index].name, weight});
  total_weight_ += weight;
  total_weight_ -= members_[index].weight;
  members_[index].weight = weight;
  router_ = make(kind(), members_, capacity_);
}

void KeyRouter::go(std::size_t index) {
  if (members_.size() == 1) refuse("the last member cannot go: " + quoted(members_[index].name));
  std::visit([&](const auto& router) { router.check_remove(members_, index); }, router_);
  total_weight_ -= members_[index].weight;
  in_flight_ -= loads_[index];
  loads_.erase(loads_.begin() + static_cast<std::ptrdiff_t>(index));
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
  std::visit([&](auto& router) { router.remove(members_, index); }, router_);
}

}  // namespace lbsuite::routers
