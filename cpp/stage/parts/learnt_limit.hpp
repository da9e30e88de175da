#pragma once
// A limit on tasks in flight that is learnt by one of the ways there are, or stays as it was told. Not safe to share.

#include <cstdint>
#include <variant>

#include "stage/parts/aimd.hpp"
#include "stage/parts/gradient2.hpp"
#include "stage/parts/limit_settings.hpp"

namespace lbsuite {

class LearntLimit {
 public:
  explicit LearntLimit(const LimitSettings& settings) : how_(begin(settings)) {}

  std::uint32_t get() const {
    return std::visit([](const auto& how) { return how.limit(); }, how_);
  }

  // tasks: in flight before these ended.
  void ended(const Endings& endings, std::uint32_t tasks, double now, const LimitSettings& settings) {
    std::visit([&](auto& how) { how.ended(endings, tasks, now, settings); }, how_);
  }

 private:
  class Fixed {
   public:
    explicit Fixed(const LimitSettings& settings) : limit_(settings.limit) {}
    std::uint32_t limit() const { return limit_; }
    void ended(const Endings&, std::uint32_t, double, const LimitSettings&) {}

   private:
    std::uint32_t limit_;
  };
  using How = std::variant<Gradient2, Aimd, Fixed>;

  static How begin(const LimitSettings& settings) {
    switch (settings.how()) {
      case LimitKind::gradient2:
        return Gradient2(settings);
      case LimitKind::aimd:
        return Aimd(settings);
      case LimitKind::fixed:
        break;
    }
    return Fixed(settings);
  }

  How how_;
};

}  // namespace lbsuite
