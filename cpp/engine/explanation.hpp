#pragma once
// One pick told in full, as it was while it was made: who was there, who was kept out and by what, whom the policy looked
// at, what it weighed, and whom it chose. A value of its own: it outlives the engine that told it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/request.hpp"
#include "roster/endpoint.hpp"

namespace lbsuite {

// What may keep one out that is no stage and no state.
inline constexpr std::string_view kByRequest = "request";  // which excludes it
inline constexpr std::string_view kByShare = "share";      // it has had its own
inline constexpr std::string_view kByLoss = "lost";        // its connection broke

// One endpoint, as a pick found it.
struct Considered {
  std::string address;
  State state = State::ready;
  // What kept it out: one of the above, a stage's name, or the state's; empty: nothing did.
  std::string out_by = {};
  bool looked_at = false;              // by the policy, which found it ready
  std::optional<double> weighed = {};  // the figure the policy compared or drew by, where it has one
  double score = 0;                    // what least_load would go by
  std::int32_t tasks = 0;
  std::int32_t limit = 0;  // 0: none
  double weight = 1;
  std::uint32_t level = 0;                  // those of a lower one go before
  std::optional<double> report_age_s = {};  // since its last report; none: it has never told
};

struct Explanation {
  std::string policy;          // its spec
  std::string goes_by;         // its rule, in a few words
  std::string picked;          // an address; empty: nobody
  std::string refused;         // why nobody was; empty where somebody is
  std::uint64_t sequence = 0;  // as the pick's; 0: nobody was picked, or nothing was counted
  double now = 0;
  std::uint64_t view = 0;  // counts the changes of who may be picked
  std::string key = {};
  std::uint32_t cost = 1;
  std::uint32_t priority = 0;
  std::uint32_t attempt = 0;
  std::vector<Considered> endpoints = {};  // all there are, in the roster's order

  std::size_t ready() const;
  std::size_t looked_at() const;
  // For a reader: a line that says it all, and a table of whom the policy looked at and who was kept out.
  std::string in_words() const;
};

}  // namespace lbsuite
