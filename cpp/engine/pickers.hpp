#pragma once
// The policies of one engine: what lanes share of each, and each lane's own objects.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bits/hash.hpp"
#include "bits/rng.hpp"
#include "engine/candidates.hpp"
#include "policy/policies.hpp"

namespace lbsuite {

// One policy in one lane, behind the one virtual call a pick makes.
template <class Model>
class Picker {
 public:
  virtual ~Picker() = default;
  virtual std::uint32_t pick(const Candidates<Model>& candidates, const Request& request) = 0;
};

// One policy in one engine: makes the objects of its lanes.
template <class Model>
class PickerSource {
 public:
  virtual ~PickerSource() = default;
  virtual std::unique_ptr<Picker<Model>> lane(std::uint32_t number, std::uint64_t seed) = 0;
};

template <class Model, class P>
class PolicyInLane final : public Picker<Model> {
 public:
  PolicyInLane(const typename P::Settings& settings, typename P::Shared& shared, std::uint64_t seed)
      : policy_(settings, shared), rng_(seed) {}
  std::uint32_t pick(const Candidates<Model>& candidates, const Request& request) override {
    return policy_.pick(candidates, request, rng_);
  }

 private:
  P policy_;
  Rng rng_;
};

template <class Model, class P>
class PolicySource final : public PickerSource<Model> {
 public:
  explicit PolicySource(typename P::Settings settings) : settings_(std::move(settings)) {}
  // Each policy of each lane has a stream of random numbers of its own.
  std::unique_ptr<Picker<Model>> lane(std::uint32_t number, std::uint64_t seed) override {
    const std::uint64_t stream = Xxh64::hash(policy_spec(settings_), seed) + number;
    return std::make_unique<PolicyInLane<Model, P>>(settings_, shared_, stream);
  }

 private:
  const typename P::Settings settings_;
  typename P::Shared shared_;
};

template <class Model>
std::unique_ptr<PickerSource<Model>> picker_source(const AnySettings& settings) {
  std::unique_ptr<PickerSource<Model>> source;
  Policies::each([&]<class P>() {
    if (const auto* own = std::get_if<typename P::Settings>(&settings)) {
      source = std::make_unique<PolicySource<Model, P>>(*own);
    }
  });
  return source;
}

}  // namespace lbsuite
