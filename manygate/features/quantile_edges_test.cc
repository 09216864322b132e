// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/quantile_edges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "manygate/base/random.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(QuantileEdges, FewDistinctValuesAreAllEdges) {
  EXPECT_THAT(QuantileEdges({3, 1, 2, 1, 1, 1, 1}, 2), ElementsAre(1, 2, 3));
  EXPECT_THAT(QuantileEdges({7, 7, 7}, 1), ElementsAre(7));
  EXPECT_THAT(QuantileEdges({}, 4), IsEmpty());
}

TEST(QuantileEdges, RanksAreEvenlySpacedAndRounded) {
  // Ranks k · 7 / 4: 0, 1.75, 3.5, 5.25, 7.
  EXPECT_THAT(QuantileEdges({8, 7, 6, 5, 4, 3, 2, 1}, 4), ElementsAre(1, 3, 5, 6, 8));
  EXPECT_THAT(QuantileEdges({8, 7, 6, 5, 4, 3, 2, 1}, 1), ElementsAre(1, 8));
}

TEST(QuantileEdges, EqualQuantilesAreOneEdge) {
  // 30 % of the rows are 0, which is not above 30 %. Ranks k · 9 / 4: 0, 2.25, 4.5, 6.75, 9; the first two hold 0.
  EXPECT_THAT(QuantileEdges({0, 0, 0, 1, 2, 3, 4, 5, 6, 7}, 4), ElementsAre(0, 3, 5, 7));
}

TEST(QuantileEdges, AValueInMostRowsIsOneEdgeAndTheOthersHaveTheQuantiles) {
  EXPECT_THAT(QuantileEdges({0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 2), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(QuantileEdges({5, 5, 5, 5, 1, 2, 3, 7, 8, 9}, 1), ElementsAre(1, 5, 9));
}

TEST(QuantileEdges, HoldEqualShares) {
  std::vector<float> values(100000);
  FillUniform(values, 0.f, 1.f, 3, 1);
  const std::vector<float> edges = QuantileEdges(values, 50);
  ASSERT_EQ(edges.size(), 51u);
  for (size_t k = 0; k < edges.size(); ++k) EXPECT_NEAR(edges[k], static_cast<double>(k) / 50, 0.01);
}

}  // namespace
}  // namespace manygate::features
