#pragma once
// A spec is a choice from a list as text, "name" or "name:key=value,...": policies and stages are told so.
// What is listed has a `name` and a struct of `Settings`, whose `fields` are values of bits/fields.hpp; `check_whole`,
// where there is one, throws for fields that do not go together. Reading throws std::invalid_argument with the bad part.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bits/check.hpp"

namespace lbsuite {

template <class... Listed>
struct SpecList {
  using AnySettings = std::variant<typename Listed::Settings...>;

  // Calls visit.operator()<Listed>() for each, in order.
  template <class Visitor>
  static void each(Visitor&& visit) {
    (visit.template operator()<Listed>(), ...);
  }

  static std::vector<std::string> names() { return {std::string(Listed::name)...}; }
};

// "key=value,key=value" into the fields of one's settings; what: "policy x".
template <class Settings>
void read_fields(const std::string& what, std::string_view rest, Settings& settings) {
  std::vector<std::string_view> told;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    check(equals != std::string_view::npos, [&] { return "not key=value: '" + std::string(pair) + "'"; });
    check(std::find(told.begin(), told.end(), key) == told.end(),
          [&] { return "told twice: '" + std::string(key) + "'"; });
    told.push_back(key);
    bool known = false;
    settings.fields([&](std::string_view name, auto& value) {
      if (name != key) return;
      value.read(name, pair.substr(equals + 1));
      known = true;
    });
    check(known, [&] { return what + " has no setting '" + std::string(key) + "'"; });
  }
}

// kind: what the list is of, for messages.
template <class List>
typename List::AnySettings read_spec(const std::string& kind, std::string_view spec) {
  const std::string_view name = spec.substr(0, spec.find(':'));
  std::optional<typename List::AnySettings> found;
  List::each([&]<class Listed>() {
    if (Listed::name != name) return;
    typename Listed::Settings settings;
    if (name.size() < spec.size()) read_fields(kind + " " + std::string(name), spec.substr(name.size() + 1), settings);
    if constexpr (requires { settings.check_whole(); }) settings.check_whole();
    found = settings;
  });
  check(found.has_value(), [&] {
    std::string names;
    for (const std::string& known : List::names()) names += (names.empty() ? "" : ", ") + known;
    return "no " + kind + " '" + std::string(name) + "'; there are: " + names;
  });
  return *found;
}

// The spec that is read back so; every field is written out.
template <class List>
std::string write_spec(const typename List::AnySettings& settings) {
  std::string spec;
  List::each([&]<class Listed>() {
    const auto* found = std::get_if<typename Listed::Settings>(&settings);
    if (found == nullptr) return;
    spec = Listed::name;
    auto copy = *found;
    copy.fields([&](std::string_view name, const auto& value) {
      spec += (spec.find(':') == std::string::npos ? ":" : ",") + std::string(name) + "=" + value.text();
    });
  });
  return spec;
}

}  // namespace lbsuite
