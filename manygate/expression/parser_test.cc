// SPDX-License-Identifier: Apache-2.0
// What is refused, with which words.
#include "manygate/expression/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/expression/expression_testing.h"

namespace manygate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ErrorOf(std::string_view text, const std::vector<std::string>& variables = {"a", "click_count"}) {
  const StatusOr<Expression> expression = Expression::Parse(text, variables);
  if (expression.ok()) return "";
  EXPECT_EQ(expression.status().code(), StatusCode::kInvalidInput);
  return expression.status().message();
}

constexpr const char* kOperand = "expected a number, a variable, a function or \"(\"";

struct WrongText {
  std::string text;
  std::string message;
};

TEST(ParserTest, AnOperandIsMissing) {
  const std::vector<WrongText> cases = {
      {"", "at character 1: the text ends, "},      {"  ", "at character 3: the text ends, "},
      {"a +", "at character 4: the text ends, "},   {"a + * 2", "at character 5: found \"*\", "},
      {"(a + )", "at character 6: found \")\", "},  {"()", "at character 2: found \")\", "},
      {"-", "at character 2: the text ends, "},     {"a ? : 1", "at character 5: found \":\", "},
      {"sin(,1)", "at character 5: found \",\", "}, {"max(1,)", "at character 7: found \")\", "},
      {"2 ^", "at character 4: the text ends, "},   {"a && || a", "at character 6: found \"||\", "},
      {"a <> 2", "at character 4: found \">\", "},  {"? 1 : 2", "at character 1: found \"?\", "},
      {"年 + )", "at character 5: found \")\", "},
  };
  for (const WrongText& wrong : cases) {
    EXPECT_EQ(ErrorOf(wrong.text, {"a", "年"}), wrong.message + kOperand) << wrong.text;
  }
}

TEST(ParserTest, SomethingStandsWhereAnOperatorIsExpected) {
  const std::vector<WrongText> cases = {
      {"a a", "at character 3: found \"a\", expected an operator or the end"},
      {"a 2", "at character 3: found \"2\", expected an operator or the end"},
      {"1.2.3", "at character 4: found \".3\", expected an operator or the end"},
      {"0x10", "at character 2: found \"x10\", expected an operator or the end"},
      {"2e", "at character 2: found \"e\", expected an operator or the end"},
      {"a)", "at character 2: found \")\", expected an operator or the end"},
      {"a, a", "at character 2: found \",\", expected an operator or the end"},
      {"a ! a", "at character 3: found \"!\", expected an operator or the end"},
      {"2(a)", "at character 2: found \"(\", expected an operator or the end"},
      {"(a", "at character 3: the text ends, expected an operator or \")\" for the \"(\" at character 1"},
      {"2 * (a 3)", "at character 8: found \"3\", expected an operator or \")\" for the \"(\" at character 5"},
      {"sin(a", "at character 6: the text ends, expected an operator, \",\" or \")\" for the \"(\" at character 4"},
      {"max(a a)", "at character 7: found \"a\", expected an operator, \",\" or \")\" for the \"(\" at character 4"},
      {"a ? 1", "at character 6: the text ends, expected an operator or \":\" for the \"?\" at character 3"},
      {"a ? 1, 2", "at character 6: found \",\", expected an operator or \":\" for the \"?\" at character 3"},
  };
  for (const WrongText& wrong : cases) EXPECT_EQ(ErrorOf(wrong.text), wrong.message) << wrong.text;
}

TEST(ParserTest, OtherLanguagesSpellings) {
  EXPECT_EQ(ErrorOf("a = 1"), "at character 3: found \"=\"; equality is written \"==\"");
  EXPECT_EQ(ErrorOf("a and a"), "at character 3: found \"and\"; it is written \"&&\"");
  EXPECT_EQ(ErrorOf("(a or a)"), "at character 4: found \"or\"; it is written \"||\"");
  EXPECT_EQ(ErrorOf("a ** 2"), "at character 4: found \"*\"; a power is written \"^\"");
  EXPECT_EQ(ErrorOf("not a"), "at character 1: found \"not\"; it is written \"!\"");
  EXPECT_EQ(ErrorOf("not (a)"), "at character 1: found \"not\"; it is written \"!\"");
}

TEST(ParserTest, UnknownNames) {
  EXPECT_EQ(
      ErrorOf("1 + click_cuont"),
      "at character 5: \"click_cuont\" is not a variable. Did you mean \"click_count\"? Variables: a, click_count");
  EXPECT_EQ(ErrorOf("b", {}), "at character 1: \"b\" is not a variable. Variables: none");
  EXPECT_THAT(ErrorOf("sqr(a)"),
              StartsWith("at character 1: \"sqr\" is not a function. Did you mean \"sqrt\"? Functions: "));
  EXPECT_EQ(ErrorOf("1 + a(2)"), "at character 5: \"a\" is a variable, not a function");
  EXPECT_EQ(ErrorOf("1 + dot"), "at character 5: dot is a function, written dot(vector, vector)");
  EXPECT_EQ(ErrorOf("a + rnd()"), "at character 5: there is no rnd: the same row must give the same value every time");
  EXPECT_EQ(ErrorOf("rnd"), "at character 1: there is no rnd: the same row must give the same value every time");
  EXPECT_THAT(ErrorOf("_pi(2)"), StartsWith("at character 1: \"_pi\" is not a function. "));
}

TEST(ParserTest, WordsThatMeanSomethingElsewhereMayNameVariables) {
  EXPECT_EQ(Value("rnd + and * not", {{"rnd", {1}}, {"and", {2}}, {"not", {3}}}), 7);
  EXPECT_EQ(Value("sin + 1", {{"sin", {1}}}), 2);
}

TEST(ParserTest, NumberOfArguments) {
  EXPECT_EQ(ErrorOf("2 * sin()"), "at character 5: sin(x) takes 1 argument, found 0");
  EXPECT_EQ(ErrorOf("sin(a, 2)"), "at character 1: sin(x) takes 1 argument, found 2");
  EXPECT_EQ(ErrorOf("roundp(a)"), "at character 1: roundp(x, places) takes 2 arguments, found 1");
  EXPECT_EQ(ErrorOf("haversine(a, a, a)"),
            "at character 1: haversine(lng1, lat1, lng2, lat2) takes 4 arguments, found 3");
  EXPECT_EQ(ErrorOf("min()"), "at character 1: min(x, ...) takes at least 1 argument, found 0");
  EXPECT_EQ(ErrorOf("len(a, a)"), "at character 1: len(vector) takes 1 argument, found 2");
}

TEST(ParserTest, CharactersAndNumbersThatAreNone) {
  EXPECT_EQ(ErrorOf("a % 2"), "at character 3: found \"%\", which is no part of an expression");
  EXPECT_EQ(ErrorOf("a[0]"), "at character 2: found \"[\", which is no part of an expression");
  EXPECT_EQ(ErrorOf("."), "at character 1: found \".\", which is no part of an expression");
  EXPECT_EQ(ErrorOf(std::string_view("a\0b", 3)), "at character 2: found \"\\x00\", which is no part of an expression");
  EXPECT_EQ(ErrorOf("1 + 1e999"), "at character 5: the number 1e999 is too large or too small for a double");
  EXPECT_EQ(ErrorOf("1e-999"), "at character 1: the number 1e-999 is too large or too small for a double");
}

TEST(ParserTest, NestingIsLimited) {
  const auto nested = [](size_t levels, std::string_view open, std::string_view close) {
    std::string text;
    for (size_t i = 0; i < levels; ++i) text += open;
    text += "1";
    for (size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  // The whole text is a level.
  EXPECT_EQ(Value(nested(255, "(", ")")), 1);
  EXPECT_EQ(Value(nested(254, "-", "")), 1);
  EXPECT_EQ(Value(nested(255, "1^", "")), 1);
  EXPECT_EQ(Value(nested(255, "0 ? 0 : ", "")), 1);
  EXPECT_EQ(ErrorOf(nested(256, "(", ")")), "at character 257: nested more than 256 levels deep");
  EXPECT_EQ(ErrorOf(nested(256, "-", "")), "at character 256: nested more than 256 levels deep");
  EXPECT_EQ(ErrorOf(nested(256, "1^", "")), "at character 512: nested more than 256 levels deep");
  EXPECT_EQ(ErrorOf(nested(256, "sin(", ")")), "at character 1025: nested more than 256 levels deep");
  EXPECT_THAT(ErrorOf(nested(30000, "(", ")")), HasSubstr("nested more than 256 levels deep"));
  // What stands side by side is not nested.
  std::string chain = "0";
  for (int i = 0; i < 5000; ++i) chain += "+(1)*-1";
  EXPECT_EQ(Value(chain), -5000);
}

TEST(ParserTest, LengthIsLimited) {
  const std::string longest = "1" + std::string(kMostExpressionBytes - 1, ' ');
  EXPECT_EQ(Value(longest), 1);
  EXPECT_EQ(ErrorOf(longest + "+1"), "at character 65537: an expression has at most 65,536 bytes, this one 65,538");
}

TEST(ParserTest, NamesOfVariables) {
  EXPECT_EQ(
      ErrorOf("a", {"a", "capital-gain"}),
      "an expression cannot name the variable \"capital-gain\": expected a letter or \"_\" and then letters, digits "
      "and \"_\"");
  EXPECT_THAT(ErrorOf("a", {"a", ""}), StartsWith("an expression cannot name the variable \"\": "));
  EXPECT_THAT(ErrorOf("a", {"2a"}), StartsWith("an expression cannot name the variable \"2a\": "));
  EXPECT_EQ(ErrorOf("a", {"a", "b", "a"}), "two variables are named \"a\"");
  EXPECT_EQ(ErrorOf("1", {"_pi"}), "the variable \"_pi\" has the name of a constant");
}

}  // namespace
}  // namespace manygate
