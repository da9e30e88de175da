// Linked with its own fibonacci_big.cpp, built as where there is no GMP.
#include <gtest/gtest.h>

#include <string>

#include "compute/fibonacci_big.hpp"

namespace lbsuite {
namespace {

template <class Kernel>
std::string refusal(Kernel&& kernel, std::int64_t n) {
  try {
    kernel(n, Cancel());
  } catch (const NoGmp& error) {
    return error.what();
  }
  return "";
}

TEST(WithoutGmp, EveryKernelSaysInOneLineWhatToInstall) {
  EXPECT_EQ(gmp_release(), nullptr);
  for (const std::string& said :
       {refusal(fibonacci_bytes, 94), refusal(fibonacci_digest, 10), refusal(fibonacci_text, 10)}) {
    EXPECT_NE(said.find("apt-get install libgmp-dev"), std::string::npos);
    EXPECT_EQ(said.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace lbsuite
