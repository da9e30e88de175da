#include "engine/replay.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/event_log.hpp"
#include "engine/record_fields.hpp"

namespace lbsuite {
namespace {

std::vector<std::string> golden_logs() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(LBSUITE_GOLDEN_LOGS)) {
    if (entry.path().extension() == ".jsonl") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The log that an engine writes while it replays one.
template <class Model>
std::vector<std::string> replayed(const std::vector<std::string>& lines) {
  Engine<Model> engine(settings_of(read_heading(lines.at(0))));
  std::vector<std::string> again = {write_heading(heading_of(engine))};
  engine.record([&](const Record& record) { again.push_back(write_record(record)); });
  Replay<Model> replay(engine);
  for (std::size_t i = 1; i < lines.size(); ++i) replay.feed(lines[i]);
  EXPECT_EQ(replay.differing(), 0U);
  EXPECT_GT(replay.picks().size(), 20U);
  return again;
}

class EveryGoldenLog : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Logs, EveryGoldenLog, testing::ValuesIn(golden_logs()), [](const auto& test) {
  std::string name = std::filesystem::path(test.param).stem().string();
  for (char& letter : name) letter = std::isalnum(static_cast<unsigned char>(letter)) ? letter : '_';
  return name;
});

TEST_P(EveryGoldenLog, IsWrittenAgainByteForByteByAnEngineThatReplaysIt) {
  const auto lines = lines_of(GetParam());
  EXPECT_EQ(replayed<Shared>(lines), lines);
  EXPECT_EQ(replayed<Plain>(lines), lines);
}

// Whatever a broken disk or a hasty editor makes of a log, reading it fails by an exception, if at all.
TEST_P(EveryGoldenLog, DoesNoHarmWhereItIsBroken) {
  const auto lines = lines_of(GetParam());
  Rng rng(5);
  std::size_t refused = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    Engine<Plain> engine(settings_of(read_heading(lines.at(0))));
    Replay<Plain> replay(engine);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      std::string line = lines[i];
      if (rng.below(2) == 0)
        line[rng.below(static_cast<std::uint32_t>(line.size()))] = "0\"{}[],:-9e.\x80"[rng.below(13)];
      try {
        replay.feed(line);
      } catch (const std::invalid_argument& error) {
        ++refused;
        EXPECT_LT(std::string_view(error.what()).size(), 250U);
      }
    }
  }
  EXPECT_GT(refused, 20U);
}

TEST(TheEventLog, HasGoldenOnes) { EXPECT_FALSE(golden_logs().empty()); }

// Gives each field, whatever its type, a value that it does not have by itself.
struct Unusual {
  void operator()(std::string_view, std::string& value) const { value = "\xff\"caf\xc3\xa9\n"; }
  void operator()(std::string_view, bool& value) const { value = !value; }
  void operator()(std::string_view, double& value) const { value = 0.1 + 0.2; }
  void operator()(std::string_view, std::uint32_t& value) const { value = 4'294'967'295; }
  void operator()(std::string_view, std::uint64_t& value) const { value = 18'446'744'073'709'551'614U; }
  void operator()(std::string_view, std::vector<std::string>& value) const { value = {"127.0.0.1:1", "[::1]:2"}; }
  template <class T>
  void operator()(std::string_view name, std::optional<T>& value) const {
    (*this)(name, value.emplace());
  }
};

template <class What>
void expect_read_back(What what) {
  Record record{0, 12345.678901234567, what};
  const std::string usual = write_record(record);
  EXPECT_EQ(write_record(read_record(usual)), usual);
  fields(what, Unusual());
  record = {3, -1e-300, what};
  const std::string unusual = write_record(record);
  const Record again = read_record(unusual);
  EXPECT_EQ(write_record(again), unusual);
  EXPECT_EQ(again.now, record.now);
  int named = 0;
  fields(what,
         [&](std::string_view name, auto&) { named += unusual.find('"' + std::string(name)) != std::string::npos; });
  int all = 0;
  fields(what, [&](std::string_view, auto&) { ++all; });
  EXPECT_EQ(named, all) << unusual;
}

template <class... What>
void expect_all_read_back(std::variant<What...>) {
  (expect_read_back(What{}), ...);
}

TEST(TheEventLog, ReadsBackEveryFieldOfEveryEvent) { expect_all_read_back(decltype(Record::what)()); }

TEST(TheEventLog, ReadsBackTimesThatJsonHasNoNumberFor) {
  for (const double deadline : {-kNever, kNever}) {
    Asked asked;
    asked.deadline = deadline;
    EXPECT_EQ(std::get<Asked>(read_record(write_record({0, 0, asked})).what).deadline, deadline);
  }
}

TEST(TheEventLog, OfManyThreadsIsReplayedInTheOrderInWhichThingsTookPlace) {
  Engine<Shared> engine({.policy = RoundRobin::Settings{}});
  std::vector<std::string> lines;
  engine.record([&](const Record& record) { lines.push_back(write_record(record)); });
  for (const char* address : {"a:1", "b:1", "c:1"}) engine.apply(Joined{address, 1, 4, "", kUnordered, 0}, 0);
  std::vector<std::thread> threads;
  for (const std::uint32_t lane : {0U, engine.open_lane(), engine.open_lane()}) {
    threads.emplace_back([&engine, lane] {
      for (int step = 0; step < 300; ++step) {
        const Answer answer = engine.pick({}, step, lane);
        engine.choose({}, step, lane, [](const auto*) {});
        if (step % 10 == 0) engine.apply(Drained{"b:1", step % 20 == 0}, step);
        if (const auto* pick = std::get_if<Pick>(&answer)) engine.done(*pick, {}, step);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  Engine<Plain> again({.policy = RoundRobin::Settings{}});
  Replay<Plain> replay(again);
  for (const std::string& line : lines) replay.feed(line);
  EXPECT_EQ(replay.picks().size(), 1800U);
  EXPECT_EQ(replay.differing(), 0U);
}

TEST(TheEventLog, OfASinkThatThrowsEndsAndTheEngineGoesOn) {
  Engine<Shared> engine(EngineSettings{});
  int told = 0;
  engine.record([&](const Record&) {
    if (++told == 2) throw std::runtime_error("full");
  });
  for (const char* address : {"a:1", "b:1", "c:1"})
    EXPECT_TRUE(engine.apply(Joined{address, 1, 0, "", kUnordered, 0}, 0));
  EXPECT_TRUE(std::holds_alternative<Pick>(engine.pick({}, 0)));
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace lbsuite
