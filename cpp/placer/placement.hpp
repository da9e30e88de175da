#pragma once
// Who owns which object, and how one batch of changes turns that into the next: each server owns the floor or the
// ceiling of its exact share, and no object moves that need not. Integers only, no clock, no entropy: all who apply the
// same batches in the same order agree. A value: it can be copied; not safe to share.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "placer/ipv4.hpp"
#include "placer/object_sets.hpp"

namespace lbsuite {

struct Move {
  std::uint32_t object = 0;
  Ipv4 from = kNoServer;  // nobody, where the object had no owner
  Ipv4 to = kNoServer;
};

// What one batch did. `minimum`: the fewest moves by which any placement in balance could be reached.
struct Delta {
  std::vector<Move> moves;
  std::uint32_t minimum = 0;
};

// One server in a batch: its weight from now on, 0 for down.
struct Change {
  Ipv4 server = kNoServer;
  std::uint32_t weight = 0;
};

using ServerId = std::uint16_t;
inline constexpr ServerId kUnowned = 0xFFFF;

class Placement {
 public:
  static constexpr std::uint32_t kMostObjects = 65'536;
  static constexpr std::uint32_t kMostServers = 4'095;
  static constexpr std::uint32_t kMostWeight = 64;

  Placement(std::uint32_t objects, std::uint32_t max_servers);

  // Throws std::invalid_argument, changing nothing, if the revision is not newer than the last, a server is named
  // twice, a weight is out of 0..64, or none or too many servers would be up.
  // Cost: the servers + the moves, and one pass over the bits of each server that gives any.
  Delta apply(std::uint64_t revision, std::span<const Change> changes);

  std::uint64_t revision() const { return revision_; }
  std::uint32_t max_servers() const { return max_servers_; }
  std::span<const ServerId> owners() const { return owners_; }  // by object
  // By a server's id; those with weight 0 are free.
  std::span<const Ipv4> servers() const { return servers_; }
  std::span<const std::uint32_t> weights() const { return weights_; }
  std::span<const std::uint32_t> loads() const { return loads_; }  // objects owned
  std::uint32_t live() const { return live_; }
  ServerId find(Ipv4 server) const;                     // kUnowned if it is not up
  std::vector<std::uint32_t> owned(ServerId id) const;  // ascending

  // The whole state in little-endian bytes, its digest at the end.
  std::string snapshot() const;
  // Throws std::invalid_argument if the bytes are damaged, of another version, or a state that no batches lead to: not
  // in balance, or with more servers than there may be.
  static Placement restore(std::string_view bytes);
  // Equal for all who have applied the same batches.
  std::uint64_t digest() const;

 private:
  // What the servers of one weight may own: the floor or the ceiling of their exact share.
  struct Share {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
  };
  using Shares = std::array<Share, kMostWeight + 1>;  // by weight
  struct Homeless {
    std::uint32_t object;
    Ipv4 from;
  };
  struct Receiver {
    ServerId id;
    std::uint32_t needs;
  };

  static std::uint32_t count(std::uint32_t objects);
  bool balanced() const;
  // Leaves them in `sorted_`, or throws as `apply` does.
  void admit(std::uint64_t revision, std::span<const Change> changes);
  void take_down();
  void bring_up();
  void trim();
  void resize(std::size_t servers);
  void set(ServerId id, Ipv4 server, std::uint32_t weight);
  // Fills `aims_`, and returns the fewest moves from here to any placement in balance.
  std::uint32_t aim(std::uint64_t revision);
  Shares shares() const;
  // Aims at what each has, within its share; returns the fewest moves from here to any placement in balance.
  std::uint32_t clamp_to(const Shares& shares);
  void collect(std::uint64_t revision);
  void deal(std::vector<Move>& moves);

  std::uint32_t objects_;
  std::uint32_t max_servers_;
  std::uint64_t revision_ = 0;
  std::vector<ServerId> owners_;
  std::vector<Ipv4> servers_;
  std::vector<std::uint32_t> weights_;
  std::vector<std::uint32_t> loads_;
  ObjectSets owned_;
  absl::flat_hash_map<Ipv4, ServerId> ids_;
  std::uint32_t live_ = 0;
  std::uint64_t total_weight_ = 0;
  std::array<std::uint32_t, kMostWeight + 1> weighing_{};  // how many servers have each weight
  // Of the batch at work; kept to be used again.
  std::vector<std::uint32_t> aims_;  // what each server will own, by id
  std::vector<Homeless> pool_;
  std::vector<Receiver> receivers_;
  std::vector<ServerId> changed_;
  std::vector<Change> sorted_;
};

}  // namespace lbsuite
