#pragma once
// Which member has a key, for any kind of THE LIST in routers.hpp: the same answer on every machine. A value: it can be
// copied; reads may share it, changes may not.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "placer/routers.hpp"

namespace lbsuite::routers {

struct KeyRouterSettings {
  // At least 1: no member takes more than the ceiling of bound x its share of what is in flight.
  std::optional<double> bound;
  // Of the kinds that have one: the most members there may ever be at once. Twice those at the start, unless said.
  std::optional<std::int64_t> capacity;
};

class KeyRouter {
 public:
  static constexpr std::uint32_t kMostMembers = 65'535;
  static constexpr std::uint32_t kMostWeight = 64;

  // Throws std::invalid_argument if there is no such kind, no member, a member without a name or twice, a weight out of
  // 1..64 or one that the kind does not take, a bound below 1 or finer than thousandths, or a capacity that will not do.
  KeyRouter(std::string_view kind, Members members, const KeyRouterSettings& settings = {});

  std::string_view kind() const { return traits_.name; }
  const Members& members() const { return members_; }  // by index
  std::uint64_t revision() const { return revision_; }
  bool bounded() const { return bound_ > 0; }

  std::uint64_t hash(std::string_view key) const;
  std::uint64_t hash(std::uint64_t key) const;

  // The index of the member that has a key, by its hash. With a bound: of the first that has room, among the key's first
  // choice, the choice of its next hash, and so on. Nothing is counted.
  std::uint32_t route(std::uint64_t hash) const;
  // The same for many numbers, by their hashes.
  void route_many(std::span<const std::uint64_t> keys, std::uint32_t* indices) const;

  // Route, and count one more in flight there; done counts one less, or is false if there is none. Throw
  // std::invalid_argument without a bound.
  std::uint32_t take(std::uint64_t hash);
  bool done(std::string_view member);
  const std::vector<std::uint64_t>& loads() const { return loads_; }  // in flight, by index

  // Throw std::invalid_argument, changing nothing, if the kind does not have it (jump loses its last member only, dx
  // knows the names it was made with, anchor goes by a log), or no member would be left.
  void add(Member member);
  void remove(std::string_view name);
  // One batch of a log: members that come or whose weight changes, by name; then, with weight 0, those that go, the last
  // first; who is gone already is passed over. Throws std::invalid_argument, changing nothing, as add and remove do, and
  // if the revision is not newer than the last.
  void apply(std::uint64_t revision, const std::map<std::string, std::uint32_t>& changes);

 private:
  std::optional<std::size_t> find(std::string_view name) const;
  void check(const Member& member) const;
  void refuse_unlogged() const;
  void come(Member member);
  void weigh(std::size_t index, std::uint32_t weight);
  void go(std::size_t index);
  bool has_room(std::uint32_t index) const;

  Traits traits_;
  Members members_;
  std::uint64_t bound_ = 0;  // in thousandths; 0 is none
  std::uint32_t capacity_ = 0;
  std::uint64_t revision_ = 0;
  std::vector<std::uint64_t> loads_;
  std::uint64_t in_flight_ = 0;
  std::uint64_t total_weight_ = 0;
  AnyKind router_;
};

}  // namespace lbsuite::routers
