// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/data/test_files.h"

namespace manygate::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

std::unique_ptr<RequestLog> OpenLog(double share, const std::string& file) {
  auto log = RequestLog::Open(share, file);
  EXPECT_TRUE(log.ok()) << log.status().message();
  return *std::move(log);
}

std::vector<nlohmann::json> Lines(const std::string& file) {
  std::vector<nlohmann::json> lines;
  for (const std::string& line : Split(FileContent(file), '\n'))
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(RequestLog, WritesALineOfJson) {
  const TestFolder folder;
  const std::string file = folder.Write("log", "{\"before\":1}\n");
  OpenLog(1, file)->Add({.protocol = Protocol::kGrpc,
                         .model = "census",
                         .version = 3,
                         .id = "a\"b\xff",
                         .rows = 5,
                         .outcome = Refused(OutcomeCode::kOverloaded, "full"),
                         .seconds = 0.0012344});
  const std::vector<nlohmann::json> lines = Lines(file);
  ASSERT_EQ(lines.size(), 2u) << "appended";
  nlohmann::json line = lines[1];
  EXPECT_THAT(line["time"].get<std::string>(),
              MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\.[0-9][0-9][0-9]Z"));
  line.erase("time");
  EXPECT_EQ(line, nlohmann::json({{"protocol", "grpc"},
                                  {"model", "census"},
                                  {"version", 3},
                                  {"id", "a\"b\uFFFD"},
                                  {"rows", 5},
                                  {"code", 429},
                                  {"microseconds", 1234}}));
}

TEST(RequestLog, ChoosesEvenly) {
  const TestFolder folder;
  const auto log = OpenLog(0.25, folder.Path("log"));
  for (int i = 1; i <= 12; ++i) log->Add({.rows = i});
  std::vector<int> rows;
  for (const nlohmann::json& line : Lines(folder.Path("log"))) rows.push_back(line["rows"]);
  EXPECT_THAT(rows, ElementsAre(4, 8, 12));
}

TEST(RequestLog, NoneAndAll) {
  const TestFolder folder;
  const auto none = OpenLog(0, folder.Path("none")), all = OpenLog(1, folder.Path("all"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k)
        for (RequestLog* log : {none.get(), all.get()}) log->Add({.id = std::string(1000, 'x'), .rows = k});
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(FileContent(folder.Path("none")), "");
  const std::vector<nlohmann::json> lines = Lines(folder.Path("all"));
  ASSERT_EQ(lines.size(), 200u);
  EXPECT_EQ(lines[0]["id"].get<std::string>().size(), 256u);
}

TEST(RequestLog, RefusesWhatItCannotDo) {
  EXPECT_THAT(RequestLog::Open(1.5, "").status().message(), HasSubstr("is 1.5; expected 0 to 1"));
  EXPECT_FALSE(RequestLog::Open(-0.1, "").ok());
  EXPECT_FALSE(RequestLog::Open(std::numeric_limits<double>::quiet_NaN(), "").ok());
  EXPECT_THAT(RequestLog::Open(1, "/no/such/folder/log").status().message(),
              HasSubstr("/no/such/folder/log: No such file or directory"));
}

}  // namespace
}  // namespace manygate::serve
