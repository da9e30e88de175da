#pragma once
// How sizes are spread: positive numbers of mean 1, drawn with a lane's generator. The same generator gives the same
// sizes on every machine, but for the last digits that its libm has of its own.

#include <cmath>
#include <numbers>
#include <string>
#include <variant>

#include "bits/check.hpp"
#include "bits/rng.hpp"

namespace lbsuite {

struct Exponential {
  double draw(Rng& rng) const { return -std::log1p(-rng.uniform()); }
};

// The logarithm is normal with a standard deviation of sigma.
class Lognormal {
 public:
  explicit Lognormal(double sigma) : sigma_(sigma) {
    check(sigma >= 0 && sigma <= 4, [&] { return "sigma outside 0..4: " + std::to_string(sigma); });
  }
  // One of the pair by Box and Muller (1958): what is drawn depends on two numbers and on nothing before.
  double draw(Rng& rng) const {
    const double radius = std::sqrt(-2 * std::log1p(-rng.uniform()));
    const double normal = radius * std::cos(2 * std::numbers::pi * rng.uniform());
    return std::exp(sigma_ * (normal - sigma_ / 2));
  }

 private:
  double sigma_;
};

// P(size > x) falls as x^-alpha; the variance is infinite up to alpha = 2.
class Pareto {
 public:
  explicit Pareto(double alpha) : alpha_(alpha) {
    check(alpha > 1 && alpha <= 100, [&] { return "alpha not above 1 and up to 100: " + std::to_string(alpha); });
  }
  double draw(Rng& rng) const { return (1 - 1 / alpha_) * std::pow(1 - rng.uniform(), -1 / alpha_); }

 private:
  double alpha_;
};

using Distribution = std::variant<Exponential, Lognormal, Pareto>;

inline double draw(const Distribution& sizes, Rng& rng) {
  return std::visit([&](const auto& each) { return each.draw(rng); }, sizes);
}

}  // namespace lbsuite
