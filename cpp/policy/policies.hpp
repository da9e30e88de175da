#pragma once
// THE LIST of policies: a new one is its own file and one line here.

#include <string>
#include <string_view>
#include <vector>

#include "bits/spec.hpp"
#include "policy/affinity_x_load.hpp"
#include "policy/c3.hpp"
#include "policy/hashed.hpp"
#include "policy/join_idle_queue.hpp"
#include "policy/least_load.hpp"
#include "policy/lsq.hpp"
#include "policy/peak_ewma.hpp"
#include "policy/pick_first.hpp"
#include "policy/pid_weights.hpp"
#include "policy/prequal.hpp"
#include "policy/random.hpp"
#include "policy/round_robin.hpp"
#include "policy/smooth_weighted.hpp"
#include "policy/tidal.hpp"
#include "policy/two_choices.hpp"
#include "policy/weighted_round_robin.hpp"

namespace lbsuite {

using Policies = SpecList<PickFirst, RoundRobin, Random, LeastLoad, TwoChoices, WeightedRoundRobin, SmoothWeighted,
                          PeakEwma, Prequal, JoinIdleQueue, C3, Lsq, Tidal, PidWeights, Hashed, AffinityXLoad>;
using AnySettings = Policies::AnySettings;

std::vector<std::string> policy_names();

// Reads "name" or "name:key=value,..."; throws std::invalid_argument with the bad part.
AnySettings parse_policy(std::string_view spec);

// The spec that `parse_policy` reads; every field is written out.
std::string policy_spec(const AnySettings& settings);

}  // namespace lbsuite
