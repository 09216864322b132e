// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/init_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate::config {
namespace {

using ::testing::HasSubstr;

TEST(InitFunctionTest, ReadsBothFunctions) {
  const InitFunction uniform = *ParseInitFunction("nn.init.uniform_,a=-0.05, b = 0.25");
  EXPECT_EQ(uniform.kind, InitFunction::Kind::kUniform);
  EXPECT_EQ(uniform.first, -0.05f);
  EXPECT_EQ(uniform.second, 0.25f);
  const InitFunction normal = *ParseInitFunction("nn.init.normal_,std=1e-3,mean=2");
  EXPECT_EQ(normal.kind, InitFunction::Kind::kNormal);
  EXPECT_EQ(normal.first, 2.0f);
  EXPECT_EQ(normal.second, 1e-3f);
}

TEST(InitFunctionTest, DefaultsArePyTorchs) {
  EXPECT_EQ(ParseInitFunction("nn.init.uniform_")->first, 0.0f);
  EXPECT_EQ(ParseInitFunction("nn.init.uniform_")->second, 1.0f);
  EXPECT_EQ(ParseInitFunction("nn.init.normal_")->second, 1.0f);
}

TEST(InitFunctionTest, SaysWhatIsWrong) {
  const auto error = [](const char* text) { return ParseInitFunction(text).status().message(); };
  EXPECT_THAT(error(""), HasSubstr("unknown initial values \"\""));
  EXPECT_THAT(error("nn.init.xavier_"), HasSubstr("Functions: nn.init.uniform_, nn.init.normal_"));
  EXPECT_THAT(error("nn.init.normal_,sdt=1"),
              HasSubstr("nn.init.normal_ has no argument \"sdt\". Did you mean \"std\"? Arguments: mean, std"));
  EXPECT_THAT(error("nn.init.uniform_,a=x"), HasSubstr("nn.init.uniform_ needs a=<number>, found \"a=x\""));
  EXPECT_THAT(error("nn.init.uniform_,a"), HasSubstr("needs a=<number>, found \"a\""));
  EXPECT_THAT(error("nn.init.uniform_,a=inf"), HasSubstr("needs a=<number>"));
  EXPECT_THAT(error("nn.init.uniform_,a=1,b=1"), HasSubstr("needs a below b, found a=1, b=1"));
  EXPECT_THAT(error("nn.init.normal_,std=-1"), HasSubstr("needs a std of at least 0, found -1"));
}

}  // namespace
}  // namespace manygate::config
