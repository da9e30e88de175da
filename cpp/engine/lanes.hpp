#pragma once
// The policies of one engine and the lanes they pick in: which policy is the engine's own, which one shadows it, and
// each lane's objects, made when first asked for. Any thread asks for choosers and tells of endings; everything else is
// under the engine's writer lock, which is taken here only to make a lane's object.

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership.hpp"
#include "engine/pickers.hpp"
#include "engine/probes.hpp"

namespace lbsuite {

inline constexpr std::uint32_t kMostLanes = 256;
inline constexpr std::uint32_t kMostPolicies = 64;

template <class Model>
struct alignas(64) Lane {  // a line of the cache serves one lane, and so does a picker's
  ~Lane() {
    for (auto& picker : pickers) delete picker.load();
  }
  std::uint32_t number = 0;
  typename Model::template Cell<std::uint64_t> picks{0};
  std::uint64_t turns = 0;  // taken where levels share picks
  std::uint64_t asked = 0;  // for a pick, while picks are sampled
  const Epochs::Reader reader;
  std::atomic<bool> listens{false};
  std::array<std::atomic<Picker<Model>*>, kMostPolicies> pickers{};
};

// Who answers a request in a lane.
template <class Model>
struct Choosers {
  Picker<Model>& own;
  Picker<Model>* shadow;
  Picker<Model>* beyond;  // the same policy as the own one, for the levels beyond the first, if there may be such
};

template <class Model>
class Lanes {
 public:
  Lanes(std::mutex& writing, Membership<Model>& members, std::uint64_t seed, Needs gives)
      : writing_(writing), members_(members), seed_(seed), gives_(gives), levels_(members.stages().levels()) {}
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Throws std::invalid_argument if there is none with this number.
  Lane<Model>& lane(std::uint32_t number) const;
  // policy: 0 for the engine's own. writing: the caller holds the writer lock.
  [[gnu::always_inline]] Choosers<Model> choosers(Lane<Model>& lane, std::uint32_t policy, bool writing);
  // Tells each policy of a lane that listens.
  template <class Tell>
  static void each_listener(const Lane<Model>& lane, Tell&& tell);

  // Writer only, from here on.
  std::uint32_t open();
  std::uint32_t find(std::string_view spec) const;  // 0: none
  // A source that is not taken up stays the caller's: what it holds may want a lock that goes before the writer's.
  std::uint32_t add(std::string_view spec, std::unique_ptr<PickerSource<Model>>&& source);
  void switch_to(std::uint32_t policy);
  void shadow(std::uint32_t policy);
  const std::string& spec(std::uint32_t policy) const { return specs_[policy]; }
  const std::string& own_spec() const { return specs_[own_.load(std::memory_order_relaxed)]; }
  // What can be told of a request before anyone is asked.
  Explanation told(const Request& request, double now) const;
  std::uint64_t picks() const;  // counted, of all lanes
  bool asked() const;           // for any pick, ever
  void plan(View<Model>& view, const Candidates<Model>& candidates) const;
  template <class Tell>
  void each_listener(Tell&& tell) const;
  std::vector<Place> wanted_probes() { return probes_.take(); }

 private:
  std::uint32_t hold(std::string_view spec, std::unique_ptr<PickerSource<Model>> source);
  Picker<Model>& picker(Lane<Model>& lane, std::uint32_t policy, bool writing);
  Picker<Model>* beyond(Lane<Model>& lane, std::uint32_t policy, bool writing);
  Picker<Model>& first_picker(Lane<Model>& lane, std::uint32_t policy, bool writing);
  Picker<Model>& open_picker(Lane<Model>& lane, std::uint32_t policy);
  void check_known(std::uint32_t policy) const;

  std::mutex& writing_;
  Membership<Model>& members_;
  const std::uint64_t seed_;
  const Needs gives_;
  const bool levels_;
  std::vector<std::string> specs_ = {""};  // by a policy's number; 0 stands for the engine's own, shadows have none
  std::array<std::atomic<std::uint32_t>, kMostPolicies> twins_{};  // the number of each policy's shadow
  // The number of the twin that picks in a policy's stead beyond the first level: it would lose its place there.
  std::array<std::atomic<std::uint32_t>, kMostPolicies> beyonds_{};
  std::array<bool, kMostPolicies> is_beyond_{};
  std::vector<std::unique_ptr<PickerSource<Model>>> sources_{1};
  std::atomic<std::uint32_t> own_{0};
  std::atomic<std::uint32_t> shadow_{0};
  std::array<std::atomic<Lane<Model>*>, kMostLanes> lanes_{};
  std::uint32_t open_ = 0;
  Probes probes_;
};

template <class Model>
inline Lane<Model>& Lanes<Model>::lane(std::uint32_t number) const {
  Lane<Model>* const open = number < kMostLanes ? lanes_[number].load(std::memory_order_acquire) : nullptr;
  if (open == nullptr) [[unlikely]]
    throw std::invalid_argument("no lane " + std::to_string(number));
  return *open;
}

template <class Model>
inline Choosers<Model> Lanes<Model>::choosers(Lane<Model>& lane, std::uint32_t policy, bool writing) {
  if (policy != 0) return {picker(lane, policy, writing), nullptr, beyond(lane, policy, writing)};
  const std::uint32_t own = own_.load(std::memory_order_acquire);
  const std::uint32_t shadow = shadow_.load(std::memory_order_acquire);
  // The own policy is not its own shadow: it could differ by its lots alone.
  const bool asked = shadow != 0 && shadow != twins_[own].load(std::memory_order_relaxed);
  return {picker(lane, own, writing), asked ? &picker(lane, shadow, writing) : nullptr, beyond(lane, own, writing)};
}

template <class Model>
inline Picker<Model>* Lanes<Model>::beyond(Lane<Model>& lane, std::uint32_t policy, bool writing) {
  if (!levels_ || policy >= kMostPolicies) [[likely]]
    return nullptr;
  return &picker(lane, beyonds_[policy].load(std::memory_order_acquire), writing);
}

template <class Model>
inline Picker<Model>& Lanes<Model>::picker(Lane<Model>& lane, std::uint32_t policy, bool writing) {
  Picker<Model>* open = nullptr;
  if (policy < kMostPolicies) open = lane.pickers[policy].load(std::memory_order_acquire);
  return open != nullptr ? *open : first_picker(lane, policy, writing);
}

template <class Model>
template <class Tell>
void Lanes<Model>::each_listener(const Lane<Model>& lane, Tell&& tell) {
  if (!lane.listens.load(std::memory_order_acquire)) [[likely]]
    return;
  for (auto& open : lane.pickers) {
    Picker<Model>* const picker = open.load(std::memory_order_acquire);
    if (picker != nullptr && picker->listens) tell(*picker);
  }
}

template <class Model>
template <class Tell>
void Lanes<Model>::each_listener(Tell&& tell) const {
  for (std::uint32_t number = 0; number < open_; ++number) each_listener(*lanes_[number].load(), tell);
}

extern template class Lanes<Shared>;
extern template class Lanes<Plain>;

}  // namespace lbsuite
