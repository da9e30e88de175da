#include "engine/leaderboard.hpp"

#include <algorithm>
#include <utility>

namespace lbsuite {

template <class Model>
std::unique_lock<std::mutex> Leaderboard<Model>::alone() {
  std::unique_lock lock(busy_, std::defer_lock);
  if constexpr (Model::threaded) lock.lock();
  return lock;
}

template <class Model>
std::optional<std::uint32_t> Leaderboard<Model>::least(const View<Model>& view, double now, Rng& rng) {
  const auto lock = alone();
  if (view.version != board_.version) [[unlikely]] {
    if (view.version < board_.version) return std::nullopt;
    touches_.start();  // first: what changes while the board is made is then noted
    board_ = Board(view, ranking_.unit());
  }
  drain(view.places.size());
  if (board_.unit != ranking_.unit()) [[unlikely]] {
    board_.unit = ranking_.unit();
    board_.tournament.recall_all();
  }
  now_ = std::max(now_, now);
  unasked_ = 0;
  advance(board_, view, now_);
  const std::uint32_t ties = board_.tournament.ties();
  return ties == 0 ? kNobody : board_.tournament.tied(ties == 1 ? 0 : rng.below(ties));
}

template <class Model>
void Leaderboard<Model>::follow(const View<Model>& view, double now) {
  if (!touches_.on() || view.up.size() <= scanned_) return;
  {
    const auto lock = alone();
    if (++unasked_ > kPatience) {
      board_ = {};
      return touches_.stop();
    }
    now = std::max(now_, now);
    missed_.assign(view.places.size() / 64 + 1, 0);
    making_ = true;
  }
  Board next(view, ranking_.unit());
  advance(next, view, now);
  const auto lock = alone();
  std::swap(board_, next);  // what was there is freed after the lock
  making_ = false;
  for (std::uint32_t place = 0; place < view.places.size(); ++place) {
    if (missed_[place / 64] >> place % 64 & 1) board_.recall(place);
  }
}

template <class Model>
void Leaderboard<Model>::drain(std::size_t places) {
  touches_.drain(static_cast<std::uint32_t>(places), [this](std::uint32_t place) {
    board_.recall(place);
    if (making_) missed_[place / 64] |= std::uint64_t{1} << place % 64;
  });
}

template <class Model>
void Leaderboard<Model>::advance(Board& board, const View<Model>& view, double now) const {
  board.tournament.advance(now, [&](std::uint32_t i) { return view.up[i]->load.course(now, ranking_); });
}

template <class Model>
Leaderboard<Model>::Board::Board(const View<Model>& view, double unit_then)
    : version(view.version),
      unit(unit_then),
      entrants(view.places.size(), kNobody),
      tournament(static_cast<std::uint32_t>(view.up.size())) {
  for (std::uint32_t i = 0; i < view.up.size(); ++i) entrants[view.up[i]->index] = i;
}

template class Leaderboard<Shared>;
template class Leaderboard<Plain>;

}  // namespace lbsuite
