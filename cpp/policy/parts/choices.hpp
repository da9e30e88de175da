#pragma once
// How many endpoints a policy compares: all, a number, or auto (the engine's judgement by how old reports are).

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "policy/parts/sample.hpp"

namespace lbsuite {

class Choices {
 public:
  static constexpr std::uint32_t kAll = 0;

  // Reads "all", "auto" or a number in 1..Sample::kMost; throws std::invalid_argument otherwise.
  void read(std::string_view name, std::string_view text) {
    std::uint32_t count = kAll;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const bool number =
        error == std::errc() && end == text.data() + text.size() && count >= 1 && count <= Sample::kMost;
    if (!number && text != "auto" && text != "all") {
      throw std::invalid_argument(std::string(name) + " is all, auto or 1.." + std::to_string(Sample::kMost) +
                                  ", not '" + std::string(text) + "'");
    }
    auto_ = text == "auto";
    count_ = number ? count : kAll;
  }
  std::string text() const { return auto_ ? "auto" : count_ == kAll ? "all" : std::to_string(count_); }

  // kAll, or how many; `judged` is what auto comes to now.
  std::uint32_t count(std::uint32_t judged) const { return auto_ ? judged : count_; }

 private:
  bool auto_ = true;
  std::uint32_t count_ = kAll;
};

}  // namespace lbsuite
