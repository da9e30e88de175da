// HTTP/1 messages as they come, in pieces of every size, and as they are sent on.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "../fuzz/message_path.hpp"

namespace lbsuite::net::http1 {
namespace {

std::string request(std::string_view lines, std::string_view body = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

Path in_all_pieces(const std::string& bytes) {
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) check_path(bytes, piece);
  return path_of(bytes, bytes.size());
}

TEST(Path, WhatIsSentOnIsWhatWasParsed) {
  const Path path = in_all_pieces(request("X:  a \r\nConnection: X-Y\r\nX-Y: 1\r\nContent-Length: 02\r\n", "ab"));
  ASSERT_EQ(path.sent.size(), 1U);
  EXPECT_EQ(
      path.sent[0].head,
      "POST /a HTTP/1.1\r\nHost: h\r\nX: a\r\nContent-Length: 2\r\nX-Forwarded-For: 192.0.2.1\r\n"
      "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nForwarded: for=192.0.2.1;proto=http\r\nVia: 1.1 test\r\n\r\n");
  EXPECT_EQ(path.sent[0].body, "ab");
  EXPECT_TRUE(path.sent[0].whole);
}

TEST(Path, ChunksAndTrailersArePutTogetherWhateverThePieces) {
  const Path path = in_all_pieces(
      request("Transfer-Encoding: chunked\r\n", "1;x\r\na\r\n00A\r\n0123456789\r\n0\r\nX: y\r\nHost: z\r\n\r\n"));
  ASSERT_EQ(path.sent.size(), 1U);
  EXPECT_EQ(path.sent[0].body, "a0123456789");
  EXPECT_EQ(path.sent[0].trailers, "X: y\r\n");
}

TEST(Path, RequestsFollowOneAnother) {
  const std::string two =
      request("Content-Length: 2\r\n", "ab\r\n") + request("Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
  const Path path = in_all_pieces(two + "GET / HTTP/1.1\nHost: h\r\n\r\n" + request(""));
  EXPECT_EQ(path.sent.size(), 2U);
  EXPECT_EQ(path.refused, 400);
}

TEST(Path, ARefusalDoesNotDependOnThePieces) {
  EXPECT_EQ(in_all_pieces("GET /" + std::string(600, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n").refused, 414);
  EXPECT_EQ(in_all_pieces(request("X: " + std::string(2100, 'a') + "\r\n")).refused, 431);
  EXPECT_EQ(in_all_pieces(request("X: " + std::string(2100, 'a') + "\rb\n")).refused, 431);
  EXPECT_EQ(
      in_all_pieces(request("Transfer-Encoding: chunked\r\n", "2;" + std::string(2100, 'a') + "\r\nab\r\n")).refused,
      400);
  EXPECT_EQ(in_all_pieces(request("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n")).refused, 400);
}

TEST(Path, ConnectionNamesNoMoreThanIsSensible) {
  std::string names = "a";
  for (int i = 1; i < 50; ++i) names += ",a";
  EXPECT_EQ(in_all_pieces(request("Connection: " + names + "\r\n")).refused, 0);
  EXPECT_EQ(in_all_pieces(request("Connection: " + names + ",\r\n")).refused, 400);
}

// What the corpus of the proxy's tests has, as files in a folder that the environment names.
TEST(Path, TheCorpusInEveryPiece) {
  const char* const folder = std::getenv("LBSUITE_HTTP1_CORPUS");
  if (folder == nullptr) GTEST_SKIP() << "LBSUITE_HTTP1_CORPUS is not set";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t piece = 1; piece <= std::min<std::size_t>(bytes.size(), 200); ++piece) check_path(bytes, piece);
    ++files;
  }
  EXPECT_GT(files, 100U);
}

TEST(Grammar, Authorities) {
  for (const char* const fine : {"", "h", "h:80", "h:", "[::1]", "[::1]:80", "a.b-c_d", "%41"})
    EXPECT_TRUE(authority(fine)) << fine;
  for (const char* const bad :
       {"h g", "h,g", "u@h", "h/", "h:x", "h:1:2", ":80", "[::1", "[]", "[::1]x", "h:123456", "a\"b"})
    EXPECT_FALSE(authority(bad)) << bad;
}

}  // namespace
}  // namespace lbsuite::net::http1
