#pragma once
// Who has the least of many numbers that fall with time, and how many have as little: a kinetic tournament tree (Basch,
// Guibas and Hershberger, "Data structures for mobile data", 1997). Each node keeps the least below it, how many are
// within kTie of that, and until when this holds if nobody's course changes; what has come to its end is played again
// when asked for, and nothing else is. Cost: about log4(entrants) nodes for each that was recalled or has crossed another.
// Not safe to share. Allocates when made, never after; never fails.

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "bits/course.hpp"

namespace lbsuite {

class Tournament {
 public:
  explicit Tournament(std::uint32_t entrants = 0);

  // This one's course has changed.
  void recall(std::uint32_t entrant);
  void recall_all();

  // Brings all up to `now`, which never goes back. course(entrant) gives a Course from now on, its value infinite for
  // one that may not win; it is asked of those recalled, those whose course has ended, and at first of all.
  template <class CourseOf>
  void advance(double now, CourseOf&& course) {
    now_ = now;
    if (root_.until < now) root_ = replay(first_.size() - 1, 0, course);
  }

  // As of the last `advance`: how many have the least, and which of them is the nth in order, from 0.
  std::uint32_t ties() const { return root_.ties; }
  std::uint32_t tied(std::uint32_t nth) const;

 private:
  static constexpr std::uint32_t kWays = 4;
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kNow = -kInfinity;
  // What is to end within this may have ended: times are no more exact.
  static constexpr double kTick = 1e-7;

  // What is known of those below a node: all of one entrant, at the lowest level.
  struct Node {
    double value = kInfinity;  // of the least, at `since`
    double fall = 0;
    double since = 0;
    double until = kInfinity;
    double spread = 0;  // those that tie are at most this above the least
    std::uint32_t ties = 0;
  };
  // Sister nodes, their parts side by side: looking at all of them is most of the work.
  struct alignas(64) Group {
    template <class T>
    using Each = std::array<T, kWays>;
    Each<double> value{kInfinity, kInfinity, kInfinity, kInfinity};
    Each<double> until{kInfinity, kInfinity, kInfinity, kInfinity};
    Each<double> fall{};
    Each<double> spread{};
    Each<std::uint32_t> ties{};
    Each<double> since{};

    double at(std::uint32_t way, double now) const { return value[way] - fall[way] * (now - since[way]); }
    void set(std::uint32_t way, const Node& node) {
      value[way] = node.value;
      until[way] = node.until;
      fall[way] = node.fall;
      spread[way] = node.spread;
      ties[way] = node.ties;
      since[way] = node.since;
    }
  };

  const Group& group(std::size_t level, std::uint32_t place) const { return groups_[first_[level] + place]; }

  // The node above a group, whose nodes are brought up to date first.
  template <class CourseOf>
  Node replay(std::size_t level, std::uint32_t place, CourseOf& course) {
    Group& below = groups_[first_[level] + place];
    for (std::uint32_t way = 0; way < kWays; ++way) {
      if (below.until[way] >= now_) [[likely]]
        continue;
      const std::uint32_t number = place * kWays + way;
      below.set(way, level == 0 ? enter(course(number)) : replay(level - 1, number, course));
    }
    return play(level, place);
  }

  Node enter(const Course& course) const {
    return {course.value, course.fall, now_, course.until, 0, course.value < kInfinity ? 1U : 0U};
  }
  Node play(std::size_t level, std::uint32_t place) const;
  Node play_flat(const Group& below) const;
  // How many below a node are at most at `bound`, which is kTie or less above its least.
  std::uint32_t count(std::size_t level, std::uint32_t place, std::uint32_t way, double bound) const;

  std::uint32_t entrants_;
  double now_ = 0;
  std::vector<std::size_t> first_;  // group of each level, entrants' own first
  std::vector<Group> groups_;
  Node root_;
};

}  // namespace lbsuite
