// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/json_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "manygate/serve/authorization.h"

namespace manygate::serve {
namespace {

std::string Text(std::string_view text) {
  std::string body;
  AppendJsonText(text, &body);
  return body;
}

std::string Number(float number) {
  std::string body;
  AppendJsonNumber(number, &body);
  return body;
}

TEST(JsonTextTest, Texts) {
  EXPECT_EQ(Text("a"), "\"a\"");
  EXPECT_EQ(Text("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
  EXPECT_EQ(Text("Zürich 😀"), "\"Zürich 😀\"");
  EXPECT_EQ(Text("a\xff"
                 "b\xc3"),
            "\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\"");
  EXPECT_EQ(Text("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // half of a pair of UTF-16
}

TEST(JsonTextTest, Numbers) {
  EXPECT_EQ(Number(0.1f), "0.1");
  EXPECT_EQ(Number(1), "1");
  EXPECT_EQ(Number(1e-30f), "1e-30");
  EXPECT_EQ(Number(std::numeric_limits<float>::infinity()), "null");
  EXPECT_EQ(Number(std::numeric_limits<float>::quiet_NaN()), "null");
}

TEST(AuthorizationTest, BearerTokens) {
  EXPECT_TRUE(IsAuthorized("", ""));
  EXPECT_TRUE(IsAuthorized("Bearer secret", "secret"));
  EXPECT_TRUE(IsAuthorized("bearer  secret ", "secret"));
  for (const char* header :
       {"", "Bearer", "Bearer ", "secret", "Basic secret", "Bearer secre", "Bearer secrets", "Bearer Secret"})
    EXPECT_FALSE(IsAuthorized(header, "secret")) << header;
}

}  // namespace
}  // namespace manygate::serve
