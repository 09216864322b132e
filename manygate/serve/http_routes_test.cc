// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate::serve {
namespace {

using testing::HasSubstr;

TEST(HttpRoutesTest, Paths) {
  const struct {
    const char* target;
    HttpPage page;
    const char *model, *version;
  } kCases[] = {
      {"/v2", HttpPage::kServerMetadata, "", ""},
      {"/v2/", HttpPage::kServerMetadata, "", ""},
      {"/v2/health/live", HttpPage::kLive, "", ""},
      {"/v2/health/ready?x=1", HttpPage::kReady, "", ""},
      {"/v2/models/census", HttpPage::kModelMetadata, "census", ""},
      {"/v2/models/census/versions/3", HttpPage::kModelMetadata, "census", "3"},
      {"/v2/models/census/ready", HttpPage::kModelReady, "census", ""},
      {"/v2/models/census/versions/3/ready", HttpPage::kModelReady, "census", "3"},
      {"/v2/models/census/infer", HttpPage::kInfer, "census", ""},
      {"/v2/models/a%20b/versions/12/infer", HttpPage::kInfer, "a b", "12"},
      {"/v2/models/ready", HttpPage::kModelMetadata, "ready", ""},
      {"/v1/models/census", HttpPage::kModelStatus, "census", ""},
      {"/v1/models/census:predict", HttpPage::kPredict, "census", ""},
      {"/v1/models/census/versions/3:predict", HttpPage::kPredict, "census", "3"},
      {"/metrics", HttpPage::kMetrics, "", ""},
      {"/v2/repository/index", HttpPage::kIndex, "", ""},
      {"/v2/repository/models/census/load", HttpPage::kLoad, "census", ""},
      {"/v2/repository/models/census/unload", HttpPage::kUnload, "census", ""},
  };
  for (const auto& test : kCases) {
    HttpRoute route;
    ASSERT_TRUE(ParseTarget(test.target, &route)) << test.target;
    EXPECT_EQ(route.page, test.page) << test.target;
    EXPECT_EQ(route.model, test.model) << test.target;
    EXPECT_EQ(route.version, test.version) << test.target;
  }
}

TEST(HttpRoutesTest, NoPaths) {
  for (const char* target : {"", "/", "*", "v2", "/v3", "/v2x", "/v2/models", "/v2/models//infer", "/v2/models/a/b",
                             "/v2/models/a/versions/", "/v2/models/..%2f..%2fetc/infer", "/v2/models/a%00b",
                             "/v2/models/a%4", "/v2/models/a%zz", "/v2/models/a/versions/1/2/infer",
                             "/v2/repository/models/a/versions/1/load", "/v1/models/a:classify/"}) {
    HttpRoute route;
    const bool found = ParseTarget(target, &route);
    // A name may hold a colon; it is then only a model that is not there.
    EXPECT_TRUE(!found || route.page == HttpPage::kModelStatus) << target;
  }
}

TEST(HttpRoutesTest, Methods) {
  HttpRoute route;
  ASSERT_TRUE(ParseTarget("/v2/models/census/infer", &route));
  EXPECT_TRUE(Allows(route, "POST"));
  EXPECT_FALSE(Allows(route, "GET"));
  EXPECT_FALSE(Allows(route, "POS"));
  EXPECT_FALSE(Allows(route, ""));
  ASSERT_TRUE(ParseTarget("/v2/repository/index", &route));
  for (const char* method : {"GET", "HEAD", "POST"}) EXPECT_TRUE(Allows(route, method)) << method;
  EXPECT_FALSE(Allows(route, "GET, HEAD"));
  EXPECT_THAT(PathList(), HasSubstr("POST /v2/models/{model}[/versions/{version}]/infer\n"));
}

}  // namespace
}  // namespace manygate::serve
