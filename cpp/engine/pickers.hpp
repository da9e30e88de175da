#pragma once
// The policies of one engine: what lanes share of each, and each lane's own objects. Cost: one virtual call a pick, and
// for a policy that listens an uncontended lock.

#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "bits/hash.hpp"
#include "bits/rng.hpp"
#include "engine/candidates.hpp"
#include "engine/probes.hpp"
#include "engine/witness.hpp"
#include "policy/policies.hpp"

namespace lbsuite {

// One policy in one lane, behind the one virtual call a pick makes. Only the lane's thread picks; the rest comes from
// any thread, and only to one that listens.
template <class Model>
class alignas(64) Picker {
 public:
  explicit Picker(bool hears, bool goes_by_weights = false) : listens(hears), weighs(goes_by_weights) {}
  virtual ~Picker() = default;
  virtual std::uint32_t pick(const Candidates<Model>& candidates, const Request& request) = 0;
  // The same, before a witness.
  virtual std::uint32_t pick_watched(const Witnessed<Model>& candidates, const Request& request) {
    candidates.look_at_all();  // whom it asks about is its own affair: it has been shown all that are ready
    return pick(candidates, request);
  }
  // The same for a shadow: what this throws ends here.
  virtual std::uint32_t pick_beside(const Candidates<Model>& candidates, const Request& request) {
    return pick(candidates, request);
  }
  // Fills `chosen` with the indices of endpoints for as many such requests; returns how many, fewer if nobody is ready.
  virtual std::size_t pick_many(const Candidates<Model>& candidates, const Request& request,
                                std::span<std::uint32_t> chosen) = 0;
  virtual void room(std::uint32_t) {}
  virtual void ended(const Endings&, double) {}
  virtual void reported(Place, const Report&, double) {}
  virtual void probed(const ProbeAnswer&, double) {}

  const bool listens;
  const bool weighs;  // it goes by weights itself
};

// One policy in one engine: makes the objects of its lanes, and its plan for each view.
template <class Model>
class PickerSource {
 public:
  virtual ~PickerSource() = default;
  // number: the policy's, in its engine. Wanted probes go to `probes`.
  virtual std::unique_ptr<Picker<Model>> lane(std::uint32_t number, std::uint32_t lane, std::uint64_t seed,
                                              Probes& probes) = 0;
  // The same policy once more, with objects and random numbers of its own.
  virtual std::unique_ptr<PickerSource> twin() const = 0;
  virtual bool plans() const { return false; }
  virtual std::unique_ptr<Plan> plan(const Candidates<Model>&) { return nullptr; }
  virtual Needs needs() const { return {}; }
  // Its rule, in a few words.
  virtual std::string_view goes_by() const = 0;
  // It goes by ready(i) alone, so it may pick from a roster that changes under it.
  virtual bool any_roster() const { return false; }
};

template <class P>
constexpr bool hears_room = requires(P policy) { policy.room(1U); };
template <class P>
constexpr bool hears_ended = requires(P policy) { policy.ended(Endings{}, 0.0); };
template <class P>
constexpr bool hears_reported = requires(P policy) { policy.reported(Place{}, Report{}, 0.0); };
template <class P>
constexpr bool hears_probed = requires(P policy) { policy.probed(ProbeAnswer{}, 0.0); };
template <class P>
constexpr bool listening = hears_room<P> || hears_ended<P> || hears_reported<P> || hears_probed<P>;
template <class P>
constexpr bool weighing = requires { P::weighs; };
template <class P>
constexpr bool planning = requires { typename P::Plan; };

template <class P>
struct PlanOf final : Plan {
  template <class Candidates>
  PlanOf(const typename P::Settings& settings, const Candidates& candidates) : plan(settings, candidates) {}
  const typename P::Plan plan;
};

template <class Model, class P>
class PolicyInLane final : public Picker<Model> {
 public:
  PolicyInLane(const typename P::Settings& settings, typename P::Shared& shared, std::uint32_t number,
               std::uint64_t seed, Probes& probes)
      : Picker<Model>(listening<P>, weighing<P>),
        policy_(settings, shared),
        rng_(seed),
        number_(number),
        probes_(probes) {}

  std::uint32_t pick(const Candidates<Model>& candidates, const Request& request) override {
    const auto lock = alone();
    return choose_and_probe(candidates, request);
  }
  [[gnu::cold]] std::uint32_t pick_watched(const Witnessed<Model>& candidates, const Request& request) override {
    const auto lock = alone();
    return choose_and_probe(candidates, request);
  }

  std::size_t pick_many(const Candidates<Model>& candidates, const Request& request,
                        std::span<std::uint32_t> chosen) override {
    const auto lock = alone();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const std::uint32_t candidate = choose_and_probe(candidates, request);
      if (candidate == kNobody) return i;
      chosen[i] = candidates[candidate].index;
    }
    return chosen.size();
  }

  void room(std::uint32_t places) override {
    const auto lock = alone();
    if constexpr (hears_room<P>) policy_.room(places);
  }
  void ended(const Endings& endings, double now) override {
    const auto lock = alone();
    if constexpr (hears_ended<P>) policy_.ended(endings, now);
  }
  void reported(Place place, const Report& report, double now) override {
    const auto lock = alone();
    if constexpr (hears_reported<P>) policy_.reported(place, report, now);
  }
  void probed(const ProbeAnswer& answer, double now) override {
    const auto lock = alone();
    if constexpr (hears_probed<P>) policy_.probed(answer, now);
  }

 private:
  struct NoLock {
    ~NoLock() {}  // without one of its own a compiler finds it unused
  };
  auto alone() {
    if constexpr (Model::threaded && listening<P>) {
      return std::unique_lock(busy_);
    } else {
      return NoLock{};
    }
  }

  template <class Seen>
  std::uint32_t choose_and_probe(const Seen& candidates, const Request& request) {
    const std::uint32_t chosen = choose(candidates, request);
    if constexpr (requires { policy_.probes(); }) {
      for (const std::uint32_t i : policy_.probes()) probes_.add(candidates.place(i));
    }
    return chosen;
  }

  template <class Seen>
  std::uint32_t choose(const Seen& candidates, const Request& request) {
    if constexpr (planning<P>) {
      const Plan* const plan = candidates.plan(number_);
      if (plan == nullptr) return kNobody;
      return policy_.pick(candidates, static_cast<const PlanOf<P>*>(plan)->plan, request, rng_);
    } else {
      return policy_.pick(candidates, request, rng_);
    }
  }

  std::mutex busy_;
  P policy_;
  Rng rng_;
  const std::uint32_t number_;
  Probes& probes_;
};

template <class Model, class P>
class PolicySource final : public PickerSource<Model> {
 public:
  explicit PolicySource(typename P::Settings settings) : settings_(std::move(settings)) {}

  // Each policy of each lane has a stream of random numbers of its own.
  std::unique_ptr<Picker<Model>> lane(std::uint32_t number, std::uint32_t lane, std::uint64_t seed,
                                      Probes& probes) override {
    const std::uint64_t stream = Xxh64::hash(policy_spec(settings_), seed) + lane;
    return std::make_unique<PolicyInLane<Model, P>>(settings_, shared_, number, stream, probes);
  }

  std::unique_ptr<PickerSource<Model>> twin() const override { return std::make_unique<PolicySource>(settings_); }
  bool plans() const override { return planning<P>; }
  std::unique_ptr<Plan> plan(const Candidates<Model>& candidates) override {
    if constexpr (planning<P>) return std::make_unique<PlanOf<P>>(settings_, candidates);
    return nullptr;
  }

  Needs needs() const override {
    if constexpr (requires { P::needs; }) return P::needs;
    return {};
  }

  std::string_view goes_by() const override { return P::goes_by; }
  bool any_roster() const override {
    return requires { P::any_roster; };
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
