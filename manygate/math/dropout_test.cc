// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/dropout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

std::vector<float> Ones(const DropoutKey& key, float ratio, int64_t rows, int64_t width) {
  const std::vector<float> x(rows * width, 1.f);
  std::vector<float> y(rows * width);
  DropoutRows(key, ratio, rows, width, x.data(), width, false, y.data(), width);
  return y;
}

TEST(Dropout, TheSameMaskOnEveryTargetAndForEveryCut) {
  const std::vector<float> want = Ones({7, 3, 0}, 0.3f, 40, 37);
  ForEachSimdTarget([&](const char* target) {
    EXPECT_EQ(Ones({7, 3, 0}, 0.3f, 40, 37), want) << target;
    const std::vector<float> tail = Ones({7, 3, 25}, 0.3f, 15, 37);
    EXPECT_TRUE(std::equal(tail.begin(), tail.end(), want.begin() + 25 * 37)) << target;
    // A column does not depend on those behind it.
    const std::vector<float> narrow = Ones({7, 3, 0}, 0.3f, 40, 19);
    for (int64_t r = 0; r < 40; ++r)
      EXPECT_TRUE(std::equal(narrow.begin() + r * 19, narrow.begin() + (r + 1) * 19, want.begin() + r * 37)) << target;
  });
}

TEST(Dropout, ScalesAccumulatesAndStaysInItsRows) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      const std::vector<float> mask = Ones({1, 1, 5}, 0.5f, 6, width), numbers = TestNumbers(6 * width, 3);
      GuardedRows x(6, width, width + 3, numbers), y(6, width, width + 5), sum(6, width, width + 5, numbers);
      DropoutRows({1, 1, 5}, 0.5f, 6, width, x.data(), x.stride(), false, y.data(), y.stride());
      DropoutRows({1, 1, 5}, 0.5f, 6, width, x.data(), x.stride(), true, sum.data(), sum.stride());
      y.ExpectGuardsIntact();
      sum.ExpectGuardsIntact();
      DropoutRows({1, 1, 5}, 0.5f, 6, width, x.data(), x.stride(), false, x.data(), x.stride());
      for (int64_t r = 0; r < 6; ++r) {
        for (int64_t i = 0; i < width; ++i) {
          const float value = numbers[r * width + i], want = mask[r * width + i] == 0.f ? 0.f : value * 2;
          ASSERT_EQ(y.at(r, i), want) << target;
          ASSERT_EQ(x.at(r, i), want) << "in place, " << target;
          ASSERT_EQ(sum.at(r, i), value + want) << target;
        }
      }
    }
  });
}

TEST(Dropout, RatioZeroKeepsEverything) { EXPECT_THAT(Ones({1, 2, 3}, 0.f, 3, 21), testing::Each(1.f)); }

// 4 deviations of a binomial share over n draws.
double Slack(double p, double n) { return 4 * std::sqrt(p * (1 - p) / n); }

TEST(Dropout, DropsTheRatioInEveryColumnRowStepAndPair) {
  const int64_t rows = 2500, width = 48;
  for (const float ratio : {0.1f, 0.2f, 0.5f, 0.9f}) {
    const std::vector<float> y = Ones({11, 2, 0}, ratio, rows, width);
    const std::vector<float> next_step = Ones({11, 3, 0}, ratio, rows, width);
    const std::vector<float> other_seed = Ones({12, 2, 0}, ratio, rows, width);
    const auto dropped = [&](int64_t r, int64_t i) { return y[r * width + i] == 0.f; };
    double all = 0, with_next_step = 0, with_other_seed = 0, with_next_row = 0;
    for (int64_t i = 0; i < width; ++i) {
      double in_column = 0;
      std::vector<double> pairs(width);
      for (int64_t r = 0; r < rows; ++r) {
        if (!dropped(r, i)) continue;
        ++in_column;
        for (int64_t j = 0; j < width; ++j) pairs[j] += dropped(r, j);
        with_next_step += next_step[r * width + i] == 0.f;
        with_other_seed += other_seed[r * width + i] == 0.f;
        with_next_row += r + 1 < rows && dropped(r + 1, i);
      }
      all += in_column;
      EXPECT_NEAR(in_column / rows, ratio, Slack(ratio, rows) * 1.1) << "column " << i;
      // Two columns are dropped together as often as chance has it (48·47 pairs: 5 deviations).
      for (int64_t j = 0; j < width; ++j)
        if (j != i) EXPECT_NEAR(pairs[j] / rows, ratio * ratio, Slack(ratio * ratio, rows) * 1.25) << i << ", " << j;
    }
    const double n = static_cast<double>(rows * width), p = double{ratio} * ratio;
    EXPECT_NEAR(all / n, ratio, Slack(ratio, n)) << ratio;
    EXPECT_NEAR(with_next_step / n, p, Slack(p, n)) << ratio;
    EXPECT_NEAR(with_other_seed / n, p, Slack(p, n)) << ratio;
    EXPECT_NEAR(with_next_row / n, p, Slack(p, n) + 1.0 / rows) << ratio;
  }
}

}  // namespace
}  // namespace manygate
