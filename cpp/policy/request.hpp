#pragma once
// What a caller asks for, whole: every host passes all of it and the log keeps all of it, whatever a policy reads.

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace lbsuite {

// Why a request has no endpoint.
enum class NotReady : std::uint8_t {
  none,         // nobody is there that serves
  all_full,     // who serves has no slot left
  shed,         // there is room for more important ones only
  over_budget,  // a retry beyond what retries may cost
};
inline constexpr std::array<std::string_view, 4> kNotReady = {"none", "all_full", "shed", "over_budget"};

struct Request {
  std::uint32_t policy = 0;                                   // an engine's number for a policy; 0: the engine's own
  std::string_view key = {};                                  // for policies that go by a key
  std::uint32_t cost = 1;                                     // work, in the caller's unit
  std::span<const std::string_view> exclude = {};             // addresses that shall not be picked
  double deadline = std::numeric_limits<double>::infinity();  // on the engine's clock
  std::uint32_t priority = 0;                                 // 0 goes first
  std::uint32_t attempt = 0;                                  // 0: the first; beyond, a retry
};

}  // namespace lbsuite
