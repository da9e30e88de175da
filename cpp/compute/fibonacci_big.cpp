#include "compute/fibonacci_big.hpp"

#include "compute/fibonacci.hpp"

#ifdef LBSUITE_GMP
#include <gmp.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>
#include <string_view>
#include <utility>

#include "bits/hash.hpp"
#endif

namespace lbsuite {

NoGmp::NoGmp()
    : std::runtime_error(
          "Fibonacci numbers beyond 64 bits need GMP, and this lbsuite was built without: apt-get install libgmp-dev, "
          "or brew install gmp, then install lbsuite anew") {}

#ifdef LBSUITE_GMP
namespace {

class Natural {
 public:
  Natural() { mpz_init(value_); }
  explicit Natural(std::size_t bits) { mpz_init2(value_, bits); }
  ~Natural() { mpz_clear(value_); }
  Natural(const Natural&) = delete;
  Natural& operator=(const Natural&) = delete;

  operator mpz_ptr() { return value_; }
  operator mpz_srcptr() const { return value_; }

 private:
  mpz_t value_;
};

// F(k) and F(k - 1), from which both double: two squarings a step, and one product where F(2k) or F(2k + 1) is all that
// is asked for (The GNU MP manual, "Fibonacci Numbers Algorithm").
class Doubling {
 public:
  Doubling(std::int64_t k, std::size_t bits, const Cancel& cancel)
      : even_(k % 2 == 0), cancel_(cancel), now_(bits), before_(bits), square_(bits), square_before_(bits) {
    mpz_set_ui(now_, fibonacci(k));
    mpz_set_ui(before_, fibonacci(k - 1));
  }

  void step(bool odd) {
    multiply(square_, now_, now_);
    multiply(square_before_, before_, before_);
    mpz_add(before_, square_, square_before_);  // F(2k - 1)
    mpz_mul_2exp(square_, square_, 2);
    mpz_sub(now_, square_, square_before_);
    balance(now_);  // F(2k + 1)
    mpz_sub(odd ? before_ : now_, now_, before_);
    even_ = !odd;
  }

  void last(mpz_ptr result, bool odd) {
    if (odd) {
      mpz_mul_2exp(square_, now_, 1);
      mpz_add(square_before_, square_, before_);
      mpz_sub(square_, square_, before_);
      multiply(result, square_, square_before_);
      balance(result);
    } else {
      mpz_mul_2exp(square_, before_, 1);
      mpz_add(square_, square_, now_);
      multiply(result, now_, square_);
    }
  }

 private:
  void multiply(mpz_ptr product, mpz_srcptr one, mpz_srcptr other) const {
    cancel_.check();
    mpz_mul(product, one, other);
  }
  // What squares lack of F(2k + 1): 2 (-1)^k.
  void balance(mpz_ptr value) const { even_ ? mpz_add_ui(value, value, 2) : mpz_sub_ui(value, value, 2); }

  bool even_;
  const Cancel& cancel_;
  Natural now_, before_, square_, square_before_;
};

void compute(mpz_ptr result, std::int64_t n, const Cancel& cancel) {
  if (n < 0 || n > kLargestBig) {
    throw std::invalid_argument("n outside 0.." + std::to_string(kLargestBig) + ": " + std::to_string(n));
  }
  cancel.check();
  static_assert(sizeof(unsigned long) == sizeof(std::uint64_t));
  int steps = 0;
  while (n >> steps > kLargest64Bit) ++steps;
  if (steps == 0) return mpz_set_ui(result, fibonacci(n));
  const auto bits = static_cast<std::size_t>(std::log2(std::numbers::phi) * static_cast<double>(n)) + 64;
  mpz_realloc2(result, bits);
  Doubling doubling(n >> steps, bits / 2 + 64, cancel);
  while (--steps > 0) doubling.step(n >> steps & 1);
  doubling.last(result, n & 1);
}

std::string bytes(mpz_srcptr value) {
  const std::size_t size = mpz_sgn(value) == 0 ? 0 : (mpz_sizeinbase(value, 2) + 7) / 8;
  std::string found((size + 7) / 8 * 8, '\0');  // whole words are copied, single bytes shifted
  mpz_export(found.data(), nullptr, -1, 8, -1, 0, value);
  found.resize(size);
  return found;
}

std::size_t digits(mpz_srcptr value) {
  const std::size_t most = mpz_sizeinbase(value, 10);  // or one too many
  if (most == 1) return 1;
  long exponent = 0;
  const double fraction = mpz_get_d_2exp(&exponent, value);
  const double beyond =
      std::log10(fraction) + static_cast<double>(exponent) * std::log10(2.0) - static_cast<double>(most - 1);
  if (std::abs(beyond) > 2e-6) return beyond > 0 ? most : most - 1;
  Natural power;
  mpz_ui_pow_ui(power, 10, most - 1);
  return mpz_cmp(value, power) >= 0 ? most : most - 1;
}

// Halves a number by powers of ten, as GMP does, to look at the flag in between.
class Decimal {
 public:
  Decimal(std::size_t digits, const Cancel& cancel) : cancel_(cancel), text_(digits, '0') {
    for (std::size_t size = kLeaf; size < digits; size *= 2) {
      cancel_.check();
      auto& power = powers_.emplace_back();
      if (size == kLeaf) {
        mpz_ui_pow_ui(power, 10, kLeaf);
      } else {
        mpz_mul(power, powers_[powers_.size() - 2], powers_[powers_.size() - 2]);
      }
    }
  }

  std::string of(mpz_srcptr value) {
    write(value, 0, text_.size(), powers_.size());
    return std::move(text_);
  }

 private:
  static constexpr std::size_t kLeaf = 16'384;  // digits written at once, in 0.3 ms

  // The value into so many digits from `at` on; it is below 10^(kLeaf 2^level).
  void write(mpz_srcptr value, std::size_t at, std::size_t digits, std::size_t level) {
    cancel_.check();
    if (level == 0) {
      char piece[kLeaf + 2];
      mpz_get_str(piece, 10, value);
      const std::string_view written(piece);
      if (mpz_sgn(value) != 0 || digits == text_.size()) {
        std::copy(written.begin(), written.end(),
                  text_.begin() + static_cast<std::ptrdiff_t>(at + digits - written.size()));
      }
      return;
    }
    const std::size_t low_digits = kLeaf << (level - 1);
    if (digits <= low_digits) return write(value, at, digits, level - 1);
    Natural high, low;
    mpz_tdiv_qr(high, low, value, powers_[level - 1]);
    write(high, at, digits - low_digits, level - 1);
    write(low, at + digits - low_digits, low_digits, level - 1);
  }

  const Cancel& cancel_;
  std::string text_;
  std::deque<Natural> powers_;  // 10^kLeaf, and each the square of the one before
};

}  // namespace

const char* gmp_release() noexcept { return ::gmp_version; }

std::string fibonacci_bytes(std::int64_t n, const Cancel& cancel) {
  Natural value;
  compute(value, n, cancel);
  return bytes(value);
}

BigDigest fibonacci_digest(std::int64_t n, const Cancel& cancel) {
  Natural value;
  compute(value, n, cancel);
  return {digits(value), Xxh64::hash(bytes(value))};
}

std::string fibonacci_text(std::int64_t n, const Cancel& cancel) {
  Natural value;
  compute(value, n, cancel);
  return Decimal(digits(value), cancel).of(value);
}

#else

const char* gmp_release() noexcept { return nullptr; }
std::string fibonacci_bytes(std::int64_t, const Cancel&) { throw NoGmp(); }
BigDigest fibonacci_digest(std::int64_t, const Cancel&) { throw NoGmp(); }
std::string fibonacci_text(std::int64_t, const Cancel&) { throw NoGmp(); }

#endif

}  // namespace lbsuite
