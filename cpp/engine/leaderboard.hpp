#pragma once
// Who is least loaded, kept for as long as somebody asks, so that a pick among very many need not look at each.
// The answer is that of a look at all of them (policy/parts/least.hpp), pick for pick. A pick brings up to date what was
// touched since the last, under a short lock; the writer makes the tournament for a new view beside it, so that no
// pick does, but the very first. Cost: about log4(endpoints) for each that changed; see roster/tournament.hpp.

#include <mutex>
#include <optional>
#include <vector>

#include "policy/policy.hpp"
#include "roster/ranking.hpp"
#include "roster/touches.hpp"
#include "roster/tournament.hpp"
#include "roster/view.hpp"

namespace lbsuite {

template <class Model>
class Leaderboard {
 public:
  // scanned: up to so many endpoints are quicker compared one by one.
  Leaderboard(Touches<Model>& touches, const Ranking<Model>& ranking, std::uint32_t scanned)
      : touches_(touches), ranking_(ranking), scanned_(scanned) {}

  std::uint32_t scanned() const { return scanned_; }

  // The candidate in `view` with the least score, ties broken uniformly; kNobody if all are full; nothing if the view is
  // no longer the newest. Any thread; a time older than the last one's counts as that.
  std::optional<std::uint32_t> least(const View<Model>& view, double now, Rng& rng);

  // Writer only: pickers will see this view next.
  void follow(const View<Model>& view, double now);

 private:
  // Who is least loaded of one view.
  struct Board {
    Board() = default;
    Board(const View<Model>& view, double unit);
    void recall(std::uint32_t place) {
      if (place < entrants.size() && entrants[place] != kNobody) tournament.recall(entrants[place]);
    }

    std::uint64_t version = 0;
    double unit = 0;                      // that scores are reckoned in; all are stale once it is another
    std::vector<std::uint32_t> entrants;  // by place; kNobody: not in the view
    Tournament tournament;
  };
  // So many views that nobody asked about, and the board is given up.
  static constexpr int kPatience = 64;

  std::unique_lock<std::mutex> alone();
  void advance(Board& board, const View<Model>& view, double now) const;
  void drain(std::size_t places);

  Touches<Model>& touches_;
  const Ranking<Model>& ranking_;
  const std::uint32_t scanned_;
  std::mutex busy_;
  Board board_;
  double now_ = 0;
  int unasked_ = 0;
  bool making_ = false;                // the board of the next view
  std::vector<std::uint64_t> missed_;  // touches drained meanwhile, a bit for each place
};

extern template class Leaderboard<Shared>;
extern template class Leaderboard<Plain>;

}  // namespace lbsuite
