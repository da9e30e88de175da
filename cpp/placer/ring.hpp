#pragma once
#include <algorithm>
#include <bit>

#include "bits/md5.hpp"
#include "placer/router.hpp"

namespace lbsuite::routers {

// A ring (Karger et al., "Consistent hashing and random trees", 1997) with the points of ketama: 160 a member, four from
// the MD5 of each of "name-0" to "name-39"; a byte key is on the ring where its MD5 begins, so that memcached clients
// agree. A member of weight w has w times the points, so that those of others stay (where libketama shares a fixed number
// out). Cost: about two loads, and an MD5 for a byte key; a pass over the points for a change.
class Ring : public Kind {
 public:
  static constexpr std::string_view name = "ring";

  explicit Ring(const Members& members) {
    for (std::uint32_t index = 0; index < members.size(); ++index) put(members[index], index);
    std::sort(points_.begin(), points_.end(), before);
    list();
  }

  using Kind::hash;
  static std::uint64_t hash(std::string_view key) { return std::uint64_t{Md5::hash(key)[0]} << 32; }

  // The owner of the first point at or after the key's place, around the end.
  std::uint32_t route(std::uint64_t hash) const {
    const auto place = static_cast<std::uint32_t>(hash >> 32);
    std::uint32_t i = first_[place >> shift_];
    while (i < points_.size() && points_[i].place < place) ++i;
    return points_[i < points_.size() ? i : 0].member;
  }

  void add(const Members& members, std::size_t index) {
    for (Point& point : points_) point.member = with(point.member, index);
    const auto old = static_cast<std::ptrdiff_t>(points_.size());
    put(members[index], static_cast<std::uint32_t>(index));
    std::sort(points_.begin() + old, points_.end(), before);
    std::inplace_merge(points_.begin(), points_.begin() + old, points_.end(), before);
    list();
  }
  void remove(const Members&, std::size_t index) {
    std::erase_if(points_, [&](const Point& point) { return point.member == index; });
    for (Point& point : points_) point.member = without(point.member, index);
    list();
  }

 private:
  static constexpr std::uint32_t kDigests = 40;

  struct Point {
    std::uint32_t place;
    std::uint32_t member;
  };

  // Where two points meet, the one whose name is first has the keys.
  static bool before(const Point& a, const Point& b) {
    return a.place != b.place ? a.place < b.place : a.member < b.member;
  }

  void put(const Member& member, std::uint32_t index) {
    for (std::uint32_t i = 0; i < kDigests * member.weight; ++i) {
      for (const std::uint32_t place : Md5::hash(member.name + "-" + std::to_string(i))) {
        points_.push_back({place, index});
      }
    }
  }

  // A list of where to look first, about one entry a point, instead of a binary search.
  void list() {
    const auto bits = static_cast<int>(std::bit_width(points_.size()));
    shift_ = 32 - bits;
    first_.assign(std::size_t{1} << bits, 0);
    std::uint32_t i = 0;
    for (std::uint64_t part = 0; part < first_.size(); ++part) {
      while (i < points_.size() && points_[i].place < part << shift_) ++i;
      first_[part] = i;
    }
  }

  std::vector<Point> points_;         // in order
  std::vector<std::uint32_t> first_;  // by the high bits of a place: the first point at or after
  int shift_ = 0;
};

}  // namespace lbsuite::routers
