// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace manygate {
namespace {

using ::testing::ElementsAre;

// Known answers of Random123 (kat_vectors, philox4x32 with 10 rounds): counter, key, result.
TEST(PhiloxTest, GivesThePublishedAnswers) {
  EXPECT_THAT(Philox(0, 0).Block(0), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(Philox(~uint64_t{0}, ~uint64_t{0}).Block(~uint64_t{0}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(Philox(0x299f31d0a4093822, 0x0370734413198a2e).Block(0x85a308d3243f6a88),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(UnitTest, CoversZeroToBelowOne) {
  EXPECT_EQ(UnitFloat(0), 0.0f);
  EXPECT_LT(UnitFloat(0xFFFFFFFF), 1.0f);
  EXPECT_EQ(UnitFloat(0x80000000), 0.5f);
  EXPECT_EQ(UnitDouble(0, 0x80000000), 0.5);
  EXPECT_LT(UnitDouble(0xFFFFFFFF, 0xFFFFFFFF), 1.0);
}

TEST(NormalPairTest, IsFiniteAtTheEdges) {
  EXPECT_THAT(NormalPair({0, 0, 0, 0}), ElementsAre(0.0, 0.0));
  EXPECT_LT(std::abs(NormalPair({0xFFFFFFFF, 0xFFFFFFFF, 0, 0})[0]), 9.0);
}

TEST(FillTest, UniformHasItsMomentsAndRange) {
  std::vector<float> values(100001);
  FillUniform(values, -1, 3, 7, 2);
  double sum = 0, squares = 0;
  for (float value : values) {
    ASSERT_GE(value, -1.0f);
    ASSERT_LT(value, 3.0f);
    sum += value;
    squares += double{value} * value;
  }
  const double mean = sum / values.size();
  EXPECT_NEAR(mean, 1.0, 0.02);                                         // deviation of the mean: 0.0037
  EXPECT_NEAR(squares / values.size() - mean * mean, 16.0 / 12, 0.02);  // (high - low)^2 / 12
}

TEST(FillTest, NormalHasItsMoments) {
  std::vector<float> values(100001);
  FillNormal(values, 2, 3, 7, 2);
  double sum = 0, squares = 0;
  for (float value : values) sum += value;
  const double mean = sum / values.size();
  int within_one = 0;
  for (float value : values) {
    squares += (value - mean) * (value - mean);
    within_one += std::abs(value - 2) < 3;
  }
  EXPECT_NEAR(mean, 2.0, 0.05);
  EXPECT_NEAR(std::sqrt(squares / values.size()), 3.0, 0.05);
  EXPECT_NEAR(static_cast<double>(within_one) / values.size(), 0.6827, 0.01);
}

TEST(FillTest, DependsOnSeedStreamAndPositionOnly) {
  std::vector<float> all(10), first(7), other_seed(10), other_stream(10);
  FillUniform(all, 0, 1, 1, 1);
  FillUniform(first, 0, 1, 1, 1);
  FillUniform(other_seed, 0, 1, 2, 1);
  FillUniform(other_stream, 0, 1, 1, 2);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
  EXPECT_NE(all, other_seed);
  EXPECT_NE(all, other_stream);
}

TEST(RandomPermutationTest, HoldsEveryNumberOnce) {
  for (uint32_t n : {0u, 1u, 2u, 1000u}) {
    std::vector<uint32_t> order = RandomPermutation(n, 3, 4);
    ASSERT_EQ(order.size(), n);
    std::sort(order.begin(), order.end());
    for (uint32_t i = 0; i < n; ++i) EXPECT_EQ(order[i], i);
  }
}

TEST(RandomPermutationTest, IsRepeatableAndDependsOnTheStream) {
  EXPECT_EQ(RandomPermutation(100, 3, 4), RandomPermutation(100, 3, 4));
  EXPECT_NE(RandomPermutation(100, 3, 4), RandomPermutation(100, 3, 5));
  EXPECT_NE(RandomPermutation(100, 3, 4), RandomPermutation(100, 4, 4));
}

TEST(RandomPermutationTest, IsUnbiased) {
  std::map<std::vector<uint32_t>, int> counts;
  for (uint64_t stream = 0; stream < 24000; ++stream) ++counts[RandomPermutation(4, 9, stream)];
  EXPECT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [order, count] : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom, p = 0.001
}

TEST(RandomPermutationTest, IsFast) {
  double best_milliseconds = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<uint32_t> order = RandomPermutation(200000, 1, i);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    ASSERT_EQ(order.size(), 200000u);
    best_milliseconds = std::min(best_milliseconds, elapsed.count());
  }
  RecordProperty("milliseconds", std::to_string(best_milliseconds));
  EXPECT_LT(best_milliseconds, 50);  // about 2 without sanitizers on a free machine
}

}  // namespace
}  // namespace manygate
