// A placement as bytes, for those who join later: the log's tail is applied to what is read here.

#include <cstring>
#include <stdexcept>

#include "bits/hash.hpp"
#include "placer/placement.hpp"

namespace lbsuite {
namespace {

constexpr std::string_view kMagic = "lbsplac1";

template <class Number>
void put(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) bytes += static_cast<char>(number >> 8 * i & 255);
}

// Reads what `put` wrote; throws std::invalid_argument at the end of the bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number get() {
    if (rest_.size() < sizeof(Number)) throw std::invalid_argument("a snapshot that ends too soon");
    Number number = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;) {
      number = static_cast<Number>(number << 8 | static_cast<unsigned char>(rest_[i]));
    }
    rest_.remove_prefix(sizeof(Number));
    return number;
  }

 private:
  std::string_view rest_;
};

void damaged(bool is, const char* how) {
  if (is) throw std::invalid_argument(std::string("a damaged snapshot: ") + how);
}

}  // namespace

// magic, revision, objects, max_servers, number of servers, (id, address, weight) each, owners, digest
std::string Placement::snapshot() const {
  std::string bytes(kMagic);
  bytes.reserve(64 + 7 * live_ + 2 * owners_.size());
  put(bytes, revision_);
  put(bytes, objects_);
  put(bytes, max_servers_);
  put(bytes, live_);
  for (std::size_t id = 0; id < servers_.size(); ++id) {
    if (weights_[id] == 0) continue;
    put(bytes, static_cast<ServerId>(id));
    put(bytes, servers_[id]);
    put(bytes, static_cast<std::uint8_t>(weights_[id]));
  }
  for (const ServerId owner : owners_) put(bytes, owner);
  put(bytes, Xxh64::hash(bytes));
  return bytes;
}

std::uint64_t Placement::digest() const {
  const std::string bytes = snapshot();
  return Reader(std::string_view(bytes).substr(bytes.size() - 8)).get<std::uint64_t>();
}

bool Placement::balanced() const {
  const Shares shares = this->shares();
  for (std::size_t id = 0; id < weights_.size(); ++id) {
    const auto [low, high] = shares[weights_[id]];
    if (loads_[id] < low || loads_[id] > high) return false;
  }
  return true;
}

Placement Placement::restore(std::string_view bytes) {
  damaged(bytes.size() < kMagic.size() + 28 || bytes.substr(0, kMagic.size()) != kMagic, "not one of this version");
  const std::string_view body = bytes.substr(0, bytes.size() - 8);
  damaged(Reader(bytes.substr(body.size())).get<std::uint64_t>() != Xxh64::hash(body), "its digest differs");
  Reader reader(body.substr(kMagic.size()));
  const auto revision = reader.get<std::uint64_t>();
  const auto objects = reader.get<std::uint32_t>();
  Placement placement(objects, reader.get<std::uint32_t>());
  placement.revision_ = revision;
  for (auto servers = reader.get<std::uint32_t>(); servers > 0; --servers) {
    const auto id = reader.get<ServerId>();
    const auto server = reader.get<Ipv4>();
    const std::uint32_t weight = reader.get<std::uint8_t>();
    damaged(id >= kMostServers || id < placement.servers_.size(), "ids out of order");
    damaged(weight < 1 || weight > kMostWeight, "a weight");
    damaged(server == kNoServer || !placement.ids_.emplace(server, id).second, "a server");
    placement.set(id, server, weight);
    ++placement.live_;
  }
  for (std::uint32_t object = 0; object < objects && placement.live_ > 0; ++object) {
    const auto id = reader.get<ServerId>();
    damaged(id >= placement.servers_.size() || placement.weights_[id] == 0, "an owner that is not up");
    placement.owners_[object] = id;
    placement.owned_.insert(id, object);
    ++placement.loads_[id];
  }
  damaged(placement.live_ > placement.max_servers_, "more servers than max_servers");
  damaged(!placement.balanced(), "not in balance");
  damaged(placement.snapshot() != bytes, "another spelling of its state");
  return placement;
}

}  // namespace lbsuite
