// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "manygate/base/text.h"

namespace manygate::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CountsByProtocolVersionAndCode) {
  Metrics metrics;
  metrics.Count(Protocol::kHttp, "census", 3, OutcomeCode::kOk, 5, 0.0007);
  metrics.Count(Protocol::kHttp, "census", 3, OutcomeCode::kOk, 2, 0.00005);
  metrics.Count(Protocol::kHttp, "census", 3, OutcomeCode::kOverloaded, 9, 20);
  metrics.Count(Protocol::kGrpc, "census", 3, OutcomeCode::kOk, 1, 0.5);
  metrics.Count(Protocol::kHttp, "", 0, OutcomeCode::kNotFound, 0, 0.001);
  const std::string text = metrics.Text({}, {});
  for (const char* line : {
           "# TYPE manygate_requests_total counter\n",
           "\nmanygate_requests_total{protocol=\"http\",model=\"census\",version=\"3\",code=\"200\"} 2\n",
           "\nmanygate_requests_total{protocol=\"http\",model=\"census\",version=\"3\",code=\"429\"} 1\n",
           "\nmanygate_requests_total{protocol=\"grpc\",model=\"census\",version=\"3\",code=\"200\"} 1\n",
           "\nmanygate_requests_total{protocol=\"http\",model=\"\",version=\"\",code=\"404\"} 1\n",
           "\nmanygate_request_rows_total{protocol=\"http\",model=\"census\",version=\"3\"} 7\n",
           "# TYPE manygate_request_duration_seconds histogram\n",
           "_bucket{protocol=\"http\",model=\"census\",version=\"3\",le=\"5e-05\"} 1\n",
           "_bucket{protocol=\"http\",model=\"census\",version=\"3\",le=\"0.0005\"} 1\n",
           "_bucket{protocol=\"http\",model=\"census\",version=\"3\",le=\"0.001\"} 2\n",
           "_bucket{protocol=\"http\",model=\"census\",version=\"3\",le=\"10\"} 2\n",
           "_bucket{protocol=\"http\",model=\"census\",version=\"3\",le=\"+Inf\"} 3\n",
           "_sum{protocol=\"http\",model=\"census\",version=\"3\"} 20.00075\n",
           "_count{protocol=\"http\",model=\"census\",version=\"3\"} 3\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, QueueVersionsAndBuild) {
  const std::string text =
      Metrics().Text({.batches = 10, .rows = 200, .refused = 3, .expired = 4, .queued_rows = 17},
                     {{"census", 1, VersionState::kReady, ""}, {"census", 2, VersionState::kBroken, "damaged"}});
  for (const char* line : {
           "\nmanygate_batches_total 10\n",
           "\nmanygate_batch_rows_total 200\n",
           "# TYPE manygate_queue_rows gauge\nmanygate_queue_rows 17\n",
           "\nmanygate_queue_refused_total 3\n",
           "\nmanygate_queue_expired_total 4\n",
           "\nmanygate_model_version_ready{model=\"census\",version=\"1\"} 1\n",
           "\nmanygate_model_version_ready{model=\"census\",version=\"2\"} 0\n",
           "\nmanygate_build_info{version=\"",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, EveryLineIsOfTheFormatAndEveryNameHasHelpOnce) {
  Metrics metrics;
  metrics.Count(Protocol::kGrpc, "a\\b\"c\nd", 1, OutcomeCode::kOk, 1, 0.1);
  const std::string text = metrics.Text({}, {});
  EXPECT_THAT(text, HasSubstr("model=\"a\\\\b\\\"c\\nd\""));
  ASSERT_EQ(text.back(), '\n');
  std::set<std::string> helped;
  for (const std::string& line : Split(text.substr(0, text.size() - 1), '\n')) {
    if (line.rfind("# HELP ", 0) == 0) {
      EXPECT_TRUE(helped.insert(Split(line, ' ')[2]).second) << line;
    } else if (line.rfind("# TYPE ", 0) == 0) {
      EXPECT_EQ(helped.count(Split(line, ' ')[2]), 1u) << line;
    } else {
      EXPECT_THAT(line, testing::ContainsRegex("^manygate_[a-z_]+(\\{.*\\})? [0-9.e+-]+$"));
    }
  }
  EXPECT_EQ(helped.size(), 10u);
}

TEST(Metrics, OldVersionsAreForgotten) {
  Metrics metrics;
  for (int version = 1; version <= 150; ++version)
    metrics.Count(Protocol::kHttp, "census", version, OutcomeCode::kOk, 1, 0.1);
  metrics.Count(Protocol::kHttp, "other", 1, OutcomeCode::kOk, 1, 0.1);
  const std::string text = metrics.Text({}, {});
  EXPECT_THAT(text, Not(HasSubstr("model=\"census\",version=\"50\"")));
  EXPECT_THAT(text, HasSubstr("model=\"census\",version=\"51\""));
  EXPECT_THAT(text, HasSubstr("model=\"census\",version=\"150\""));
  EXPECT_THAT(text, HasSubstr("model=\"other\",version=\"1\""));
}

TEST(Metrics, ManyThreadsLoseNothing) {
  Metrics metrics;
  std::vector<std::thread> threads;
  std::atomic<size_t> bytes = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 1000; ++k) {
        metrics.Count(Protocol::kHttp, "m", 1 + k % 3, OutcomeCode::kOk, 2, 0.01);
        if (k % 100 == i) bytes += metrics.Text({}, {}).size();
      }
    });
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.Text({}, {});
  EXPECT_GT(bytes, 0u);
  EXPECT_THAT(text, HasSubstr("version=\"1\",code=\"200\"} 1336\n"));
  EXPECT_THAT(text, HasSubstr("version=\"3\",code=\"200\"} 1332\n"));
  EXPECT_THAT(text, HasSubstr("manygate_request_rows_total{protocol=\"http\",model=\"m\",version=\"2\"} 2664\n"));
}

}  // namespace
}  // namespace manygate::serve
