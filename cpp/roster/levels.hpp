#pragma once
// The views of one roster, one a level: each holds those who are up at its level, and the next beyond it.
// Writer only. Cost: a pass over all a level.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "roster/view.hpp"

namespace lbsuite {

// The levels that somebody is up at, lowest first; one, where nobody is.
template <class Model>
std::vector<std::uint32_t> levels_of(const std::vector<Endpoint<Model>*>& members) {
  std::vector<std::uint32_t> levels;
  for (const auto* member : members) {
    if (member->up()) levels.push_back(member->level);
  }
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  if (levels.empty()) levels.push_back(0);
  return levels;
}

// How picks are split between levels, of those that somebody is up at.
template <class Model>
void split_picks(View<Model>& first) {
  first.part = first.beyond == nullptr ? 1 : first.up.front()->part;
  double sum = first.part;
  for (View<Model>* view = first.beyond.get(); view != nullptr; view = view->beyond.get()) {
    sum += view->part = view->up.front()->part;
  }
  if (sum <= 0) first.part = sum = 1;
  for (View<Model>* view = &first; view != nullptr; view = view->beyond.get()) view->part /= sum;
}

// list(view, member) shows a member in a view.
template <class Model, class List>
std::unique_ptr<View<Model>> views_by_level(const std::vector<Endpoint<Model>*>& members, List&& list) {
  const std::vector<std::uint32_t> levels = levels_of<Model>(members);
  std::unique_ptr<View<Model>> first;
  for (std::size_t i = levels.size(); i-- > 0;) {
    auto view = std::make_unique<View<Model>>();
    view->up.reserve(members.size());
    for (auto* member : members) {
      if (levels.size() == 1 || member->level == levels[i]) list(*view, *member);
    }
    view->level = static_cast<std::uint32_t>(i);
    for (const bool weighs : {false, true}) view->shares[weighs] = Shares<Model>::make(view->up, weighs);
    view->beyond = std::move(first);
    view->simple = view->beyond == nullptr && view->shares[0] == nullptr && view->shares[1] == nullptr;
    first = std::move(view);
  }
  split_picks(*first);
  return first;
}

// What shares come to by now, for the next views.
template <class Model>
void settle_shares(const View<Model>* first) {
  for (const View<Model>* view = first; view != nullptr; view = view->beyond.get()) {
    for (const auto& shares : view->shares) {
      if (shares != nullptr) shares->settle(view->up);
    }
  }
}

}  // namespace lbsuite
