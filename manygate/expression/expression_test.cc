// SPDX-License-Identifier: Apache-2.0
#include "manygate/expression/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "manygate/expression/expression_testing.h"

namespace manygate {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNan;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(ExpressionTest, NumbersAndConstants) {
  EXPECT_EQ(Value("7"), 7);
  EXPECT_EQ(Value("1e-3"), 0.001);
  EXPECT_EQ(Value("2.5E+2"), 250);
  EXPECT_EQ(Value(".5"), 0.5);
  EXPECT_EQ(Value("5."), 5);
  EXPECT_EQ(Value(" \t\r\n3 "), 3);
  EXPECT_EQ(Value("1-1"), 0);
  EXPECT_EQ(Value("_pi"), 3.141592653589793);
  EXPECT_EQ(Value("_e"), 2.718281828459045);
}

TEST(ExpressionTest, NamesMayHoldDigitsAndCharactersBeyondAscii) {
  EXPECT_EQ(Value("u_age2+1", {{"u_age2", {4}}}), 5);
  EXPECT_EQ(Value("年龄 * 2", {{"年龄", {21}}}), 42);
  EXPECT_EQ(Value("Sin + sin(0)", {{"Sin", {3}}}), 3);
  EXPECT_EQ(Value("len + len(len)", {{"len", {3}}}), 4);  // a function only in front of "("
}

TEST(ExpressionTest, EachOperatorBindsTighterThanTheOneBefore) {
  EXPECT_EQ(Value("0 || 1 ? 5 : 6"), 5);  // (0 || 1) ? 5 : 6
  EXPECT_EQ(Value("1 || 1 && 0"), 1);     // not (1 || 1) && 0 = 0
  EXPECT_EQ(Value("2 && 0 | 0"), 0);
  EXPECT_EQ(Value("0 && 1 | 1"), 0);  // not (0 && 1) | 1 = 1
  EXPECT_EQ(Value("4 | 1 & 0"), 4);   // not (4 | 1) & 0 = 0
  EXPECT_EQ(Value("6 & 2 == 2"), 0);  // 6 & (2 == 2) = 6 & 1, not (6 & 2) == 2 = 1
  EXPECT_EQ(Value("3 == 1 + 2"), 1);
  EXPECT_EQ(Value("2 + 3 * 4"), 14);
  EXPECT_EQ(Value("8 - 6 / 2"), 5);
  EXPECT_EQ(Value("2 * 3 ^ 2"), 18);
  EXPECT_EQ(Value("-2 ^ 2"), -4);
  EXPECT_EQ(Value("!2 ^ 0"), 0);  // !(2 ^ 0), not (!2) ^ 0 = 1
  EXPECT_EQ(Value("-2 * -3"), 6);
  EXPECT_EQ(Value("!0 + 1"), 2);  // (!0) + 1
}

TEST(ExpressionTest, Associativity) {
  EXPECT_EQ(Value("8 - 3 - 2"), 3);
  EXPECT_EQ(Value("16 / 4 / 2"), 2);
  EXPECT_EQ(Value("8 / 4 * 2"), 4);
  EXPECT_EQ(Value("3 > 2 > 1"), 0);
  EXPECT_EQ(Value("2 ^ 3 ^ 2"), 512);
  EXPECT_EQ(Value("2 ^ -1 ^ 2"), 0.5);  // 2 ^ -(1 ^ 2)
  EXPECT_EQ(Value("(2 ^ 3) ^ 2"), 64);
  EXPECT_EQ(Value("0 ? 1 : 0 ? 2 : 3"), 3);
  EXPECT_EQ(Value("1 ? 0 ? 4 : 5 : 6"), 5);
  EXPECT_EQ(Value("--3"), 3);
  EXPECT_EQ(Value("!-!0"), 0);
  EXPECT_EQ(Value("2 - - + 3"), 5);
}

TEST(ExpressionTest, ComparisonsAndLogicGiveOneOrZero) {
  const NamedNumbers v = {{"v", {1, 2, 3}}};
  EXPECT_THAT(Values("v < 2", v), ElementsAre(1, 0, 0));
  EXPECT_THAT(Values("v <= 2", v), ElementsAre(1, 1, 0));
  EXPECT_THAT(Values("v > 2", v), ElementsAre(0, 0, 1));
  EXPECT_THAT(Values("v >= 2", v), ElementsAre(0, 1, 1));
  EXPECT_THAT(Values("v == 2", v), ElementsAre(0, 1, 0));
  EXPECT_THAT(Values("v != 2", v), ElementsAre(1, 0, 1));
  EXPECT_EQ(Value("-0.5 && 7"), 1);
  EXPECT_EQ(Value("0 || -0.5"), 1);
  EXPECT_EQ(Value("0 || 0"), 0);
  EXPECT_EQ(Value("!0.5"), 0);
}

TEST(ExpressionTest, BitsAreThoseOfWholeParts) {
  EXPECT_EQ(Value("12 & 10"), 8);
  EXPECT_EQ(Value("12 | 10"), 14);
  EXPECT_EQ(Value("12.9 & 10.9"), 8);
  EXPECT_EQ(Value("-1.5 & 255"), 255);  // -1 has all bits
  EXPECT_EQ(Value("-8 | 3"), -5);
  EXPECT_TRUE(std::isnan(Value("2 ^ 63 | 0")));
  EXPECT_EQ(Value("2 ^ 62 | 0"), 0x1p62);
  EXPECT_TRUE(std::isnan(Value("1 / 0 & 1")));
  EXPECT_TRUE(std::isnan(Value("1 & 0 / 0")));
}

TEST(ExpressionTest, ArithmeticAtItsEdgesGivesInfinityAndNan) {
  EXPECT_EQ(Value("1 / 0"), kInfinity);
  EXPECT_EQ(Value("1 / -0"), -kInfinity);
  EXPECT_TRUE(std::isnan(Value("0 / 0")));
  EXPECT_EQ(Value("log(0)"), -kInfinity);
  EXPECT_TRUE(std::isnan(Value("log(-1)")));
  EXPECT_TRUE(std::isnan(Value("sqrt(-1)")));
  EXPECT_TRUE(std::isnan(Value("asin(1.01)")));
  EXPECT_TRUE(std::isnan(Value("(-8) ^ (1 / 3)")));
  EXPECT_EQ(Value("0 ^ 0"), 1);
  EXPECT_EQ(Value("exp(1000)"), kInfinity);
  EXPECT_EQ(Value("sigmoid(-1000)"), 0);
  EXPECT_EQ(Value("sigmoid(1000)"), 1);
  EXPECT_EQ(Value("atanh(1)"), kInfinity);
}

TEST(ExpressionTest, NanIsNeitherTrueNorFalse) {
  for (const char* text : {"x && 0", "1 || x", "!x", "x ? 1 : 2", "min(1, x)", "min(x, 1)", "max(x, 1)", "max(1, x)",
                           "sum(x, 1)", "avg(1, x)", "sign(x)", "rint(x)", "roundp(x, 2)", "roundp(1, x)", "x | 1",
                           "reduce_min(x)", "haversine(x, 1, 1, 1)", "sphere_dist(1, x, 1, 1)"}) {
    EXPECT_TRUE(std::isnan(Value(text, {{"x", {kNan}}}))) << text;
  }
  for (const char* text : {"x == x", "x < 1", "x <= 1", "x > 1", "x >= 1"}) EXPECT_EQ(Value(text, {{"x", {kNan}}}), 0);
  EXPECT_EQ(Value("x != x", {{"x", {kNan}}}), 1);
  EXPECT_EQ(Value("1 ? 2 : x", {{"x", {kNan}}}), 2);
}

TEST(ExpressionTest, Rounding) {
  const NamedNumbers halves = {{"x", {-2.5, -1.5, -0.4, 0.5, 1.5, 2.5, 2.6}}};
  EXPECT_THAT(Values("rint(x)", halves), ElementsAre(-2, -2, 0, 0, 2, 2, 3));
  EXPECT_THAT(Values("round(x)", halves), ElementsAre(-3, -2, 0, 1, 2, 3, 3));
  EXPECT_THAT(Values("floor(x)", halves), ElementsAre(-3, -2, -1, 0, 1, 2, 2));
  EXPECT_THAT(Values("ceil(x)", halves), ElementsAre(-2, -1, 0, 1, 2, 3, 3));
  EXPECT_THAT(Values("trunc(x)", halves), ElementsAre(-2, -1, 0, 0, 1, 2, 2));
  EXPECT_EQ(Value("rint(4503599627370497.5)"), 4503599627370498);  // the largest halves that a double has
}

TEST(ExpressionTest, RoundingToAPlace) {
  EXPECT_EQ(Value("roundp(3.14159, 2)"), 3.14);
  EXPECT_EQ(Value("roundp(-2.5, 0)"), -3);
  EXPECT_EQ(Value("roundp(1250, -2)"), 1300);
  EXPECT_EQ(Value("roundp(3.14159, 2.9)"), 3.14);
  EXPECT_EQ(Value("roundp(1e300, 20)"), 1e300);
  EXPECT_EQ(Value("roundp(0.1, 400)"), 0.1);
  EXPECT_EQ(Value("roundp(5, -400)"), 0);
  EXPECT_EQ(Value("roundp(1 / 0, 2)"), kInfinity);
  EXPECT_EQ(Value("roundp(0, 1 / 0)"), 0);
}

TEST(ExpressionTest, Distances) {
  // Berlin and Paris, about 878 km.
  const char* const berlin_paris = "(13.4050, 52.5200, 2.3522, 48.8566)";
  EXPECT_NEAR(Value(std::string("haversine") + berlin_paris), 877.464, 0.01);
  EXPECT_NEAR(Value(std::string("sphere_dist") + berlin_paris), 877.464, 0.01);
  EXPECT_EQ(Value("sphere_dist(10, 20, 10, 20)"), 0);  // the cosine may come out above 1
  EXPECT_EQ(Value("haversine(10, 20, 10, 20)"), 0);
  EXPECT_NEAR(Value("haversine(0, 0, 180, 0)"), 20015.114442, 1e-6);  // half of the circle
  EXPECT_NEAR(Value("haversine(0, 0, 0.00001, 0)"), 0.001111951, 1e-9);
}

TEST(ExpressionTest, FunctionsOfAnyNumberOfArguments) {
  EXPECT_EQ(Value("min(4)"), 4);
  EXPECT_EQ(Value("min(3, 1, 2)"), 1);
  EXPECT_EQ(Value("max(3, 1, 5, 2)"), 5);
  EXPECT_EQ(Value("sum(1, 2, 3, 4)"), 10);
  EXPECT_EQ(Value("avg(1, 2, 3, 4)"), 2.5);
  std::string text = "sum(0";
  for (int i = 1; i <= 1000; ++i) text += ',' + std::to_string(i);
  EXPECT_EQ(Value(text + ")"), 500500);
}

TEST(ExpressionTest, AScalarGoesWithEveryElement) {
  const NamedNumbers row = {{"s", {10}}, {"v", {1, 2, 3}}};
  EXPECT_THAT(Values("s - v", row), ElementsAre(9, 8, 7));
  EXPECT_THAT(Values("v - s", row), ElementsAre(-9, -8, -7));
  EXPECT_THAT(Values("-v", row), ElementsAre(-1, -2, -3));
  EXPECT_THAT(Values("v > 1 ? s : -s", row), ElementsAre(-10, 10, 10));
  EXPECT_THAT(Values("s > 1 ? v : -v", row), ElementsAre(1, 2, 3));
  EXPECT_THAT(Values("s + s", row), ElementsAre(20));
  // The right side is a vector where the left is a computed scalar, and the other way round.
  EXPECT_THAT(Values("(s + 1) * (v + v)", row), ElementsAre(22, 44, 66));
  EXPECT_THAT(Values("(v + v) * (s + 1)", row), ElementsAre(22, 44, 66));
  EXPECT_THAT(Values("max(v, 2, s - 8.5)", row), ElementsAre(2, 2, 3));
}

TEST(ExpressionTest, FillMissingStandsWhereAVectorIsShorter) {
  const NamedNumbers row = {{"v", {1, 2, 3}}, {"w", {10, 20}}};
  EXPECT_THAT(Values("v + w", row), ElementsAre(DoubleEq(11), DoubleEq(22), IsNan()));
  EXPECT_THAT(Values("v + w", row, 0), ElementsAre(11, 22, 3));
  EXPECT_THAT(Values("w - v", row, 100), ElementsAre(9, 18, 97));
  EXPECT_THAT(Values("sum(w, v, w)", row, 1), ElementsAre(21, 42, 5));
  EXPECT_THAT(Values("dot(v, w)", row, 1), ElementsAre(53));  // 10 + 40 + 3 * 1
  EXPECT_THAT(Values("dot(v, w)", row), ElementsAre(IsNan()));
  EXPECT_THAT(Values("euclid_dist(w, v)", row, 3), ElementsAre(DoubleEq(std::sqrt(81.0 + 324.0))));
}

TEST(ExpressionTest, FunctionsOfVectors) {
  const NamedNumbers row = {{"v", {3, -4, 1}}, {"w", {1, 2, 2}}, {"s", {5}}};
  EXPECT_EQ(Value("len(v)", row), 3);
  EXPECT_EQ(Value("len(s)", row), 1);
  EXPECT_EQ(Value("l2_norm(w)", row), 3);
  EXPECT_EQ(Value("squared_norm(v)", row), 26);
  EXPECT_EQ(Value("dot(v, w)", row), -3);
  EXPECT_EQ(Value("dot(v, s)", row), 0);
  EXPECT_EQ(Value("dot(s, s)", row), 25);
  EXPECT_EQ(Value("euclid_dist(v, w)", row), std::sqrt(4.0 + 36.0 + 1.0));
  EXPECT_EQ(Value("euclid_dist(2, s)", row), 3);
  EXPECT_EQ(Value("variance(v)", row), 26.0 / 3);  // the mean is 0
  EXPECT_EQ(Value("pop_variance(v)", row), 13);
  EXPECT_EQ(Value("std_dev(v)", row), std::sqrt(26.0 / 3));
  EXPECT_EQ(Value("pop_std_dev(v)", row), std::sqrt(13.0));
  EXPECT_EQ(Value("variance(s)", row), 0);
  EXPECT_TRUE(std::isnan(Value("pop_std_dev(s)", row)));
  EXPECT_EQ(Value("reduce_min(v)", row), -4);
  EXPECT_EQ(Value("reduce_max(v)", row), 3);
  EXPECT_EQ(Value("reduce_sum(v)", row), 0);
  EXPECT_EQ(Value("reduce_mean(w)", row), 5.0 / 3);
  EXPECT_EQ(Value("reduce_prod(v)", row), -12);
}

TEST(ExpressionTest, FunctionsOfVectorsTakeAndGiveExpressions) {
  const NamedNumbers row = {{"v", {1, 2, 3}}, {"s", {10}}};
  EXPECT_EQ(Value("reduce_sum(v * s + 1)", row), 63);
  EXPECT_THAT(Values("v / reduce_sum(v)", row), ElementsAre(DoubleEq(1.0 / 6), DoubleEq(2.0 / 6), DoubleEq(0.5)));
  EXPECT_EQ(Value("dot(v, v - reduce_mean(v)) / len(v)", row), 2.0 / 3);
  EXPECT_EQ(Value("reduce_max(v) > s ? 1 : 0", row), 0);
}

TEST(ExpressionTest, AMissingVariableThatIsUsedMakesTheResultMissing) {
  const NamedNumbers row = {{"a", {1}}, {"v", {1, 2}}, {"none", {}}};
  EXPECT_THAT(Values("none", row), IsEmpty());
  EXPECT_THAT(Values("a + none", row), IsEmpty());
  EXPECT_THAT(Values("v * none", row), IsEmpty());
  EXPECT_THAT(Values("len(none)", row), IsEmpty());
  EXPECT_THAT(Values("a ? a : none", row), IsEmpty());
  EXPECT_THAT(Values("a + 1", row), ElementsAre(2));
}

TEST(ExpressionTest, AVectorByItselfIsCopied) {
  EXPECT_THAT(Values("v", {{"v", {1, 2}}}), ElementsAre(1, 2));
  EXPECT_THAT(Values("(v)", {{"v", {7}}}), ElementsAre(7));
}

TEST(ExpressionTest, TellsWhichVariablesItUses) {
  const std::vector<std::string> names = {"a", "b", "c"};
  const StatusOr<Expression> expression = Expression::Parse("c + a * len(a)", names);
  ASSERT_TRUE(expression.ok());
  EXPECT_TRUE(expression->Uses(0));
  EXPECT_FALSE(expression->Uses(1));
  EXPECT_TRUE(expression->Uses(2));
}

TEST(ExpressionTest, OneWorkspaceServesRowsOfAllShapesAndSeveralExpressions) {
  const std::vector<std::string> names = {"a", "b"};
  const StatusOr<Expression> long_one = Expression::Parse("(a + b) * (a - b) + sum(a, b, a, b)", names);
  const StatusOr<Expression> short_one = Expression::Parse("a * b", names);
  ASSERT_TRUE(long_one.ok() && short_one.ok());
  const std::vector<double> scalar = {3}, pair = {1, 2}, triple = {5, 6, 7};
  ExpressionWorkspace workspace;
  std::vector<double> result;
  const auto evaluate = [&](const Expression& expression, std::span<const double> a, std::span<const double> b) {
    const std::array<std::span<const double>, 2> row = {a, b};
    expression.Evaluate(row, &workspace, &result);
    return result;
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(evaluate(*short_one, scalar, scalar), ElementsAre(9));
    EXPECT_THAT(evaluate(*long_one, scalar, scalar), ElementsAre(12));
    EXPECT_THAT(evaluate(*long_one, triple, scalar), ElementsAre(32, 45, 60));  // 8 * 2 + 16, 9 * 3 + 18, 10 * 4 + 20
    EXPECT_THAT(evaluate(*long_one, pair, {}), IsEmpty());
    EXPECT_THAT(evaluate(*short_one, pair, scalar), ElementsAre(3, 6));
    EXPECT_THAT(evaluate(*long_one, scalar, pair), ElementsAre(16, 15));  // 4 * 2 + 8, 5 * 1 + 10
  }
}

}  // namespace
}  // namespace manygate
