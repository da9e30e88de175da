#pragma once
// The objects of each server, as bits in two levels: 64 objects a word, and a word that tells 64 words with any from
// those with none, so that few objects among many are found without a search. Ascending; not safe to share.

#include <bit>
#include <cstdint>
#include <vector>

namespace lbsuite {

class ObjectSets {
 public:
  explicit ObjectSets(std::uint32_t objects)
      : words_((objects + 63) / 64), guides_((words_ + 63) / 64), row_(words_ + guides_) {}

  void make_room(std::uint32_t servers) {
    if (bits_.size() < std::size_t{servers} * row_) bits_.resize(std::size_t{servers} * row_);
  }

  void insert(std::uint32_t server, std::uint32_t object) {
    std::uint64_t* const row = of(server);
    const std::uint32_t word = object / 64;
    row[guides_ + word] |= bit(object);
    row[word / 64] |= bit(word);
  }

  // Calls use(object) for each of a server's objects, ascending.
  template <class Use>
  void each(std::uint32_t server, Use&& use) const {
    const std::uint64_t* const words = of(server) + guides_;
    for (std::uint32_t i = 0; i < words_; ++i) {
      for (std::uint64_t word = words[i]; word != 0; word &= word - 1) use(64 * i + lowest(word));
    }
  }

  // Removes `count` of a server's objects, those from a word on and then around, and calls use(object) for each. There
  // must be as many.
  template <class Use>
  void take(std::uint32_t server, std::uint32_t count, std::uint64_t from, Use&& use) {
    std::uint64_t* const row = of(server);
    auto word = static_cast<std::uint32_t>(from % words_);
    while (count > 0) {
      word = next(row, word);
      std::uint64_t& bits = row[guides_ + word];
      do {
        use(64 * word + lowest(bits));
        bits &= bits - 1;
      } while (--count > 0 && bits != 0);
      row[word / 64] &= ~(std::uint64_t{bits == 0} << word % 64);
    }
  }

 private:
  static std::uint64_t bit(std::uint32_t number) { return std::uint64_t{1} << number % 64; }
  static std::uint32_t lowest(std::uint64_t word) { return static_cast<std::uint32_t>(std::countr_zero(word)); }

  std::uint64_t* of(std::uint32_t server) { return bits_.data() + std::size_t{server} * row_; }
  const std::uint64_t* of(std::uint32_t server) const { return bits_.data() + std::size_t{server} * row_; }

  // The first word with any objects, from `word` on and then around; there must be one.
  std::uint32_t next(const std::uint64_t* guides, std::uint32_t word) const {
    if (guides_ == 1) return (word + lowest(std::rotr(guides[0], static_cast<int>(word)))) % 64;  // no branch to guess
    std::uint32_t at = word / 64;
    std::uint64_t left = guides[at] & ~std::uint64_t{0} << word % 64;
    while (left == 0) {
      at = at + 1 == guides_ ? 0 : at + 1;
      left = guides[at];
    }
    return 64 * at + lowest(left);
  }

  std::uint32_t words_;   // a server
  std::uint32_t guides_;  // one bit a word
  std::uint32_t row_;
  std::vector<std::uint64_t> bits_;
};

}  // namespace lbsuite
