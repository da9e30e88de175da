#include "bits/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace lbsuite {
namespace {

std::string spell(double value) {
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

[[noreturn]] void refuse(std::string_view name, const std::string& wanted, std::string_view text) {
  throw std::invalid_argument(std::string(name) + " is " + wanted + ", not '" + std::string(text) + "'");
}

// False if `text` is not a number from end to end.
template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void Real::read(std::string_view name, std::string_view text) {
  double value = 0;
  if (!parse(text, value) || !(value >= least_ && value <= most_)) {
    refuse(name, "in " + spell(least_) + ".." + spell(most_), text);
  }
  value_ = value;
}

std::string Real::text() const { return spell(value_); }

void Whole::read(std::string_view name, std::string_view text) {
  std::uint32_t value = 0;
  if (!parse(text, value) || value < least_ || value > most_ || (fits_ != nullptr && !fits_(value))) {
    refuse(name, std::string(kind_) + " in " + std::to_string(least_) + ".." + std::to_string(most_), text);
  }
  value_ = value;
}

void OneOf::read(std::string_view name, std::string_view text) {
  const auto found = std::find(words_.begin(), words_.end(), text);
  if (found == words_.end()) {
    std::string wanted;
    for (const std::string_view word : words_) wanted += (wanted.empty() ? "" : " or ") + std::string(word);
    refuse(name, wanted, text);
  }
  chosen_ = static_cast<std::size_t>(found - words_.begin());
}

void Text::read(std::string_view name, std::string_view text) {
  constexpr std::size_t kMost = 255;
  const auto control = [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == '\x7f'; };
  if (text.size() > kMost) refuse(name, "at most 255 bytes", std::to_string(text.size()) + " bytes");
  if (std::any_of(text.begin(), text.end(), control)) refuse(name, "printable", text);
  value_ = text;
}

}  // namespace lbsuite
