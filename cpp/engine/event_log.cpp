#include "engine/event_log.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "engine/record_fields.hpp"

namespace lbsuite {
namespace {

using Json = nlohmann::ordered_json;

// What JSON has no number for.
constexpr std::pair<std::string_view, double> kUnbounded[] = {{"inf", std::numeric_limits<double>::infinity()},
                                                              {"-inf", -std::numeric_limits<double>::infinity()},
                                                              {"nan", std::numeric_limits<double>::quiet_NaN()}};

template <Is<LogHeading> Heading, class Visit>
void fields(Heading& heading, Visit&& visit) {
  visit("lbsuite_log", heading.format);
  visit("policy", heading.policy);
  visit("roster", heading.roster);
  visit("seed", heading.seed);
  visit("load", heading.load);
  visit("accounting", heading.accounting);
  visit("outcomes", heading.outcomes);
  visit("probes", heading.probes);
  visit("stages", heading.stages);
  visit("queue_s", heading.queue_s);
  visit("queue_tickets", heading.queue_tickets);
  visit("queue_order", heading.queue_order);
}

const auto& words(Signal) { return kSignals; }
const auto& words(Accounting) { return kAccountings; }
const auto& words(RosterKind) { return kRosters; }
const auto& words(QueueOrder) { return kQueueOrders; }

std::string under_base64(std::string_view name) { return std::string(name) + "_base64"; }

std::string text(const Json& json, bool ascii = false) {
  return json.dump(-1, ' ', ascii, Json::error_handler_t::replace);
}

[[noreturn]] void refuse(const std::string& why, const Json& bad) {
  constexpr std::size_t kShown = 80;
  const std::string shown = text(bad, true);
  throw std::invalid_argument(why + ": " + (shown.size() > kShown ? shown.substr(0, kShown) + "..." : shown));
}

bool is_utf8(const std::string& bytes) {
  try {
    return !Json(bytes).dump().empty();
  } catch (const Json::type_error&) {
    return false;
  }
}

// Writing: a value into its field.

template <class T>
void put(Json& line, std::string_view name, const T& value) {
  line[std::string(name)] = value;
}

template <class T>
  requires std::is_enum_v<T>
void put(Json& line, std::string_view name, const T& value) {
  put(line, name, words(value)[static_cast<std::size_t>(value)]);
}

template <class T>
void put(Json& line, std::string_view name, const std::optional<T>& value) {
  if (value) put(line, name, *value);
}

void put(Json& line, std::string_view name, double value) {
  if (std::isfinite(value)) {
    line[std::string(name)] = value;
    return;
  }
  for (const auto& [word, number] : kUnbounded) {
    if (value == number || (std::isnan(value) && std::isnan(number))) put(line, name, word);
  }
}

void put(Json& line, std::string_view name, const std::string& value) {
  if (is_utf8(value)) {
    line[std::string(name)] = value;
  } else {
    line[under_base64(name)] = absl::Base64Escape(value);
  }
}

template <class What>
Json whole(const What& what) {
  Json line = Json::object();
  fields(what, [&](std::string_view name, const auto& value) { put(line, name, value); });
  return line;
}

// Reading: false if the JSON is no such value.

bool take(const Json& json, std::string& value) {
  if (json.is_string()) value = json.get<std::string>();
  return json.is_string();
}

bool take(const Json& json, bool& value) {
  if (json.is_boolean()) value = json.get<bool>();
  return json.is_boolean();
}

bool take(const Json& json, double& value) {
  if (json.is_number()) value = json.get<double>();
  for (const auto& [word, number] : kUnbounded) {
    if (json == word) return value = number, true;
  }
  return json.is_number();
}

template <std::unsigned_integral T>
bool take(const Json& json, T& value) {
  const bool fits = json.is_number_unsigned() && json.get<std::uint64_t>() <= std::numeric_limits<T>::max();
  if (fits) value = json.get<T>();
  return fits;
}

template <class T>
  requires std::is_enum_v<T>
bool take(const Json& json, T& value) {
  const auto& known = words(value);
  const auto found = std::find(known.begin(), known.end(), json);
  if (found != known.end()) value = static_cast<T>(found - known.begin());
  return found != known.end();
}

template <class T>
bool take(const Json& json, std::optional<T>& value) {
  return take(json, value.emplace());
}

bool take(const Json& json, std::vector<std::string>& values) {
  return json.is_array() &&
         std::all_of(json.begin(), json.end(), [&](const Json& each) { return take(each, values.emplace_back()); });
}

class Line {
 public:
  explicit Line(std::string_view bytes) : bytes_(bytes) {
    try {
      line_ = Json::parse(bytes, [this](int depth, Json::parse_event_t, const Json&) {
        if (depth > kDeepest) refuse("nested too deep", bytes_);
        return true;
      });
    } catch (const Json::exception&) {
      refuse("not JSON", bytes_);
    }
    if (!line_.is_object()) refuse("not a JSON object", line_);
  }

  // Reads a field; one that is not there keeps its value.
  template <class T>
  void operator()(std::string_view name, T& value) {
    known_.emplace_back(name);
    const auto found = line_.find(known_.back());
    if (found != line_.end() && !take(*found, value)) refuse("bad " + known_.back(), *found);
    if constexpr (std::is_same_v<T, std::string>) {
      known_.push_back(under_base64(name));
      const auto coded = line_.find(known_.back());
      if (coded == line_.end()) return;
      std::string letters;
      if (!take(*coded, letters) || !absl::Base64Unescape(letters, &value)) refuse("bad " + known_.back(), *coded);
    }
  }

  template <class T>
  void need(const char* name, T& value) {
    if (!line_.contains(name)) refuse("no " + std::string(name), bytes_);
    (*this)(name, value);
  }

  // Refuses a field that nobody has asked for.
  void check_whole() const {
    for (const auto& [name, value] : line_.items()) {
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) refuse("no such field", name);
    }
  }

 private:
  static constexpr int kDeepest = 4;  // a record needs 2; to copy or print what is nested takes as much of the stack
  const Json bytes_;
  Json line_;
  std::vector<std::string> known_;
};

template <class... What>
bool read_what(std::string_view event, Line& line, std::variant<What...>& record) {
  const auto read = [&]<class One>(One what) {
    if (kEventName<One> != event) return false;
    fields(what, line);
    record = std::move(what);
    return true;
  };
  return (read(What{}) || ...);
}

}  // namespace

std::string write_heading(const LogHeading& heading) {
  Json line = whole(heading);
  if (heading.stages.empty()) line.erase("stages");
  if (heading.queue_s == 0) {
    for (const char* name : {"queue_s", "queue_tickets", "queue_order"}) line.erase(name);
  }
  return text(line);
}

std::string write_record(const Record& record) {
  Json line = Json::object();
  std::visit(
      [&]<class What>(const What& what) {
        static const Json defaults = whole(What{});
        put(line, "event", kEventName<What>);
        put(line, "now", record.now);
        if (record.lane != 0) put(line, "lane", record.lane);
        const Json all = whole(what);
        for (const auto& [name, value] : all.items()) {
          const auto usual = defaults.find(name);
          if (usual == defaults.end() || *usual != value) line[name] = value;
        }
      },
      record.what);
  return text(line);
}

LogHeading read_heading(std::string_view bytes) {
  Line line(bytes);
  LogHeading heading;
  line.need("lbsuite_log", heading.format);
  if (heading.format != kLogFormat)
    refuse("a log of another format than " + std::to_string(kLogFormat), heading.format);
  fields(heading, line);
  line.check_whole();
  return heading;
}

Record read_record(std::string_view bytes) {
  Line line(bytes);
  Record record;
  std::string event;
  line.need("event", event);
  line.need("now", record.now);
  if (!std::isfinite(record.now)) refuse("not a time", bytes);
  line("lane", record.lane);
  if (!read_what(event, line, record.what)) refuse("no such event", event);
  line.check_whole();
  return record;
}

}  // namespace lbsuite
