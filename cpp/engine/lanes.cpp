#include "engine/lanes.hpp"

#include <algorithm>

#include "bits/check.hpp"

namespace lbsuite {
namespace {

std::string no_room(std::string_view spec) {
  return "an engine holds " + std::to_string(kMostPolicies - 1) + " policies; no room for " + std::string(spec);
}

}  // namespace

template <class Model>
Lanes<Model>::~Lanes() {
  for (auto& open : lanes_) delete open.load();
}

template <class Model>
Picker<Model>& Lanes<Model>::first_picker(Lane<Model>& lane, std::uint32_t policy, bool writing) {
  std::unique_lock lock(writing_, std::defer_lock);
  if (!writing) lock.lock();
  return open_picker(lane, policy);
}

// A policy that comes late to a lane hears what is known already.
template <class Model>
Picker<Model>& Lanes<Model>::open_picker(Lane<Model>& lane, std::uint32_t policy) {
  check_known(policy);
  auto opened = sources_[policy]->lane(policy, lane.number, seed_, probes_);
  opened->room(members_.roster().places());
  for (const auto& endpoint : members_.roster().in_order()) {
    const Place place{endpoint->index, endpoint->generation};
    if (endpoint->reported_at > -kNever) opened->reported(place, endpoint->last, endpoint->reported_at);
  }
  if (opened->listens) lane.listens.store(true, std::memory_order_release);
  Picker<Model>& picker = *opened;
  lane.pickers[policy].store(opened.release(), std::memory_order_release);
  return picker;
}

template <class Model>
std::uint32_t Lanes<Model>::open() {
  check(open_ < kMostLanes, "an engine has " + std::to_string(kMostLanes) + " lanes");
  auto opened = std::make_unique<Lane<Model>>();
  opened->number = open_;
  lanes_[open_].store(opened.release(), std::memory_order_release);
  return open_++;
}

template <class Model>
std::uint32_t Lanes<Model>::find(std::string_view spec) const {
  const auto known = std::find(specs_.begin() + 1, specs_.end(), spec);
  return spec.empty() || known == specs_.end() ? 0 : static_cast<std::uint32_t>(known - specs_.begin());
}

template <class Model>
void Lanes<Model>::check_known(std::uint32_t policy) const {
  check(policy > 0 && policy < specs_.size(), "no policy with number " + std::to_string(policy));
}

template <class Model>
std::uint32_t Lanes<Model>::add(std::string_view spec, std::unique_ptr<PickerSource<Model>>&& source) {
  if (const std::uint32_t known = find(spec)) return known;
  const Needs needs = source->needs();
  const std::string name(needs.python ? spec : spec.substr(0, spec.find(':')));
  check(members_.roster().shows_fixed_views() || source->any_roster(),
        "roster " + std::string(members_.roster().name()) + " serves round_robin only, not " + name);
  check(!needs.python || gives_.python, "policy " + name + " is written in Python, which this host does not run");
  check(!needs.outcomes || gives_.outcomes,
        "policy " + name + " needs outcomes (how long each task took), which this host does not give");
  check(!needs.probes || gives_.probes, "policy " + name + " needs probes, which this host does not send");
  check(specs_.size() + (levels_ ? 1 : 0) < kMostPolicies, [&] { return no_room(spec); });
  const std::uint32_t number = hold(spec, std::move(source));
  if (levels_) {
    is_beyond_[number + 1] = true;
    beyonds_[number].store(hold("", sources_[number]->twin()), std::memory_order_release);
  }
  return number;
}

template <class Model>
std::uint32_t Lanes<Model>::hold(std::string_view spec, std::unique_ptr<PickerSource<Model>> source) {
  const auto number = static_cast<std::uint32_t>(specs_.size());
  check(number < kMostPolicies, [&] { return no_room(spec); });
  specs_.emplace_back(spec);
  sources_.push_back(std::move(source));
  if (sources_.back()->plans()) members_.roster().publish();
  return number;
}

template <class Model>
void Lanes<Model>::switch_to(std::uint32_t policy) {
  check_known(policy);
  own_.store(policy, std::memory_order_release);
}

template <class Model>
void Lanes<Model>::shadow(std::uint32_t policy) {
  std::uint32_t shadow = 0;
  if (policy != 0) {
    check_known(policy);
    // One of its own: asked with the policy's objects, it would change what those pick who name that policy.
    if (twins_[policy] == 0) twins_[policy] = hold("", sources_[policy]->twin());
    shadow = twins_[policy];
  }
  shadow_.store(shadow, std::memory_order_release);
}

template <class Model>
void Lanes<Model>::plan(View<Model>& view, const Candidates<Model>& candidates) const {
  view.plans.resize(sources_.size());
  for (std::size_t policy = 1; policy < sources_.size(); ++policy) {
    if (is_beyond_[policy] == (view.level > 0)) view.plans[policy] = sources_[policy]->plan(candidates);
  }
}

template <class Model>
bool Lanes<Model>::asked() const {
  for (std::uint32_t number = 0; number < open_; ++number) {
    const Lane<Model>& lane = *lanes_[number].load();
    for (const auto& picker : lane.pickers) {
      if (picker.load() != nullptr) return true;
    }
  }
  return false;
}

template <class Model>
Explanation Lanes<Model>::told(const Request& request, double now) const {
  const std::uint32_t policy = request.policy == 0 ? own_.load(std::memory_order_relaxed) : request.policy;
  Explanation told;
  told.policy = specs_[policy];
  told.goes_by = sources_[policy]->goes_by();
  told.now = now;
  told.key = request.key;
  told.cost = request.cost;
  told.priority = request.priority;
  told.attempt = request.attempt;
  return told;
}

template <class Model>
std::uint64_t Lanes<Model>::picks() const {
  std::uint64_t picks = 0;
  for (std::uint32_t number = 0; number < open_; ++number) picks += lanes_[number].load()->picks.get();
  return picks;
}

template class Lanes<Shared>;
template class Lanes<Plain>;

}  // namespace lbsuite
