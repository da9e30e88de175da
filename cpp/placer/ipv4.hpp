#pragma once
// IPv4 addresses as numbers in network order of significance: 10.1.0.2 is 0x0A010002. 0.0.0.0 stands for nobody.

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lbsuite {

using Ipv4 = std::uint32_t;
inline constexpr Ipv4 kNoServer = 0;

// Throws std::invalid_argument unless `text` is four numbers of 0..255 without leading zeros, and not 0.0.0.0.
inline Ipv4 parse_ipv4(std::string_view text) {
  Ipv4 address = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool fine = true;
  for (int part = 0; part < 4 && fine; ++part) {
    std::uint8_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    fine = error == std::errc() && (*at != '0' || next == at + 1) &&
           (part == 3 ? next == end : next != end && *next == '.');
    address = address << 8 | number;
    at = fine && part < 3 ? next + 1 : next;
  }
  if (!fine || address == kNoServer) throw std::invalid_argument("not an IPv4 address: '" + std::string(text) + "'");
  return address;
}

inline std::string spell_ipv4(Ipv4 address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 255);
    if (shift > 0) text += '.';
  }
  return text;
}

}  // namespace lbsuite
