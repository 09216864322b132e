// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/c_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace manygate {
namespace {

TEST(CTextTest, NamesBecomeIdentifiers) {
  EXPECT_EQ(CIdentifier("age"), "age");
  EXPECT_EQ(CIdentifier("age (years)"), "age__years_");
  EXPECT_EQ(CIdentifier("7days"), "x7days");
  EXPECT_EQ(CIdentifier("_hidden"), "x_hidden");
  EXPECT_EQ(CIdentifier("double"), "double_");
  EXPECT_EQ(CIdentifier("日"), "x___");
  EXPECT_EQ(CIdentifier(""), "x");
  EXPECT_TRUE(IsCIdentifier("census_2"));
  for (const char* wrong : {"", "2census", "my-model", "int", "_x", "a b"}) EXPECT_FALSE(IsCIdentifier(wrong)) << wrong;
}

TEST(CTextTest, NamesAreGivenOnce) {
  std::set<std::string> taken;
  EXPECT_EQ(NewCIdentifier("a b", &taken), "a_b");
  EXPECT_EQ(NewCIdentifier("a-b", &taken), "a_b_2");
  EXPECT_EQ(NewCIdentifier("a_b", &taken), "a_b_3");
}

TEST(CTextTest, NumbersReadBackAsTheSame) {
  EXPECT_EQ(CLiteral(0.1f), "0.1f");
  EXPECT_EQ(CLiteral(3.0f), "3.0f");
  EXPECT_EQ(CLiteral(-0.0f), "-0.0f");
  EXPECT_EQ(CLiteral(1e30f), "1e+30f");
  EXPECT_EQ(CLiteral(0.1), "0.1");
  EXPECT_EQ(CLiteral(-2.0), "-2.0");
  EXPECT_EQ(CLiteral(std::numeric_limits<float>::infinity()), "INFINITY");
  EXPECT_EQ(CLiteral(-std::numeric_limits<double>::infinity()), "-INFINITY");
  EXPECT_EQ(CLiteral(std::numeric_limits<float>::quiet_NaN()), "NAN");
}

TEST(CTextTest, TextsHoldAnyByte) {
  EXPECT_EQ(CLiteral(std::string_view("plain text")), "\"plain text\"");
  EXPECT_EQ(CLiteral(std::string_view("a\"b\\c?")), "\"a\\042b\\134c\\077\"");
  // Three octal digits, so that a digit behind them is not part of the byte.
  EXPECT_EQ(CLiteral(std::string_view("\n1\xc3\xbc")), "\"\\0121\\303\\274\"");
}

TEST(CTextTest, CommentsCannotBeEnded) {
  EXPECT_EQ(CComment("a */ b"), "a * / b");
  EXPECT_EQ(CComment("a /* b"), "a / * b");
  EXPECT_EQ(CComment("two\nlines"), "two lines");
}

}  // namespace
}  // namespace manygate
