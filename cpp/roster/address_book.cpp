#include "roster/address_book.hpp"

#include <string>

#include "absl/container/flat_hash_map.h"

namespace lbsuite {

// Found by a copied std::string: Debian's absl::string_view is a type of its own and does not convert from std's.
struct AddressBook::Map {
  absl::flat_hash_map<std::string, std::uint32_t> indices;
};

AddressBook::AddressBook() : map_(std::make_unique<Map>()) {}
AddressBook::~AddressBook() = default;

std::optional<std::uint32_t> AddressBook::find(std::string_view address) const {
  const auto found = map_->indices.find(std::string(address));
  if (found == map_->indices.end()) return std::nullopt;
  return found->second;
}

void AddressBook::insert(std::string_view address, std::uint32_t index) {
  map_->indices.insert_or_assign(std::string(address), index);
}

void AddressBook::erase(std::string_view address) { map_->indices.erase(std::string(address)); }

}  // namespace lbsuite
