#pragma once
// Finds an endpoint's index by its address. Cost: one hash; not safe to share: the roster's writer lock guards it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace lbsuite {

class AddressBook {
 public:
  AddressBook();
  ~AddressBook();
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  std::optional<std::uint32_t> find(std::string_view address) const;
  void insert(std::string_view address, std::uint32_t index);
  void erase(std::string_view address);

 private:
  struct Map;
  std::unique_ptr<Map> map_;
};

}  // namespace lbsuite
