#include "engine/explanation.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace lbsuite {
namespace {

constexpr std::size_t kMostShown = 40;

std::string count(std::size_t number, const char* of_what) { return std::to_string(number) + " " + of_what; }

std::string figure(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string figure(const std::optional<double>& value) { return value ? figure(*value) : "-"; }

// A key is any bytes; a terminal shall see none that it obeys.
std::string printable(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text += c;
    } else {
      std::array<char, 5> escape;
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += escape.data();
    }
  }
  return text;
}

using Row = std::array<std::string, 8>;

std::string standing(const Considered& one, bool picked) {
  if (one.out_by == kByRequest) return "excluded by the request";
  if (one.out_by == kByShare) return "held to its share";
  if (one.state == State::ejected || one.state == State::standby) {
    return std::string(kStates[static_cast<std::size_t>(one.state)]) + ": " + one.out_by;
  }
  if (!one.out_by.empty()) return one.out_by;
  return picked ? "picked" : one.looked_at ? "looked at" : "ready";
}

Row row(const Considered& one, bool picked) {
  return {one.address,
          standing(one, picked),
          figure(one.weighed),
          figure(one.score),
          std::to_string(one.tasks),
          one.limit == 0 ? "-" : std::to_string(one.limit),
          figure(one.weight),
          one.report_age_s ? figure(*one.report_age_s) + " s" : "-"};
}

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += "\n ";
    for (std::size_t i = 0; i < row.size(); ++i) text += " " + row[i] + std::string(widths[i] - row[i].size() + 1, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
  }
  return text;
}

}  // namespace

std::size_t Explanation::ready() const {
  return static_cast<std::size_t>(
      std::count_if(endpoints.begin(), endpoints.end(), [](const Considered& one) { return one.out_by.empty(); }));
}

std::size_t Explanation::looked_at() const {
  return static_cast<std::size_t>(
      std::count_if(endpoints.begin(), endpoints.end(), [](const Considered& one) { return one.looked_at; }));
}

std::string Explanation::in_words() const {
  std::string text = policy + (picked.empty() ? " found nobody: " + refused : " picked " + picked + ": " + goes_by) +
                     "; " + std::to_string(looked_at()) + " of " + count(ready(), "ready looked at");
  if (ready() < endpoints.size()) text += ", " + count(endpoints.size() - ready(), "not ready");
  if (!key.empty()) text += "; key '" + printable(key) + "'";
  if (cost != 1) text += "; cost " + std::to_string(cost);
  if (priority != 0) text += "; priority " + std::to_string(priority);
  if (attempt != 0) text += "; attempt " + std::to_string(attempt);
  std::vector<Row> rows = {{"endpoint", "was", "weighed", "score", "tasks", "limit", "weight", "last report"}};
  std::size_t hidden = 0;
  for (const Considered& one : endpoints) {
    if (one.address != picked && !one.looked_at && one.out_by.empty()) continue;
    if (one.address == picked || rows.size() <= kMostShown) {
      rows.push_back(row(one, one.address == picked));
    } else {
      ++hidden;
    }
  }
  if (rows.size() > 1) text += aligned(rows);
  if (hidden > 0) text += "\n  and " + count(hidden, "more");
  return text;
}

}  // namespace lbsuite
