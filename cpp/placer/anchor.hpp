#pragma once
#include <numeric>
#include <stdexcept>

#include "placer/router.hpp"

namespace lbsuite::routers {

// Anchor (Mendelson et al., "AnchorHash: a scalable consistent hash", arXiv 1812.09674, 2020): buckets, of which some are
// down; a key that meets one goes on among those that were up when it went down. Two who see two members go in different
// orders disagree on their keys, hence `logged`. Names of A, W, L and K are the paper's. Cost: 1 + ln(capacity / members)
// steps on average; the buckets for a change.
class Anchor : public Kind {
 public:
  static constexpr std::string_view name = "anchor";
  static constexpr bool weighted = false;
  static constexpr bool logged = true;

  // capacity: the most members there may ever be at once; at least those there are.
  Anchor(const Members& members, std::uint32_t capacity)
      : A_(capacity), W_(capacity), L_(capacity), K_(capacity), member_(capacity, kNoMember), working_(capacity) {
    for (auto* identity : {&W_, &L_, &K_}) std::iota(identity->begin(), identity->end(), 0U);
    for (std::uint32_t bucket = capacity; bucket > members.size(); --bucket) take_down(bucket - 1);
    std::iota(member_.begin(), member_.begin() + static_cast<std::ptrdiff_t>(members.size()), 0U);
  }

  std::uint32_t route(std::uint64_t hash) const {
    std::uint32_t bucket = scaled(hash, static_cast<std::uint32_t>(A_.size()));
    while (A_[bucket] > 0) {
      std::uint32_t next = scaled(fold(hash ^ 0xE7037ED1A0B428DB * (bucket + 1), 0x8BB84B93962EACC9), A_[bucket]);
      while (A_[next] >= A_[bucket]) next = K_[next];
      bucket = next;
    }
    return member_[bucket];
  }

  void check_add(const std::string& member) const {
    if (!down_.empty()) return;
    throw std::invalid_argument("anchor is full at its capacity of " + std::to_string(A_.size()) + ": no place for '" +
                                member + "'");
  }
  void add(const Members&, std::size_t index) {
    for (std::uint32_t& member : member_) {
      if (member != kNoMember) member = with(member, index);
    }
    const std::uint32_t bucket = down_.back();
    down_.pop_back();
    A_[bucket] = 0;
    L_[W_[working_]] = working_;
    W_[L_[bucket]] = K_[bucket] = bucket;
    ++working_;
    member_[bucket] = static_cast<std::uint32_t>(index);
  }
  void remove(const Members&, std::size_t index) {
    std::uint32_t gone = 0;
    for (std::uint32_t bucket = 0; bucket < member_.size(); ++bucket) {
      if (member_[bucket] == index) gone = bucket;
      if (member_[bucket] != kNoMember) member_[bucket] = without(member_[bucket], index);
    }
    member_[gone] = kNoMember;
    take_down(gone);
  }

 private:
  void take_down(std::uint32_t bucket) {
    down_.push_back(bucket);
    --working_;
    A_[bucket] = working_;
    W_[L_[bucket]] = K_[bucket] = W_[working_];
    L_[W_[working_]] = L_[bucket];
  }

  std::vector<std::uint32_t> A_;       // 0 if the bucket is up, else how many were when it had gone down
  std::vector<std::uint32_t> W_;       // the buckets that are up
  std::vector<std::uint32_t> L_;       // where in W a bucket was last
  std::vector<std::uint32_t> K_;       // which took a bucket's place in W
  std::vector<std::uint32_t> member_;  // by bucket
  std::vector<std::uint32_t> down_;    // the last to go down is the first to come up
  std::uint32_t working_;
};

}  // namespace lbsuite::routers
