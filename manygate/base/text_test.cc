// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SplitTest, KeepsEmptyPieces) {
  EXPECT_THAT(Split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
}

TEST(TrimTest, RemovesBlanksAtBothEnds) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim(" \t "), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(ToLowerTest, LeavesOtherBytes) { EXPECT_EQ(ToLower("AbZ_9\xC3\x84"), "abz_9\xC3\x84"); }

TEST(NearestNameTest, FindsTypingErrors) {
  const std::vector<std::string> names = {"click", "purchase", "num_expert", "expert_mlp", "hidden_units"};
  EXPECT_EQ(NearestName("clk", names), "click");
  EXPECT_EQ(NearestName("clcik", names), "click");
  EXPECT_EQ(NearestName("Purchase", names), "purchase");
  EXPECT_EQ(NearestName("expert_num", names), "num_expert");
  EXPECT_EQ(NearestName("num_experts", names), "num_expert");
  EXPECT_EQ(NearestName("hidden_unit", names), "hidden_units");
}

TEST(NearestNameTest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(NearestName("banana", std::vector<std::string>{"click", "age"}), "");
  EXPECT_EQ(NearestName("a", std::vector<std::string>{"b"}), "");
  EXPECT_EQ(NearestName("", std::vector<std::string>{"a", ""}), "");
  EXPECT_EQ(NearestName(std::string(100000, 'x'), std::vector<std::string>{std::string(100000, 'x')}), "");
}

TEST(NearestNameTest, TheSameCaseWins) {
  EXPECT_EQ(NearestName("Age", std::vector<std::string>{"age", "Age"}), "Age");
  EXPECT_EQ(NearestName("AGE", std::vector<std::string>{"age", "wage"}), "age");
}

TEST(SuggestionTest, NamesTheNearestAndTheList) {
  const std::vector<std::string> columns = {"age", "click"};
  EXPECT_EQ(Suggestion("clk", columns, "Columns"), "Did you mean \"click\"? Columns: age, click");
  EXPECT_EQ(Suggestion("banana", columns, "Columns"), "Columns: age, click");
  EXPECT_EQ(Suggestion("x", {}, "Columns"), "Columns: none");
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back("column" + std::to_string(i));
  EXPECT_EQ(Suggestion("zzz", many, "Columns"),
            "Columns: column0, column1, column2, column3, column4, column5, column6, column7, column8, column9, "
            "column10, column11, ... (40 in all)");
}

TEST(ExpandEnvironmentTest, ReplacesVariablesAndDefaults) {
  setenv("MANYGATE_TEXT_TEST", "here", 1);
  setenv("MANYGATE_TEXT_TEST_EMPTY", "", 1);
  unsetenv("MANYGATE_TEXT_TEST_ABSENT");
  EXPECT_EQ(*ExpandEnvironment("a/${MANYGATE_TEXT_TEST}/b$c"), "a/here/b$c");
  EXPECT_EQ(*ExpandEnvironment("${MANYGATE_TEXT_TEST_ABSENT:-data}/x"), "data/x");
  EXPECT_EQ(*ExpandEnvironment("${MANYGATE_TEXT_TEST_EMPTY:-data}|${MANYGATE_TEXT_TEST_EMPTY}"), "data|");
  EXPECT_EQ(*ExpandEnvironment("${MANYGATE_TEXT_TEST_ABSENT:-}"), "");
  EXPECT_EQ(*ExpandEnvironment(""), "");
}

TEST(ExpandEnvironmentTest, NamesWhatIsWrong) {
  unsetenv("MANYGATE_TEXT_TEST_ABSENT");
  const StatusOr<std::string> unset = ExpandEnvironment("${MANYGATE_TEXT_TEST_ABSENT}/x");
  ASSERT_FALSE(unset.ok());
  EXPECT_EQ(unset.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(unset.status().message(), HasSubstr("the environment variable MANYGATE_TEXT_TEST_ABSENT is not set"));
  EXPECT_THAT(ExpandEnvironment("a${B").status().message(), HasSubstr("without a closing \"}\""));
  EXPECT_THAT(ExpandEnvironment("${1a}").status().message(), HasSubstr("\"1a\" is not the name"));
}

TEST(FormatTest, Counts) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-123456), "-123,456");
}

TEST(FormatTest, SecondsAndBytes) {
  EXPECT_EQ(FormatSeconds(0.85), "850 ms");
  EXPECT_EQ(FormatSeconds(12.34), "12.3 s");
  EXPECT_EQ(FormatSeconds(59.97), "1 min 00 s");
  EXPECT_EQ(FormatSeconds(245), "4 min 05 s");
  EXPECT_EQ(FormatSeconds(7380), "2 h 03 min");
  EXPECT_EQ(FormatSeconds(-1), "?");
  EXPECT_EQ(FormatBytes(512), "512 bytes");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(uint64_t{12} << 20), "12.0 MiB");
}

}  // namespace
}  // namespace manygate
