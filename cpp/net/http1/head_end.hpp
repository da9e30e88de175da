#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/http1/head.hpp"

namespace lbsuite::net::http1 {

struct Limits {
  std::size_t head_bytes = 65536;
  std::size_t target_bytes = 8192;
  std::size_t fields = 100;
};

// Where a head ends in bytes that come piece by piece, whatever the pieces. Each line must end with CR LF, and begin with
// no white space; one empty line may come first.
class HeadEnd {
 public:
  // bytes: all that came so far. The length of the head, 0 if more is needed.
  std::size_t find(std::string_view bytes, const Limits& limits);
  std::optional<Refusal> refused() const { return refused_; }
  void restart() { *this = {}; }

 private:
  void check_length(std::size_t end, const Limits& limits);
  bool take_line(std::string_view line, const Limits& limits);
  bool refuse(std::uint16_t status, std::string_view why) {
    refused_ = Refusal{status, why};
    return false;
  }
  std::size_t seen_ = 0;  // up to here
  std::size_t line_ = 0;  // where the line that is not yet whole begins
  std::size_t lines_ = 0;
  bool skipped_ = false;  // an empty line before the first
  std::optional<Refusal> refused_;
};

}  // namespace lbsuite::net::http1
