#include "placer/routers.hpp"

#include <optional>
#include <stdexcept>
#include <type_traits>

namespace lbsuite::routers {
namespace {

template <class K>
constexpr bool kRoomy = std::is_constructible_v<K, const Members&, std::uint32_t>;

// Calls visit.operator()<K>() for each kind, in order.
template <class Visit, class... K>
void each(Visit&& visit, std::type_identity<std::variant<K...>>) {
  (visit.template operator()<K>(), ...);
}
template <class Visit>
void each(Visit&& visit) {
  each(visit, std::type_identity<AnyKind>());
}

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> names;
  each([&]<class K>() { names.emplace_back(K::name); });
  return names;
}

Traits traits(std::string_view name) {
  std::optional<Traits> found;
  each([&]<class K>() {
    if (K::name == name) found = {K::name, K::weighted, K::sorted, K::logged, kRoomy<K>};
  });
  if (found) return *found;
  std::string known;
  for (const std::string& each : names()) known += (known.empty() ? "" : ", ") + each;
  throw std::invalid_argument("no kind of router '" + std::string(name) + "'; there are: " + known);
}

AnyKind make(std::string_view name, const Members& members, std::uint32_t capacity) {
  std::optional<AnyKind> made;
  each([&]<class K>() {
    if (K::name != name) return;
    if constexpr (kRoomy<K>)
      made.emplace(std::in_place_type<K>, members, capacity);
    else
      made.emplace(std::in_place_type<K>, members);
  });
  return std::move(made).value();
}

}  // namespace lbsuite::routers
