#include "net/http1/request_key.hpp"

#include <algorithm>

namespace lbsuite::net::http1 {
namespace {

std::string_view cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view each = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (!each.empty() && each.front() == ' ') each.remove_prefix(1);
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=')
      return each.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

std::string_view key_of(const Head& head, const ProxySettings& settings) {
  switch (settings.key) {
    case KeySource::none:
      return {};
    case KeySource::path:
      return head.target.substr(0, head.target.find('?'));
    case KeySource::header:
      return head.find(settings.key_name).value_or("");
    case KeySource::cookie:
      return cookie(head.find("cookie").value_or(""), settings.key_name);
  }
  return {};
}

}  // namespace lbsuite::net::http1
