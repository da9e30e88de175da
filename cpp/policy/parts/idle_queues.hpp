#pragma once
// The queues of idle endpoints that the lanes of join_idle_queue have, one each; an endpoint waits in one of them at
// most. Any lane may call; each call takes one short lock. Allocates in `open` and `room` alone.

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "bits/rng.hpp"
#include "policy/policy.hpp"

namespace lbsuite {

class IdleQueues {
 public:
  // Opens a queue; returns its number.
  std::uint32_t open() {
    const std::lock_guard lock(busy_);
    queues_.emplace_back().reserve(waiting_in_.size());
    return static_cast<std::uint32_t>(queues_.size() - 1);
  }

  void room(std::uint32_t places) {
    const std::lock_guard lock(busy_);
    if (places > waiting_in_.size()) waiting_in_.resize(places, kNobody);
    for (auto& queue : queues_) queue.reserve(waiting_in_.size());
  }

  // Joins the shortest of so many queues, drawn at random; nothing if it waits already.
  void join(Place place, std::uint32_t draws) {
    const std::lock_guard lock(busy_);
    if (waits(place)) return;
    leave_queue(place.index);  // whoever had the place before
    std::uint32_t shortest = draw();
    for (; draws > 1; --draws) {
      if (const std::uint32_t other = draw(); queues_[other].size() < queues_[shortest].size()) shortest = other;
    }
    queues_[shortest].push_back(place);
    waiting_in_[place.index] = shortest;
  }

  void leave(Place place) {
    const std::lock_guard lock(busy_);
    if (waits(place)) leave_queue(place.index);
  }

  // What becomes of one that waits: it is taken, it is not idle after all, or it keeps its turn.
  enum class Turn : std::uint8_t { taken, gone, kept };

  // Asks for each in turn what becomes of it until one is taken; that one, of no generation where none was.
  template <class Judge>
  Place take(std::uint32_t number, Judge&& judge) {
    const std::lock_guard lock(busy_);
    auto& queue = queues_[number];
    for (std::size_t at = 0; at < queue.size();) {
      const Place place = queue[at];
      const Turn turn = judge(place);
      if (turn == Turn::kept) {
        ++at;
        continue;
      }
      leave_queue(place.index);
      if (turn == Turn::taken) return place;
    }
    return {};
  }

 private:
  std::uint32_t draw() { return lots_.below(static_cast<std::uint32_t>(queues_.size())); }

  auto found(std::uint32_t index) {
    auto& queue = queues_[waiting_in_[index]];
    return std::find_if(queue.begin(), queue.end(), [index](Place waiting) { return waiting.index == index; });
  }
  bool waits(Place place) { return waiting_in_[place.index] != kNobody && *found(place.index) == place; }
  void leave_queue(std::uint32_t index) {
    if (waiting_in_[index] == kNobody) return;
    queues_[waiting_in_[index]].erase(found(index));
    waiting_in_[index] = kNobody;
  }

  std::mutex busy_;
  std::vector<std::vector<Place>> queues_;
  std::vector<std::uint32_t> waiting_in_;  // by index: the queue's number, or kNobody
  Rng lots_{1};
};

}  // namespace lbsuite
