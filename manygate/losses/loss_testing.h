// SPDX-License-Identifier: Apache-2.0
// For tests of losses: rows with everything a loss reads, a numeric gradient check, and one of every loss.
//
//   TestRows rows = RandomRows(*loss, labels, 7);
//   CheckGradient(*loss, rows);
#ifndef MANYGATE_LOSSES_LOSS_TESTING_H_
#define MANYGATE_LOSSES_LOSS_TESTING_H_

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "manygate/losses/loss.h"

namespace manygate {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct TestRows {
  std::vector<float> logits, labels, weights;
  std::vector<int32_t> sessions = std::vector<int32_t>(labels.size(), 0);
  int64_t stride = labels.empty() ? 1 : static_cast<int64_t>(logits.size() / labels.size());

  LossBatch batch(float scale = 1.0f) const {
    return {.logits = logits.data(),
            .logit_stride = stride,
            .labels = labels.data(),
            .weights = weights.data(),
            .rows = static_cast<int64_t>(labels.size()),
            .scale = scale,
            .sessions = sessions.data()};
  }
};

struct LossResult {
  double sum;
  std::vector<float> d_logits;
};

inline LossResult ComputeLoss(const Loss& loss, const TestRows& rows, float scale = 1.0f) {
  LossResult result{.sum = 0.0, .d_logits = std::vector<float>(rows.logits.size(), 7.0f)};
  result.sum = loss.Compute(rows.batch(scale), result.d_logits.data());
  const double without_gradient = loss.Compute(rows.batch(scale), nullptr);
  EXPECT_TRUE(without_gradient == result.sum || (std::isnan(without_gradient) && std::isnan(result.sum)))
      << loss.name() << " without a gradient: " << without_gradient << " instead of " << result.sum;
  return result;
}

// Every gradient against the difference quotient of the returned sum, of fourth order, in double.
inline void CheckGradient(const Loss& loss, TestRows rows, double tolerance = 2e-4) {
  const float scale = 0.5f, step = 1.0f / 32;
  const LossResult result = ComputeLoss(loss, rows, scale);
  for (size_t k = 0; k < rows.logits.size(); ++k) {
    const float logit = rows.logits[k];
    const auto at = [&](float steps) {
      rows.logits[k] = logit + steps * step;
      const double sum = loss.Compute(rows.batch(), nullptr);
      rows.logits[k] = logit;
      return sum;
    };
    const double quotient = (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step);
    EXPECT_NEAR(result.d_logits[k], scale * quotient, tolerance * (1.0 + std::fabs(scale * quotient)))
        << loss.name() << " logit " << k << " = " << logit;
  }
}

struct LossCase {
  std::unique_ptr<Loss> loss;
  std::vector<float> labels;  // kinds that it can meet
};

std::vector<LossCase> EveryLoss();  // loss_test.cc

// Rows with logits around 0 of multiples of 1/64, so that steps of the gradient check are exact, labels in turn, three
// sessions, and weights 0.5, 1 and 1.5.
inline TestRows RandomRows(const Loss& loss, const std::vector<float>& labels, uint32_t seed, int64_t count = 12) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 1.5f);
  TestRows rows;
  rows.stride = loss.NumLogits();
  for (int64_t i = 0; i < count; ++i) {
    for (int k = 0; k < loss.NumLogits(); ++k) rows.logits.push_back(std::round(64 * normal(random)) / 64);
    rows.labels.push_back(labels[random() % labels.size()]);
    rows.weights.push_back(0.5f * static_cast<float>(1 + random() % 3));
    rows.sessions.push_back(static_cast<int32_t>(random() % 3));
  }
  return rows;
}

// `statistics` describe the rows, whose logits are all set to the loss's InitialBias: no slope may be left in any
// logit.
inline void CheckBiasIsBest(const Loss& loss, TestRows rows, const LabelStatistics& statistics,
                            double tolerance = 1e-5) {
  std::vector<float> bias(loss.NumLogits(), 7.0f);
  loss.InitialBias(statistics, bias.data());
  for (size_t k = 0; k < rows.logits.size(); ++k) rows.logits[k] = bias[k % bias.size()];
  const LossResult result = ComputeLoss(loss, rows, 1.0f / static_cast<float>(rows.labels.size()));
  std::vector<double> slopes(bias.size(), 0.0);
  for (size_t k = 0; k < rows.logits.size(); ++k) slopes[k % bias.size()] += result.d_logits[k];
  for (const double slope : slopes) EXPECT_NEAR(slope, 0.0, tolerance) << loss.name();
}

}  // namespace manygate

#endif  // MANYGATE_LOSSES_LOSS_TESTING_H_
