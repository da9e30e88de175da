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
  static constexpr Choices automatic() { return Choices(true, kAll); }

  // Reads "all", "auto" or a number in 1..Sample::kMost; throws std::invalid_argument otherwise.
  static Choices parse(std::string_view text) {
    if (text == "auto") return automatic();
    if (text == "all") return Choices(false, kAll);
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > Sample::kMost) {
      throw std::invalid_argument("choices is all, auto or 1.." + std::to_string(Sample::kMost) + ", not '" +
                                  std::string(text) + "'");
    }
    return Choices(false, count);
  }

  void read(std::string_view, std::string_view text) { *this = parse(text); }
  std::string text() const { return auto_ ? "auto" : count_ == kAll ? "all" : std::to_string(count_); }

  // kAll, or how many; `judged` is what auto comes to now.
  std::uint32_t count(std::uint32_t judged) const { return auto_ ? judged : count_; }

 private:
  constexpr Choices(bool automatic, std::uint32_t count) : auto_(automatic), count_(count) {}
  bool auto_;
  std::uint32_t count_;
};

}  // namespace lbsuite
