// libFuzzer's way in: the first byte says in what pieces the others come.
#include <cstdint>

#include "message_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  lbsuite::net::http1::check_path(bytes, 1 + data[0] % 16);
  return 0;
}
