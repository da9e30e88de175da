#include "policy/policies.hpp"

#include "bits/check.hpp"

namespace lbsuite {

std::vector<std::string> policy_names() { return Policies::names(); }

AnySettings parse_policy(std::string_view spec) {
  check(spec.substr(0, spec.find(':')) != "python",
        [&] { return "policy '" + std::string(spec) + "' is written in Python: it is given as an object"; });
  return read_spec<Policies>("policy", spec);
}

std::string policy_spec(const AnySettings& settings) { return write_spec<Policies>(settings); }

}  // namespace lbsuite
