#include "placer/placement.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "bits/check.hpp"

namespace lbsuite {
namespace {

// Spreads who is rounded up and which objects a server gives over the revisions; any fixed function would do.
std::uint64_t mix(std::uint64_t revision, std::uint64_t salt) {
  std::uint64_t z = revision * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03;
  z = (z ^ z >> 32) * 0xBF58476D1CE4E5B9;
  return z ^ z >> 29;
}

}  // namespace

// Asked before anything is made of that size.
std::uint32_t Placement::count(std::uint32_t objects) {
  check(objects >= 1 && objects <= kMostObjects, [&] { return "objects out of 1..65536: " + std::to_string(objects); });
  return objects;
}

Placement::Placement(std::uint32_t objects, std::uint32_t max_servers)
    : objects_(count(objects)), max_servers_(max_servers), owners_(objects, kUnowned), owned_(objects) {
  check(max_servers >= 1 && max_servers <= kMostServers, "max_servers out of 1..4095: " + std::to_string(max_servers));
}

ServerId Placement::find(Ipv4 server) const {
  const auto found = ids_.find(server);
  return found == ids_.end() ? kUnowned : found->second;
}

std::vector<std::uint32_t> Placement::owned(ServerId id) const {
  std::vector<std::uint32_t> objects;
  objects.reserve(loads_[id]);
  owned_.each(id, [&](std::uint32_t object) { objects.push_back(object); });
  return objects;
}

// Leaves the changes in the order of their addresses, so that a batch has no order of its own.
void Placement::admit(std::uint64_t revision, std::span<const Change> changes) {
  check(revision > revision_,
        [&] { return "revision " + std::to_string(revision) + " is not newer than " + std::to_string(revision_); });
  sorted_.assign(changes.begin(), changes.end());
  std::sort(sorted_.begin(), sorted_.end(), [](const Change& a, const Change& b) { return a.server < b.server; });
  std::int64_t live = live_;
  Ipv4 before = kNoServer;
  for (const auto& [server, weight] : sorted_) {
    check(server != kNoServer, "0.0.0.0 is no server");
    check(server != before, [&] { return "named twice: " + spell_ipv4(server); });
    check(weight <= kMostWeight,
          [&] { return "weight of " + spell_ipv4(server) + " out of 0..64: " + std::to_string(weight); });
    live += static_cast<int>(weight > 0) - static_cast<int>(find(server) != kUnowned);
    before = server;
  }
  check(live >= 1 && live <= max_servers_,
        [&] { return "servers up out of 1.." + std::to_string(max_servers_) + ": " + std::to_string(live); });
}

Delta Placement::apply(std::uint64_t revision, std::span<const Change> changes) {
  admit(revision, changes);
  pool_.clear();
  if (live_ == 0) {
    for (std::uint32_t object = 0; object < objects_; ++object) pool_.push_back({object, kNoServer});
  }
  take_down();
  bring_up();
  trim();
  Delta delta;
  delta.minimum = aim(revision);
  collect(revision);
  deal(delta.moves);
  revision_ = revision;
  return delta;
}

void Placement::take_down() {
  for (const auto& [server, weight] : sorted_) {
    const ServerId id = find(server);
    if (weight > 0 || id == kUnowned) continue;
    owned_.take(id, loads_[id], 0, [&, from = server](std::uint32_t object) { pool_.push_back({object, from}); });
    loads_[id] = 0;
    set(id, kNoServer, 0);
    ids_.erase(server);
    --live_;
  }
}

// New servers get the lowest free ids.
void Placement::bring_up() {
  ServerId id = 0;
  for (const auto& [server, weight] : sorted_) {
    if (weight == 0) continue;
    if (const ServerId known = find(server); known != kUnowned) {
      set(known, server, weight);
      continue;
    }
    while (id < weights_.size() && weights_[id] > 0) ++id;
    set(id, server, weight);
    ids_.emplace(server, id);
    ++live_;
  }
}

// No free ids at the end, so that a state has one form, whatever led to it.
void Placement::trim() {
  while (weights_.back() == 0) resize(weights_.size() - 1);
}

void Placement::resize(std::size_t servers) {
  servers_.resize(servers);
  weights_.resize(servers);
  loads_.resize(servers);
  aims_.resize(servers);
  owned_.make_room(static_cast<std::uint32_t>(servers));
}

void Placement::set(ServerId id, Ipv4 server, std::uint32_t weight) {
  if (id >= servers_.size()) resize(id + 1U);
  total_weight_ += weight;
  total_weight_ -= weights_[id];
  --weighing_[weights_[id]];
  ++weighing_[weight];
  servers_[id] = server;
  weights_[id] = weight;
}

// Within its share each server keeps what it has; then the aims are brought to the sum of the objects, from a server on
// that differs from revision to revision.
std::uint32_t Placement::aim(std::uint64_t revision) {
  const Shares shares = this->shares();
  const std::uint32_t minimum = clamp_to(shares);
  std::int64_t missing = objects_;
  for (const std::uint32_t aim : aims_) missing -= aim;
  for (std::size_t i = mix(revision, 0) % aims_.size(); missing != 0; i = i + 1 == aims_.size() ? 0 : i + 1) {
    const Share& share = shares[weights_[i]];
    if (missing > 0 && aims_[i] < share.high) {
      ++aims_[i];
      --missing;
    } else if (missing < 0 && aims_[i] > share.low) {
      --aims_[i];
      ++missing;
    }
  }
  return minimum;
}

Placement::Shares Placement::shares() const {
  Shares shares{};
  for (std::uint32_t weight = 1; weight <= kMostWeight; ++weight) {
    if (weighing_[weight] == 0) continue;
    const std::uint64_t exact = std::uint64_t{objects_} * weight;
    shares[weight].low = static_cast<std::uint32_t>(exact / total_weight_);
    shares[weight].high = static_cast<std::uint32_t>((exact + total_weight_ - 1) / total_weight_);
  }
  return shares;
}

std::uint32_t Placement::clamp_to(const Shares& shares) {
  std::uint32_t wanted = 0;                                 // by those below the floor of their share
  auto surplus = static_cast<std::uint32_t>(pool_.size());  // of those above its ceiling, and of the dead
  for (std::size_t id = 0; id < weights_.size(); ++id) {
    const auto [low, high] = shares[weights_[id]];
    const std::uint32_t load = loads_[id];
    const std::uint32_t aim = std::max(low, std::min(load, high));
    aims_[id] = aim;
    wanted += aim - std::min(aim, load);
    surplus += load - std::min(aim, load);
  }
  return std::max(wanted, surplus);
}

// Takes from those above their aim, and lists those below it.
void Placement::collect(std::uint64_t revision) {
  changed_.resize(aims_.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < aims_.size(); ++i) {  // no branch: who changes cannot be guessed
    changed_[count] = static_cast<ServerId>(i);
    count += loads_[i] != aims_[i] ? 1 : 0;
  }
  receivers_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const ServerId id = changed_[i];
    if (loads_[id] < aims_[id]) {
      receivers_.push_back({id, aims_[id] - loads_[id]});
    } else {
      owned_.take(id, loads_[id] - aims_[id], mix(revision, servers_[id]),
                  [&, from = servers_[id]](std::uint32_t object) { pool_.push_back({object, from}); });
    }
    loads_[id] = aims_[id];
  }
}

// Objects are dealt like cards, so that neighbours go to different servers.
void Placement::deal(std::vector<Move>& moves) {
  moves.reserve(pool_.size());
  std::size_t turn = 0;
  for (const auto& [object, from] : pool_) {
    if (turn >= receivers_.size()) turn = 0;
    auto& [id, needs] = receivers_[turn];
    owned_.insert(id, object);
    owners_[object] = id;
    moves.push_back({object, from, servers_[id]});
    if (--needs > 0) {
      ++turn;
    } else {
      receivers_[turn] = receivers_.back();
      receivers_.pop_back();
    }
  }
}

}  // namespace lbsuite
