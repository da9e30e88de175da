#pragma once
#include <algorithm>

#include "bits/neg_log2.hpp"
#include "placer/router.hpp"

namespace lbsuite::routers {

// Rendezvous (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998): each member has a score
// for the key, and the best has it. With weights the best is the least -log2(score) / weight (Schindelhauer and Schomaker,
// "Weighted distributed hash tables", 2005), in integers. Cost: a multiplication a member, a few ns with weights.
class Rendezvous : public Kind {
 public:
  static constexpr std::string_view name = "rendezvous";

  explicit Rendezvous(const Members& members) {
    for (const Member& member : members) seats_.push_back(seat(member));
    look();
  }

  std::uint32_t route(std::uint64_t hash) const { return even_ ? highest(hash) : nearest(hash); }

  // Whether a member ranks before another for a key.
  bool prefers(std::uint64_t hash, std::uint32_t one, std::uint32_t other) const {
    const Rank a = rank(hash, seats_[one]);
    const Rank b = rank(hash, seats_[other]);
    const std::uint64_t left = a.fall * b.weight;
    const std::uint64_t right = b.fall * a.weight;
    if (left != right) return left < right;
    return a.score != b.score ? a.score > b.score : one < other;
  }

  void add(const Members& members, std::size_t index) {
    seats_.insert(seats_.begin() + static_cast<std::ptrdiff_t>(index), seat(members[index]));
    look();
  }
  void remove(const Members&, std::size_t index) {
    seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(index));
    look();
  }

 private:
  struct Seat {
    std::uint64_t salt;
    std::uint64_t factor;
    std::uint64_t weight;
  };
  struct Rank {
    std::uint64_t fall;
    std::uint64_t weight;
    std::uint64_t score;
  };

  static Seat seat(const Member& member) {
    return {Xxh64::hash(member.name), Xxh64::hash(member.name, 1) | 1, member.weight};
  }
  static std::uint64_t score(std::uint64_t hash, const Seat& seat) { return fold(hash ^ seat.salt, seat.factor); }
  static Rank rank(std::uint64_t hash, const Seat& seat) {
    const std::uint64_t found = score(hash, seat);
    return {NegLog2::of(found), seat.weight, found};
  }

  void look() {
    const auto other = [&](const Seat& seat) { return seat.weight != seats_.front().weight; };
    even_ = std::none_of(seats_.begin(), seats_.end(), other);
  }

  // With equal weights the least -log2(score) is the highest score.
  std::uint32_t highest(std::uint64_t hash) const {
    std::uint64_t most = score(hash, seats_[0]);
    std::uint32_t best = 0;
    for (std::uint32_t i = 1; i < seats_.size(); ++i) {
      const std::uint64_t found = score(hash, seats_[i]);
      // A mask and no branch: who is best cannot be guessed.
      const std::uint64_t better = -static_cast<std::uint64_t>(found > most);
      best ^= (best ^ i) & static_cast<std::uint32_t>(better);
      most ^= (most ^ found) & better;
    }
    return best;
  }

  std::uint32_t nearest(std::uint64_t hash) const {
    Rank least = rank(hash, seats_[0]);
    std::uint32_t best = 0;
    for (std::uint32_t i = 1; i < seats_.size(); ++i) {
      const Rank found = rank(hash, seats_[i]);
      const std::uint64_t left = found.fall * least.weight;  // below 2^52
      const std::uint64_t right = least.fall * found.weight;
      if (left > right || (left == right && found.score <= least.score)) continue;
      least = found;
      best = i;
    }
    return best;
  }

  std::vector<Seat> seats_;  // by member
  bool even_ = true;
};

}  // namespace lbsuite::routers
