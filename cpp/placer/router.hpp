#pragma once
// What the kinds of key routers share. A kind is a class with a name that is made from members and tells, for the hash
// of a key, which member has it; members are known by their index among those there are. A kind is a value, and is told
// of each member that comes (`add`, with its index) and each that goes (`remove`, with the index it had).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bits/hash.hpp"

namespace lbsuite::routers {

// A weight of 0 stands for a member that is gone.
struct Member {
  std::string name;
  std::uint32_t weight = 1;
};
using Members = std::vector<Member>;

inline constexpr std::uint32_t kNoMember = 0xFFFFFFFF;

// The hash by which a key finds its next choice, where the first will not do.
inline std::uint64_t next_hash(std::uint64_t hash) { return fold(hash ^ 0x8EBC6AF09C88C6E3, 0xA0761D6478BD642F); }

// For an index of a member, when one comes or goes.
template <class Index>
Index with(Index index, std::size_t come) {
  return static_cast<Index>(index + (index >= come ? 1 : 0));
}
template <class Index>
Index without(Index index, std::size_t gone) {
  return static_cast<Index>(index - (index > gone ? 1 : 0));
}

// What is true of a kind unless it says otherwise.
struct Kind {
  static constexpr bool weighted = true;
  static constexpr bool sorted = true;   // members stand in the order of their names; else as they came
  static constexpr bool logged = false;  // goes by the order of changes, so that all who change it must follow one log

  static std::uint64_t hash(std::string_view key) { return Xxh64::hash(key); }
  // Multiplied by the golden ratio (Knuth, volume 3, 6.4): no two numbers have one hash, and its high bits tell most.
  static std::uint64_t hash(std::uint64_t key) { return key * 0x9E3779B97F4A7C15; }

  // Throw std::invalid_argument if that cannot be.
  void check_add(const std::string&) const {}
  void check_remove(const Members&, std::size_t) const {}
};

}  // namespace lbsuite::routers
