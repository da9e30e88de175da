#pragma once
// The values that settings are made of: each knows its bounds, reads itself from text and prints itself so
// that it is read back. `read` throws std::invalid_argument with the field's name and the bad text.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lbsuite {

class Real {
 public:
  constexpr Real(double value, double least, double most) : value_(value), least_(least), most_(most) {}
  void read(std::string_view name, std::string_view text);
  std::string text() const;
  constexpr operator double() const { return value_; }

 private:
  double value_, least_, most_;
};

class Whole {
 public:
  // kind: of the numbers in least..most those for which `fits` holds.
  constexpr Whole(std::uint32_t value, std::uint32_t least, std::uint32_t most,
                  std::string_view kind = "a whole number", bool (*fits)(std::uint32_t) = nullptr)
      : value_(value), least_(least), most_(most), kind_(kind), fits_(fits) {}
  void read(std::string_view name, std::string_view text);
  std::string text() const { return std::to_string(value_); }
  constexpr operator std::uint32_t() const { return value_; }

 private:
  std::uint32_t value_, least_, most_;
  std::string_view kind_;
  bool (*fits_)(std::uint32_t);
};

// One of a few words; the first is the default. `words` must outlive it.
class OneOf {
 public:
  constexpr explicit OneOf(std::span<const std::string_view> words) : words_(words) {}
  void read(std::string_view name, std::string_view text);
  std::string text() const { return std::string(words_[chosen_]); }
  constexpr std::size_t chosen() const { return chosen_; }

 private:
  std::span<const std::string_view> words_;
  std::size_t chosen_ = 0;
};

// A short text without commas, which end it, and control characters.
class Text {
 public:
  void read(std::string_view name, std::string_view text);
  std::string text() const { return value_; }
  std::string_view value() const { return value_; }

 private:
  std::string value_;
};

}  // namespace lbsuite
