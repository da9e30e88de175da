#include "roster/report.hpp"

#include <stdexcept>
#include <string>

namespace lbsuite {
namespace {

void check_number(const char* name, double value, double most) {
  if (!(value >= 0 && value <= most)) {
    throw std::invalid_argument(std::string(name) + " out of 0.." + std::to_string(most) + ": " +
                                std::to_string(value));
  }
}

}  // namespace

void Report::check() const {
  check_number("tasks", tasks, 1e6);
  check_number("limit", limit.value_or(0), 1e6);
  check_number("memory", static_cast<double>(memory), 1e18);
  check_number("cpu", cpu, 1e6);
  check_number("interval_s", interval_s, 1e6);
  check_number("prompt_s", prompt_s, 1e6);
  check_number("busy_s", busy_s, 1e12);
  check_number("task_s", task_s, 1e18);
  check_number("own_latency_s", own_latency_s, 1e18);
  check_number("utilization", utilization, 1e6);
  if (own_failed > own_finished) {
    throw std::invalid_argument("own_failed above own_finished: " + std::to_string(own_failed));
  }
  if (own_refused > own_failed) {
    throw std::invalid_argument("own_refused above own_failed: " + std::to_string(own_refused));
  }
}

}  // namespace lbsuite
