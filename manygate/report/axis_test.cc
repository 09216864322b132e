// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Axis, RoundTicksAroundTheData) {
  const Axis axis = MakeAxis({.title = "AUC"}, 0.9421, 0.9513);
  EXPECT_THAT(axis.labels, ElementsAre("0.942", "0.944", "0.946", "0.948", "0.950", "0.952"));
  EXPECT_DOUBLE_EQ(axis.low, 0.942);
  EXPECT_DOUBLE_EQ(axis.high, 0.952);
  EXPECT_NEAR(axis.Place(0.947, 100, 200), 150, 1e-9);
  EXPECT_NEAR(axis.Place(0.942, 200, 100), 200, 1e-9);
}

TEST(Axis, WholeNumbersStayAtTheirEnds) {
  const Axis axis = MakeAxis({.title = "epoch", .whole = true}, 1, 12);
  EXPECT_EQ(axis.low, 1);
  EXPECT_EQ(axis.high, 12);
  EXPECT_THAT(axis.labels, ElementsAre("5", "10"));
  EXPECT_THAT(MakeAxis({.title = "epoch", .whole = true}, 1, 3).labels, ElementsAre("1", "2", "3"));
}

TEST(Axis, OneValueHasRoom) {
  const Axis epoch = MakeAxis({.title = "epoch", .whole = true}, 1, 1);
  EXPECT_THAT(epoch.labels, ElementsAre("0", "1", "2"));
  const Axis zero = MakeAxis({.title = "loss"}, 0, 0);
  EXPECT_LT(zero.low, 0);
  EXPECT_GT(zero.high, 0);
  const Axis large = MakeAxis({.title = "loss"}, 1e9, 1e9);
  EXPECT_LT(large.low, 1e9);
  EXPECT_GT(large.high, 1e9);
  EXPECT_GE(large.ticks.size(), 2u);
}

TEST(Axis, GivenEndsHold) {
  const Axis axis = MakeAxis({.title = "recall", .low = 0, .high = 1}, 0.4, 0.5);
  EXPECT_EQ(axis.low, 0);
  EXPECT_EQ(axis.high, 1);
  EXPECT_THAT(axis.labels, ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
}

TEST(Axis, LargeAndSmallTicks) {
  EXPECT_THAT(MakeAxis({.title = "rows"}, 0, 2e6).labels, ElementsAre("0", "500,000", "1M", "1.5M", "2M"));
  EXPECT_THAT(MakeAxis({.title = "steps"}, 0, 30000).labels, ElementsAre("0", "10,000", "20,000", "30,000"));
  EXPECT_THAT(MakeAxis({.title = "loss"}, -1e-7, 1e-7).labels, ElementsAre("-1e-07", "-5e-08", "0", "5e-08", "1e-07"));
}

TEST(Format, Numbers) {
  EXPECT_EQ(FormatNumber(0.123456), "0.1235");
  EXPECT_EQ(FormatNumber(0.389), "0.3890");
  EXPECT_EQ(FormatNumber(12.3), "12.30");
  EXPECT_EQ(FormatNumber(-3), "-3");
  EXPECT_EQ(FormatNumber(1234567.8), "1,234,568");
  EXPECT_EQ(FormatNumber(1.23e-7), "1.2e-07");
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatNumber(kNaN), "n/a");
  EXPECT_EQ(FormatNumber(-std::numeric_limits<double>::infinity()), "n/a");
}

TEST(Format, SharesAndDifferences) {
  EXPECT_EQ(FormatShare(0.0621), "6.2 %");
  EXPECT_EQ(FormatShare(0), "0.0 %");
  EXPECT_EQ(FormatShare(0.0001), "< 0.1 %");
  EXPECT_EQ(FormatShare(kNaN), "n/a");
  EXPECT_EQ(FormatDifference(0.00213), "+0.00213");
  EXPECT_EQ(FormatDifference(-0.5), "-0.500");
  EXPECT_EQ(FormatDifference(0), "0");
}

TEST(Format, TextsFitTheirRoom) {
  EXPECT_GT(TextWidth("mmmm", 12), TextWidth("iiii", 12));
  EXPECT_DOUBLE_EQ(TextWidth("abc", 12), TextWidth("abc", 24) / 2);
  EXPECT_EQ(FitText("income", 100, 12), "income");
  const std::string cut = FitText("a_column_with_a_very_long_name_indeed", 100, 12);
  EXPECT_THAT(cut, testing::EndsWith("…"));
  EXPECT_LE(TextWidth(cut, 12), 100);
  const std::string name = FitName("a_column_with_a_very_long_name_12", 120, 12);
  EXPECT_THAT(name, testing::AllOf(testing::StartsWith("a_col"), testing::HasSubstr("…"), testing::EndsWith("_12")));
  EXPECT_LE(TextWidth(name, 12), 120);
  EXPECT_EQ(FitName("income", 120, 12), "income");
  EXPECT_EQ(FitName("üüüüüüüüüüüü", 60, 12).size() % 2, 1u);
  // Between characters, not inside one.
  EXPECT_EQ(FitText("üüüüüüüüüü", 60, 12).size() % 2, 1u);
}

}  // namespace
}  // namespace manygate
