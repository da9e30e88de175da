#pragma once
// roster: who is there, and who may be picked now.
//   endpoint   who it is, how it stands            load       its slots and the estimate policies compare
//   report     what it says of itself              ranking    what loads are ranked by
//   snapshot   the view that pickers read          epochs     when a replaced view may go
//   reckoner, arrivals, drain_rate                 what the estimate is made of
// The engine alone calls in here: visits from any thread, everything else under its writer lock.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roster/address_book.hpp"
#include "roster/endpoint.hpp"
#include "roster/snapshot.hpp"

namespace lbsuite {

// THE LIST of the ways in which pickers and the writer share a roster.
inline constexpr std::array<std::string_view, 1> kRosters = {"snapshot"};

template <class Model>
class Roster {
 public:
  using Member = std::shared_ptr<Endpoint<Model>>;

  template <class Visitor>
  auto visit(Visitor&& visitor) const {
    return visit(Epochs::Reader::of_this_thread(), std::forward<Visitor>(visitor));
  }
  template <class Visitor>
  auto visit(const Epochs::Reader& reader, Visitor&& visitor) const {
    return snapshot_.visit(reader, std::forward<Visitor>(visitor));
  }

  // Writer only, from here on.
  Endpoint<Model>* find(std::string_view address) const {
    const auto index = book_.find(address);
    return index ? places_[*index].get() : nullptr;
  }

  // order: place among the others, kUnordered for after all that have one, by arrival.
  Endpoint<Model>& add(std::string_view address, std::uint64_t order, Accounting accounting) {
    const std::uint32_t index = free_index();
    places_[index] = std::make_shared<Endpoint<Model>>(std::string(address), index, ++generations_, accounting);
    places_[index]->order = order;
    places_[index]->arrival = generations_;
    book_.insert(address, index);
    in_order_.insert(std::upper_bound(in_order_.begin(), in_order_.end(), places_[index], before), places_[index]);
    return *places_[index];
  }

  void remove(Endpoint<Model>& endpoint) {
    const std::uint32_t index = endpoint.index;
    book_.erase(endpoint.address);
    in_order_.erase(std::find(in_order_.begin(), in_order_.end(), places_[index]));
    free_.push_back(index);
    places_[index].reset();
  }

  const std::vector<Member>& in_order() const { return in_order_; }
  // Indices are below this.
  std::uint32_t places() const { return static_cast<std::uint32_t>(places_.size()); }

  // `planner` sees each view before pickers do.
  void plan_by(std::function<void(View<Model>&)> planner) { planner_ = std::move(planner); }

  void publish() {
    auto view = std::make_unique<View<Model>>();
    view->up.reserve(in_order_.size());
    for (const Member& member : in_order_) {
      if (member->up()) view->up.push_back(member.get());
      if (member->alive() && !member->last.available) view->others_alive = true;
    }
    view->places = places_;
    view->version = ++versions_;
    if (planner_) planner_(*view);
    snapshot_.publish(std::move(view));
  }

 private:
  // Those from etcd first, by (create revision, address), the same on every balancer; then by arrival.
  static bool before(const Member& a, const Member& b) {
    if (a->order != b->order) return a->order < b->order;
    if (a->order == kUnordered) return a->arrival < b->arrival;
    return a->address < b->address;
  }

  std::uint32_t free_index() {
    if (free_.empty()) {
      places_.emplace_back();
      return static_cast<std::uint32_t>(places_.size() - 1);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }

  std::vector<Member> places_;
  std::vector<Member> in_order_;
  std::vector<std::uint32_t> free_;
  AddressBook book_;
  std::uint32_t generations_ = 0;
  std::uint64_t versions_ = 0;
  std::function<void(View<Model>&)> planner_;
  Snapshot<Model> snapshot_;
};

}  // namespace lbsuite
