#pragma once
#include <stdexcept>

#include "placer/router.hpp"

namespace lbsuite::routers {

// Jump (Lamping and Veach, "A fast, minimal memory, consistent hash algorithm", arXiv 1406.2294, 2014). Members are
// numbered as they came, so only the last can go; an int key is taken as it is, as in the paper. Its doubles are products
// and quotients alone, which IEEE 754 rounds the same everywhere. Cost: ln n divisions.
class Jump : public Kind {
 public:
  static constexpr std::string_view name = "jump";
  static constexpr bool weighted = false;
  static constexpr bool sorted = false;

  explicit Jump(const Members& members) : members_(static_cast<std::int64_t>(members.size())) {}

  using Kind::hash;
  static std::uint64_t hash(std::uint64_t key) { return key; }

  std::uint32_t route(std::uint64_t hash) const {
    std::int64_t found = -1;
    for (std::int64_t next = 0; next < members_;) {
      found = next;
      hash = hash * 2862933555777941757 + 1;
      const double ahead = 0x1p31 / static_cast<double>(static_cast<std::int64_t>((hash >> 33) + 1));
      next = static_cast<std::int64_t>(static_cast<double>(found + 1) * ahead);
    }
    return static_cast<std::uint32_t>(found);
  }

  void check_remove(const Members& members, std::size_t index) const {
    if (index + 1 == members.size()) return;
    throw std::invalid_argument("jump can only lose its last member '" + members.back().name + "', not '" +
                                members[index].name + "'");
  }
  void add(const Members&, std::size_t) { ++members_; }
  void remove(const Members&, std::size_t) { --members_; }

 private:
  std::int64_t members_;
};

}  // namespace lbsuite::routers
