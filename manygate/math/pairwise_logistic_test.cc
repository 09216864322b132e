// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/pairwise_logistic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

struct Pairs {
  std::vector<float> logits, weights;
  std::vector<int64_t> below;
  PairwiseRows rows() const {
    return {.logits = logits.data(),
            .weights = weights.data(),
            .below = below.data(),
            .rows = static_cast<int64_t>(logits.size())};
  }
};

TEST(PairwiseLogisticTest, OnePairByHand) {
  // The second row is to be above the first by its logit log 3 - 0: log(1 + 1/3), slope 1/4, weights 2 · 5.
  ForEachSimdTarget([](const char* target) {
    const Pairs pairs{.logits = {0.0f, std::log(3.0f)}, .weights = {2.0f, 5.0f}, .below = {0, 1}};
    std::vector<float> d_logits(2, 9.0f);
    EXPECT_NEAR(PairwiseLogistic(pairs.rows(), d_logits.data()), 10 * 0.287682072452, 2e-6) << target;
    EXPECT_NEAR(d_logits[0], 2.5, 1e-6) << target;
    EXPECT_NEAR(d_logits[1], -2.5, 1e-6) << target;
  });
}

TEST(PairwiseLogisticTest, AgreesWithDouble) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t count : {1, 2, 3, 7, 16, 33, 100, 1200}) {
      std::mt19937 random(static_cast<uint32_t>(count));
      std::normal_distribution<float> logit(0.0f, 3.0f);
      Pairs pairs;
      std::vector<double> expected(count, 0.0);
      double expected_sum = 0.0;
      for (int64_t i = 0; i < count; ++i) {
        pairs.logits.push_back(logit(random));
        pairs.weights.push_back(0.5f * static_cast<float>(random() % 3));
        pairs.below.push_back(static_cast<int64_t>(random() % (i + 1)));
        for (int64_t j = 0; j < pairs.below[i]; ++j) {
          const double weight = static_cast<double>(pairs.weights[i]) * pairs.weights[j];
          const double difference = static_cast<double>(pairs.logits[i]) - pairs.logits[j];
          expected_sum += weight * std::log1p(std::exp(-difference));
          expected[i] -= weight / (1 + std::exp(difference));
          expected[j] += weight / (1 + std::exp(difference));
        }
      }
      std::vector<float> d_logits(count + 1, 9.0f);
      const double sum = PairwiseLogistic(pairs.rows(), d_logits.data());
      EXPECT_NEAR(sum, expected_sum, 1e-6 * (1 + expected_sum)) << target << " " << count;
      EXPECT_EQ(PairwiseLogistic(pairs.rows(), nullptr), sum) << target;
      EXPECT_EQ(d_logits[count], 9.0f) << target;
      for (int64_t i = 0; i < count; ++i) {
        EXPECT_NEAR(d_logits[i], expected[i], 3e-6 * (1 + static_cast<double>(count))) << target << " " << count;
      }
    }
  });
}

TEST(PairwiseLogisticTest, LargeDifferencesStayFinite) {
  ForEachSimdTarget([](const char* target) {
    const Pairs pairs{.logits = {1e4f, -1e4f}, .weights = {1.0f, 1.0f}, .below = {0, 1}};
    std::vector<float> d_logits(2);
    EXPECT_EQ(PairwiseLogistic(pairs.rows(), d_logits.data()), 20000.0) << target;
    EXPECT_EQ(d_logits, (std::vector<float>{1.0f, -1.0f})) << target;
  });
}

}  // namespace
}  // namespace manygate
