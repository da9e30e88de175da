#pragma once
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace lbsuite {

// Refuses bad input: throws std::invalid_argument with the words, which have the bad value in them. why: the words, or
// what makes them, which is called only then.
template <class Why>
void check(bool fine, Why&& why) {
  if (fine) return;
  if constexpr (std::is_invocable_v<Why>) {
    throw std::invalid_argument(std::forward<Why>(why)());
  } else {
    throw std::invalid_argument(std::forward<Why>(why));
  }
}

}  // namespace lbsuite
