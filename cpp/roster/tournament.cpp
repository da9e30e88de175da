#include "roster/tournament.hpp"

#include <algorithm>

namespace lbsuite {

Tournament::Tournament(std::uint32_t entrants) : entrants_(entrants) {
  std::size_t groups = 0;
  for (std::uint32_t nodes = entrants; nodes > 1 || first_.empty();) {
    nodes = (nodes + kWays - 1) / kWays;
    first_.push_back(groups);
    groups += nodes;
  }
  groups_.resize(std::max<std::size_t>(groups, 1));
  recall_all();
}

void Tournament::recall_all() {
  for (std::uint32_t entrant = 0; entrant < entrants_; ++entrant) recall(entrant);
}

void Tournament::recall(std::uint32_t entrant) {
  root_.until = kNow;
  std::uint32_t nth = entrant;
  for (const std::size_t first : first_) {
    double& until = groups_[first + nth / kWays].until[nth % kWays];
    if (until == kNow) return;  // so are those above
    until = kNow;
    nth /= kWays;
  }
}

Tournament::Node Tournament::play(std::size_t level, std::uint32_t place) const {
  const Group& below = group(level, place);
  if (below.fall[0] + below.fall[1] + below.fall[2] + below.fall[3] +
          (below.spread[0] + below.spread[1] + below.spread[2] + below.spread[3]) ==
      0) {
    return play_flat(below);
  }
  std::array<double, kWays> values;
  std::uint32_t best = 0;
  for (std::uint32_t way = 0; way < kWays; ++way) {
    values[way] = below.at(way, now_);
    if (values[way] < values[best]) best = way;
  }
  const double bound = values[best] + kTie;
  Node above{values[best], below.fall[best], now_, below.until[best], 0, 0};
  for (std::uint32_t way = 0; way < kWays; ++way) {
    above.until = std::min(above.until, below.until[way]);
    if (values[way] <= bound) {
      above.ties += count(level, place, way, bound);
      const double top = values[way] + below.spread[way];
      above.spread = std::max(above.spread, std::min(top, bound) - values[best]);
      // Lines that only cross here part at once, and a tie cut through may be cut elsewhere in a moment.
      if (below.fall[way] != above.fall || top > bound) above.until = std::min(above.until, now_);
    } else if (below.fall[way] > above.fall) {
      const double meet = now_ + (values[way] - bound) / (below.fall[way] - above.fall) - kTick;
      above.until = std::min(above.until, std::max(now_, meet));
    }
  }
  return above;
}

Tournament::Node Tournament::play_flat(const Group& below) const {
  const auto& v = below.value;
  const double least = std::min(std::min(v[0], v[1]), std::min(v[2], v[3]));
  const double until = std::min(std::min(below.until[0], below.until[1]), std::min(below.until[2], below.until[3]));
  Node above{least, 0, now_, until, 0, 0};
  const double bound = least + kTie;
  double top = least;
  for (std::uint32_t way = 0; way < kWays; ++way) {
    above.ties += v[way] <= bound ? below.ties[way] : 0;
    top = std::max(top, v[way] <= bound ? v[way] : least);
  }
  above.spread = top > least ? top - least : 0;
  return above;
}

std::uint32_t Tournament::count(std::size_t level, std::uint32_t place, std::uint32_t way, double bound) const {
  const Group& own = group(level, place);
  const double value = own.at(way, now_);
  if (value > bound) return 0;
  if (level == 0 || value + own.spread[way] <= bound) return own.ties[way];
  std::uint32_t counted = 0;
  for (std::uint32_t lower = 0; lower < kWays; ++lower) counted += count(level - 1, place * kWays + way, lower, bound);
  return counted;
}

std::uint32_t Tournament::tied(std::uint32_t nth) const {
  const double bound = root_.value - root_.fall * (now_ - root_.since) + kTie;
  std::uint32_t place = 0;
  for (std::size_t level = first_.size(); level-- > 0;) {
    std::uint32_t way = 0;
    std::uint32_t before = 0;
    std::uint32_t counted = 0;
    for (std::uint32_t other = 0; other + 1 < kWays; ++other) {
      counted += count(level, place, other, bound);
      if (nth >= counted) {
        way = other + 1;
        before = counted;
      }
    }
    nth -= before;
    place = place * kWays + way;
  }
  return place;
}

}  // namespace lbsuite
