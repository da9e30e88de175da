#pragma once
#include <string_view>

#include "net/http1/head.hpp"
#include "net/http1/settings.hpp"

namespace lbsuite::net::http1 {

// What of a request a policy that goes by a key gets; empty where the request has none.
std::string_view key_of(const Head& head, const ProxySettings& settings);

}  // namespace lbsuite::net::http1
