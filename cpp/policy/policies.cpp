#include "policy/policies.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace lbsuite {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument(why); }

// "key=value,key=value" into the fields of one policy's settings.
template <class Settings>
void read_fields(std::string_view policy, std::string_view rest, Settings& settings) {
  std::vector<std::string_view> told;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    if (equals == std::string_view::npos) refuse("not key=value: '" + std::string(pair) + "'");
    if (std::find(told.begin(), told.end(), key) != told.end()) refuse("told twice: '" + std::string(key) + "'");
    told.push_back(key);
    bool known = false;
    settings.fields([&](std::string_view name, auto& value) {
      if (name != key) return;
      value.read(name, pair.substr(equals + 1));
      known = true;
    });
    if (!known) refuse("policy " + std::string(policy) + " has no setting '" + std::string(key) + "'");
  }
}

}  // namespace

std::vector<std::string> policy_names() {
  std::vector<std::string> names;
  Policies::each([&]<class P>() { names.emplace_back(P::name); });
  return names;
}

AnySettings parse_policy(std::string_view spec) {
  const std::string_view name = spec.substr(0, spec.find(':'));
  std::optional<AnySettings> found;
  Policies::each([&]<class P>() {
    if (P::name != name) return;
    typename P::Settings settings;
    if (name.size() < spec.size()) read_fields(name, spec.substr(name.size() + 1), settings);
    found = settings;
  });
  if (found) return *found;
  if (name == "python") refuse("policy '" + std::string(spec) + "' is written in Python: it is given as an object");
  std::string names;
  for (const std::string& known : policy_names()) names += (names.empty() ? "" : ", ") + known;
  refuse("no policy '" + std::string(name) + "'; there are: " + names);
}

std::string policy_spec(const AnySettings& settings) {
  std::string spec;
  Policies::each([&]<class P>() {
    const auto* found = std::get_if<typename P::Settings>(&settings);
    if (found == nullptr) return;
    spec = P::name;
    auto copy = *found;
    copy.fields([&](std::string_view name, const auto& value) {
      spec += (spec.find(':') == std::string::npos ? ":" : ",") + std::string(name) + "=" + value.text();
    });
  });
  return spec;
}

}  // namespace lbsuite
