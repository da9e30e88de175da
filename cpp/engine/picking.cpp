#include "engine/picking.hpp"

#include "absl/container/inlined_vector.h"

namespace lbsuite {
namespace {

using Excluded = absl::InlinedVector<std::uint32_t, 8>;

}  // namespace

template <class Model>
Answer Picking<Model>::pick(const Choosers<Model>& choosers, const Request& request, double now, Lane<Model>& lane) {
  if (members_.stages().admits()) [[unlikely]] {
    if (const auto refused = members_.stages().admit(request, clock(now))) return *refused;
  }
  return members_.roster().visit(
      lane.reader, [this, choosers, now, &request, &lane](const View<Model>& view) -> Answer {
        Excluded excluded;
        find_excluded(view, request, excluded);
        const Candidates<Model> candidates = candidates_of(view, excluded, now);
        const std::uint32_t other =
            choosers.shadow == nullptr ? kNobody : choosers.shadow->pick_beside(candidates, request);
        // Another thread may take the last slot between the policy's look and ours: then it looks again.
        std::uint32_t chosen = choosers.own.pick(candidates, request);
        compare(choosers, chosen, other);
        for (std::uint32_t tries = 0; chosen != kNobody && !take(candidates[chosen], request, candidates.now());
             ++tries) {
          chosen = tries < candidates.size() ? choosers.own.pick(candidates, request) : kNobody;
        }
        if (chosen == kNobody) return why_nobody(view);
        const Endpoint<Model>& endpoint = candidates[chosen];
        const std::uint64_t sequence = (static_cast<std::uint64_t>(lane.number) << 48) | ++lane.picks;
        return Pick{endpoint.index, endpoint.generation, sequence, request.cost};
      });
}

template <class Model>
std::uint32_t Picking<Model>::choose(const View<Model>& view, Choosers<Model> choosers, const Request& request,
                                     double now) {
  Excluded excluded;
  find_excluded(view, request, excluded);
  const Candidates<Model> candidates = candidates_of(view, excluded, now);
  const std::uint32_t chosen = choosers.own.pick(candidates, request);
  if (choosers.shadow != nullptr) compare(choosers, chosen, choosers.shadow->pick_beside(candidates, request));
  return chosen;
}

template <class Model>
bool Picking<Model>::take(Endpoint<Model>& endpoint, const Request& request, double now) {
  const bool taken = endpoint.load.take(now, request.cost);
  members_.roster().touches().add(endpoint.index);
  return taken;
}

template <class Model>
void Picking<Model>::compare(const Choosers<Model>& choosers, std::uint32_t chosen, std::uint32_t other) {
  if (choosers.shadow == nullptr) [[likely]]
    return;
  shadow_asked_.add(1);
  if (chosen != other) shadow_differing_.add(1);
}

template class Picking<Shared>;
template class Picking<Plain>;

}  // namespace lbsuite
