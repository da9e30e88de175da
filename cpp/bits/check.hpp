#pragma once
#include <stdexcept>
#include <string>

namespace lbsuite {

// Refuses bad input: throws std::invalid_argument with the words, which have the bad value in them.
inline void check(bool fine, const std::string& why) {
  if (!fine) throw std::invalid_argument(why);
}

}  // namespace lbsuite
