#pragma once
// roster: who is there, and who may be picked now.
//   endpoint   who it is, how it stands            load       its slots and the estimate policies compare
//   report     what it says of itself              ranking    what loads are ranked by
//   view       what pickers see                    epochs     when a replaced view may go
//   shares     holds some to their share of picks  levels     who goes before whom
//   locked, atomic, split, snapshot                the ways in which pickers and the writer share it
//   reckoner, arrivals, drain_rate, tally, limit   what a load is made of
//   outcomes   how its tasks ended                 big_tasks  those that may hold a share of its slots only
//   touches    whose load has changed              tournament who has the least of many loads
//   address_book                                   finds an endpoint by its address
// The engine alone calls in here: visits from any thread, everything else under its writer lock.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "roster/address_book.hpp"
#include "roster/atomic.hpp"
#include "roster/endpoint.hpp"
#include "roster/levels.hpp"
#include "roster/locked.hpp"
#include "roster/snapshot.hpp"
#include "roster/split.hpp"
#include "roster/touches.hpp"

namespace lbsuite {

// THE LIST of the ways in which pickers and the writer share a roster.
enum class RosterKind : std::uint8_t { locked, atomic, split, snapshot };
inline constexpr std::array<std::string_view, 4> kRosters = {"locked", "atomic", "split", "snapshot"};
template <class Model>
using RosterKinds = std::variant<Locked<Model>, Atomic<Model>, Split<Model>, Snapshot<Model>>;

template <class Model>
class Roster {
 public:
  using Member = Endpoint<Model>*;

  explicit Roster(RosterKind kind) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((I == static_cast<std::size_t>(kind) ? void(kind_.template emplace<I>()) : void()), ...);
    }(std::make_index_sequence<kRosters.size()>());
  }

  template <class Visitor>
  auto visit(Visitor&& visitor) const {
    return visit(Epochs::Reader::of_this_thread(), std::forward<Visitor>(visitor));
  }
  template <class Visitor>
  auto visit(const Epochs::Reader& reader, Visitor&& visitor) const {
    if (const auto* snapshot = std::get_if<Snapshot<Model>>(&kind_)) [[likely]]
      return snapshot->visit(reader, std::forward<Visitor>(visitor));
    return visit_other(reader, std::decay_t<Visitor>(visitor));  // a copy: the visitor itself can stay in registers
  }

  std::string_view name() const { return kRosters[kind_.index()]; }
  // What a visitor sees is all up, and stays as it is: most policies need that.
  bool shows_fixed_views() const {
    return std::holds_alternative<Snapshot<Model>>(kind_) || std::holds_alternative<Locked<Model>>(kind_);
  }

  // To be told whenever an endpoint's load has changed. Any thread.
  Touches<Model>& touches() { return touches_; }

  // Writer only, from here on.
  Endpoint<Model>* find(std::string_view address) const {
    const auto index = book_.find(address);
    return index ? places_[*index].get() : nullptr;
  }

  // order: place among the others, kUnordered for after all that have one, by arrival.
  Endpoint<Model>& add(std::string_view address, std::uint64_t order, Accounting accounting) {
    const std::uint32_t index = free_index();
    touches_.room(index + 1);
    places_[index] = std::make_unique<Endpoint<Model>>(std::string(address), index, ++generations_, accounting);
    const Member member = places_[index].get();
    member->order = order;
    member->arrival = generations_;
    book_.insert(address, index);
    const auto before = [](Member a, Member b) { return goes_before(*a, *b); };
    in_order_.insert(std::upper_bound(in_order_.begin(), in_order_.end(), member, before), member);
    return *member;
  }

  // The endpoint is there until the view that shows it is gone.
  void remove(Endpoint<Model>& endpoint) {
    const std::uint32_t index = endpoint.index;
    book_.erase(endpoint.address);
    in_order_.erase(std::find(in_order_.begin(), in_order_.end(), &endpoint));
    free_.push_back(index);
    left_.push_back(std::move(places_[index]));
  }

  const std::vector<Member>& in_order() const { return in_order_; }
  // Indices are below this.
  std::uint32_t places() const { return static_cast<std::uint32_t>(places_.size()); }

  // `planner` sees each view before pickers do.
  void plan_by(std::function<void(View<Model>&)> planner) { planner_ = std::move(planner); }

  // Pickers see from now on who is there.
  void publish() {
    std::visit([this](auto& kind) { publish(kind); }, kind_);
  }

  // Pickers see from now on that this one has come up or gone down.
  void turned(Endpoint<Model>& endpoint) {
    std::visit(
        [&](auto& kind) {
          if constexpr (requires { kind.turn(endpoint, true); }) {
            kind.turn(endpoint, anyone());
          } else {
            publish(kind);
          }
        },
        kind_);
  }

 private:
  template <class Visitor>
  [[gnu::noinline]] auto visit_other(const Epochs::Reader& reader, Visitor visitor) const {
    return std::visit([&](const auto& kind) { return kind.visit(reader, visitor); }, kind_);
  }

  template <class Kind>
  void publish(Kind& kind) {
    settle_shares(shown_);
    auto view = views_by_level<Model>(in_order_, Kind::list);
    for (View<Model>* level = view.get(); level != nullptr; level = level->beyond.get()) {
      level->version = ++versions_;
      level->batch = Kind::batch;
    }
    view->anyone.set(anyone());
    view->places.reserve(places_.size());
    for (const auto& place : places_) view->places.push_back(place.get());
    if (planner_) planner_(*view);
    if (shown_ != nullptr) shown_->left = std::exchange(left_, {});
    shown_ = view.get();
    kind.publish(std::move(view));
  }

  bool anyone() const {
    return std::any_of(in_order_.begin(), in_order_.end(), [](Member member) { return member->serves(); });
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

  std::vector<std::unique_ptr<Endpoint<Model>>> places_;
  std::vector<Member> in_order_;
  std::vector<std::unique_ptr<Endpoint<Model>>> left_;  // since the last view
  std::vector<std::uint32_t> free_;
  AddressBook book_;
  std::uint32_t generations_ = 0;
  std::uint64_t versions_ = 0;
  std::function<void(View<Model>&)> planner_;
  View<Model>* shown_ = nullptr;
  Touches<Model> touches_;
  RosterKinds<Model> kind_;
};

}  // namespace lbsuite
