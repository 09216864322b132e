// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace manygate {
namespace {

using ::testing::ElementsAre;

// sum over i of (i + 1) * permutation[i]: any exchange of two numbers changes it.
uint64_t OrderedSum(const std::vector<uint32_t>& permutation) {
  uint64_t sum = 0;
  for (size_t i = 0; i < permutation.size(); ++i) sum += (i + 1) * permutation[i];
  return sum;
}

// All expected numbers printed by numpy.random.RandomState(seed).permutation(n) of numpy itself.
TEST(NumpyRandomState, PermutationsAreThoseOfNumpy) {
  EXPECT_THAT(NumpyRandomState(1).Permutation(10), ElementsAre(2, 9, 6, 4, 0, 3, 1, 7, 8, 5));
  EXPECT_THAT(NumpyRandomState(0).Permutation(7), ElementsAre(6, 2, 1, 3, 0, 5, 4));
  EXPECT_THAT(NumpyRandomState(42).Permutation(1), ElementsAre(0));
  EXPECT_THAT(NumpyRandomState(3).Permutation(0), ElementsAre());
}

TEST(NumpyRandomState, LongPermutationsAreThoseOfNumpy) {
  // The number of rows of the Census-Income test file, and both sides of a power of two (the masked rejection).
  const std::vector<uint32_t> census = NumpyRandomState(1).Permutation(99762);
  EXPECT_THAT(std::vector<uint32_t>(census.begin(), census.begin() + 6),
              ElementsAre(68068, 63683, 67714, 26690, 29516, 66480));
  EXPECT_EQ(OrderedSum(census), 248439989298121u);
  EXPECT_EQ(OrderedSum(NumpyRandomState(12345).Permutation(65536)), 70307411020379u);
  EXPECT_EQ(OrderedSum(NumpyRandomState(7).Permutation(65537)), 70375355228216u);
}

TEST(NumpyRandomState, FirstNumbersOfMt19937) {
  // The reference generator's first output for its default seed.
  NumpyRandomState random(5489);
  EXPECT_EQ(random.NextUint32(), 3499211612u);
  for (int i = 2; i < 10000; ++i) random.NextUint32();
  EXPECT_EQ(random.NextUint32(), 4123659995u);  // the 10000th, as the C++ standard states for mt19937
}

TEST(HalvesSplit, FirstHalfValidatesSecondHalfTests) {
  const RowSplit split = HalvesSplit(10, 1);  // permutation 2 9 6 4 0 | 3 1 7 8 5
  EXPECT_THAT(split.validation, ElementsAre(0, 2, 4, 6, 9));
  EXPECT_THAT(split.test, ElementsAre(1, 3, 5, 7, 8));
  EXPECT_TRUE(split.train.empty());
  const RowSplit odd = HalvesSplit(7, 0);  // permutation 6 2 1 | 3 0 5 4
  EXPECT_THAT(odd.validation, ElementsAre(1, 2, 6));
  EXPECT_THAT(odd.test, ElementsAre(0, 3, 4, 5));
}

TEST(FractionSplit, EveryRowOnceAndSizesRoundedDown) {
  const RowSplit split = FractionSplit(1005, 0.1, 0.2, 3);
  EXPECT_EQ(split.validation.size(), 100u);
  EXPECT_EQ(split.test.size(), 201u);
  EXPECT_EQ(split.train.size(), 704u);
  std::set<uint32_t> all;
  for (const auto* rows : {&split.train, &split.validation, &split.test}) {
    EXPECT_TRUE(std::is_sorted(rows->begin(), rows->end()));
    all.insert(rows->begin(), rows->end());
  }
  EXPECT_EQ(all.size(), 1005u);
  EXPECT_EQ(*all.rbegin(), 1004u);
}

TEST(FractionSplit, DependsOnTheSeedOnly) {
  EXPECT_EQ(FractionSplit(500, 0.2, 0, 1).validation, FractionSplit(500, 0.2, 0, 1).validation);
  EXPECT_NE(FractionSplit(500, 0.2, 0, 1).validation, FractionSplit(500, 0.2, 0, 2).validation);
  EXPECT_EQ(FractionSplit(10, 0.7, 0, 1).validation.size(), 7u);
  EXPECT_EQ(FractionSplit(10, 0, 0, 1).train.size(), 10u);
}

TEST(EpochOrder, ReproduciblePermutationOfTheRows) {
  std::vector<uint32_t> rows(1000);
  std::iota(rows.begin(), rows.end(), 5000u);
  const std::vector<uint32_t> third = EpochOrder(rows, 9, 3);
  EXPECT_EQ(third, EpochOrder(rows, 9, 3));
  EXPECT_NE(third, EpochOrder(rows, 9, 4));
  EXPECT_NE(third, EpochOrder(rows, 10, 3));
  EXPECT_NE(third, rows);
  std::vector<uint32_t> sorted = third;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, rows);
}

}  // namespace
}  // namespace manygate
