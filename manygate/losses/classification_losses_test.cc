// SPDX-License-Identifier: Apache-2.0
// binary_cross_entropy, binary_focal_loss and softmax_cross_entropy by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "manygate/losses/loss.h"
#include "manygate/losses/loss_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

std::unique_ptr<Loss> BinaryCrossEntropy(float smoothing = 0.0f) {
  config::BinaryCrossEntropy config;
  config.set_label_smoothing(smoothing);
  return MakeBinaryCrossEntropy(config);
}

std::unique_ptr<Loss> Focal(float gamma, float alpha) {
  config::BinaryFocalLoss config;
  config.set_gamma(gamma);
  config.set_alpha(alpha);
  return MakeBinaryFocalLoss(config);
}

std::unique_ptr<Loss> Softmax(int classes, float smoothing = 0.0f) {
  config::SoftmaxCrossEntropy config;
  config.set_label_smoothing(smoothing);
  return MakeSoftmaxCrossEntropy(config, classes);
}

float Bias(const Loss& loss, double mean) {
  float bias = 7.0f;
  loss.InitialBias({.mean = mean}, &bias);
  return bias;
}

// Rows of labels 1 (`positives` of them) and 0.
TestRows Binary(int rows, int positives) {
  TestRows result;
  result.logits.assign(rows, 0.0f);
  result.labels.assign(rows, 0.0f);
  std::fill_n(result.labels.begin(), positives, 1.0f);
  result.weights.assign(rows, 1.0f);
  return result;
}

TEST(BinaryCrossEntropyTest, ByHand) {
  // log(1 + e^-1) = 0.313261687518, log(1 + e^1) = 1.313261687518, p(1) = 0.731058578630.
  const TestRows rows{.logits = {1.0f, 1.0f}, .labels = {1.0f, 0.0f}, .weights = {1.0f, 2.0f}};
  const LossResult result = ComputeLoss(*BinaryCrossEntropy(), rows, 0.5f);
  EXPECT_NEAR(result.sum, 0.313261687518 + 2 * 1.313261687518, 1e-6);
  EXPECT_NEAR(result.d_logits[0], 0.5 * (0.731058578630 - 1.0), 1e-7);
  EXPECT_NEAR(result.d_logits[1], 0.5 * 2 * 0.731058578630, 1e-7);
}

TEST(BinaryCrossEntropyTest, SmoothingHalvesTheOffset) {
  // s = 0.2, y = 1 -> 0.9: the loss is smallest where p = 0.9, that is at z = log 9.
  const TestRows rows{.logits = {std::log(9.0f)}, .labels = {1.0f}, .weights = {1.0f}};
  EXPECT_NEAR(ComputeLoss(*BinaryCrossEntropy(0.2f), rows).d_logits[0], 0.0, 1e-6);
}

TEST(BinaryCrossEntropyTest, InitialBias) {
  EXPECT_NEAR(Bias(*BinaryCrossEntropy(), 0.25), std::log(1.0 / 3.0), 1e-6);
  EXPECT_EQ(Bias(*BinaryCrossEntropy(), 0.5), 0.0f);
  EXPECT_NEAR(Bias(*BinaryCrossEntropy(0.2f), 0.0), std::log(0.1 / 0.9), 1e-6);
  EXPECT_NEAR(Bias(*BinaryCrossEntropy(), 0.0), std::log(1e-6 / (1 - 1e-6)), 1e-4);
  EXPECT_NEAR(Bias(*BinaryCrossEntropy(), 1.0), -std::log(1e-6 / (1 - 1e-6)), 1e-4);
  CheckBiasIsBest(*BinaryCrossEntropy(), Binary(20, 3), {.mean = 0.15});
  CheckBiasIsBest(*BinaryCrossEntropy(0.1f), Binary(20, 3), {.mean = 0.15});
}

TEST(BinaryCrossEntropyTest, Link) {
  const std::vector<float> logits = {0.0f, std::log(3.0f), -1000.0f};
  std::vector<float> predictions(3);
  BinaryCrossEntropy()->Link(logits.data(), 1, 3, predictions.data());
  EXPECT_THAT(predictions, ElementsAre(0.5f, FloatNear(0.75f, 1e-7f), 0.0f));
}

TEST(BinaryFocalLossTest, ByHand) {
  // p = 0.75 at z = log 3. gamma 2, alpha 0.25. Label 1: 0.25 · 0.25^2 · -log 0.75; label 0: 0.75 · 0.75^2 · -log 0.25.
  const float z = std::log(3.0f);
  const TestRows rows{.logits = {z, z}, .labels = {1.0f, 0.0f}, .weights = {1.0f, 2.0f}};
  const LossResult result = ComputeLoss(*Focal(2.0f, 0.25f), rows);
  const double positive = 0.25 * 0.0625 * 0.287682072452, negative = 0.75 * 0.5625 * 1.386294361120;
  EXPECT_NEAR(result.sum, positive + 2 * negative, 1e-6);
  // -alpha (1 - p)^2 (2 p (-log p) + 1 - p) and (1 - alpha) p^2 (2 (1 - p) (-log(1 - p)) + p).
  EXPECT_NEAR(result.d_logits[0], -0.25 * 0.0625 * (2 * 0.75 * 0.287682072452 + 0.25), 1e-7);
  EXPECT_NEAR(result.d_logits[1], 2 * 0.75 * 0.5625 * (2 * 0.25 * 1.386294361120 + 0.75), 5e-7);
}

TEST(BinaryFocalLossTest, WithoutFocusIsHalfTheCrossEntropy) {
  const auto loss = Focal(0.0f, 0.5f), reference = BinaryCrossEntropy();
  const TestRows rows = RandomRows(*loss, {0.0f, 1.0f, 0.4f}, 3, 40);
  const LossResult result = ComputeLoss(*loss, rows), expected = ComputeLoss(*reference, rows, 0.5f);
  EXPECT_NEAR(result.sum, expected.sum / 2, 1e-5);
  for (size_t i = 0; i < 40; ++i) EXPECT_NEAR(result.d_logits[i], expected.d_logits[i], 2e-7);
}

TEST(BinaryFocalLossTest, InitialBiasIsTheBestConstantLogit) {
  EXPECT_NEAR(Bias(*Focal(0.0f, 0.5f), 0.25), std::log(1.0 / 3.0), 1e-6);
  EXPECT_NEAR(Bias(*Focal(2.0f, 0.5f), 0.5), 0.0, 1e-6);
  for (const float gamma : {0.0f, 0.3f, 2.0f, 5.0f}) {
    for (const float alpha : {0.25f, 0.5f, 0.9f}) {
      const auto loss = Focal(gamma, alpha);
      CheckBiasIsBest(*loss, Binary(20, 3), {.mean = 0.15});
      // Not only a stationary point: no constant on a grid is better.
      TestRows rows = Binary(20, 3);
      rows.logits.assign(20, Bias(*loss, 0.15));
      const double best = ComputeLoss(*loss, rows).sum;
      for (float z = -12.0f; z <= 12.0f; z += 0.25f) {
        rows.logits.assign(20, z);
        EXPECT_GE(ComputeLoss(*loss, rows).sum, best - 1e-6) << gamma << " " << alpha << " " << z;
      }
    }
  }
}

TEST(SoftmaxCrossEntropyTest, ByHand) {
  // exp of the logits: 1, 2, 4, 1; sum 8. Label 2: loss log 2; label 0 with weight 3: loss log 8.
  const float a = std::log(2.0f), b = std::log(4.0f);
  const TestRows rows{.logits = {0, a, b, 0, 0, a, b, 0}, .labels = {2.0f, 0.0f}, .weights = {1.0f, 3.0f}};
  const LossResult result = ComputeLoss(*Softmax(4), rows, 0.5f);
  EXPECT_NEAR(result.sum, 0.693147180560 + 3 * 2.079441541680, 2e-6);
  const std::vector<double> expected = {0.125, 0.25, 0.5 - 1, 0.125, 3 * (0.125 - 1), 3 * 0.25, 3 * 0.5, 3 * 0.125};
  for (size_t k = 0; k < 8; ++k) EXPECT_NEAR(result.d_logits[k], 0.5 * expected[k], 2e-7) << k;
  std::vector<float> predictions(8);
  Softmax(4)->Link(rows.logits.data(), 4, 2, predictions.data());
  for (size_t k = 0; k < 8; ++k) EXPECT_NEAR(predictions[k], (k % 4 == 1 ? 0.25 : k % 4 == 2 ? 0.5 : 0.125), 1e-7);
}

TEST(SoftmaxCrossEntropyTest, SmoothedTarget) {
  // s = 0.4, C = 4: targets 0.1, 0.7, 0.1, 0.1; the loss is smallest at their logs.
  const TestRows rows{.logits = {0.0f, std::log(7.0f), 0.0f, 0.0f}, .labels = {1.0f}, .weights = {1.0f}};
  const LossResult result = ComputeLoss(*Softmax(4, 0.4f), rows);
  EXPECT_NEAR(result.sum, -(0.7 * std::log(0.7) + 0.3 * std::log(0.1)), 1e-6);
  for (const float d_logit : result.d_logits) EXPECT_NEAR(d_logit, 0.0, 1e-7);
}

TEST(SoftmaxCrossEntropyTest, TwoClassesAreTheBinaryCrossEntropyOfTheDifference) {
  const auto loss = Softmax(2);
  const TestRows rows = RandomRows(*loss, {0.0f, 1.0f}, 4, 30);
  TestRows difference = rows;
  difference.stride = 1;
  difference.logits.resize(30);
  for (size_t i = 0; i < 30; ++i) difference.logits[i] = rows.logits[2 * i + 1] - rows.logits[2 * i];
  const LossResult two = ComputeLoss(*loss, rows), one = ComputeLoss(*BinaryCrossEntropy(), difference);
  EXPECT_NEAR(two.sum, one.sum, 1e-5);
  for (size_t i = 0; i < 30; ++i) {
    EXPECT_NEAR(two.d_logits[2 * i + 1], one.d_logits[i], 2e-7);
    EXPECT_NEAR(two.d_logits[2 * i], -one.d_logits[i], 2e-7);
  }
}

TEST(SoftmaxCrossEntropyTest, InitialBias) {
  const TestRows rows{.logits = std::vector<float>(24, 0.0f),
                      .labels = {0, 0, 0, 0, 1, 1, 1, 2},
                      .weights = std::vector<float>(8, 1.0f)};
  const LabelStatistics statistics{.mean = 5.0 / 8, .class_shares = {0.5, 0.375, 0.125}};
  CheckBiasIsBest(*Softmax(3), rows, statistics);
  CheckBiasIsBest(*Softmax(3, 0.3f), rows, statistics);
  std::vector<float> bias(3);
  Softmax(3)->InitialBias(statistics, bias.data());
  EXPECT_NEAR(bias[0] + bias[1] + bias[2], 0.0, 1e-6);
  EXPECT_NEAR(bias[0] - bias[2], std::log(4.0), 1e-6);
  Softmax(3)->InitialBias({.class_shares = {0.5, 0.5}}, bias.data());
  EXPECT_THAT(bias, ElementsAre(0.0f, 0.0f, 0.0f)) << "shares of another number of classes";
}

TEST(ClassificationLossTest, Shapes) {
  EXPECT_EQ(BinaryCrossEntropy()->NumLogits(), 1);
  EXPECT_EQ(Focal(2, 0.5)->NumLogits(), 1);
  EXPECT_EQ(Softmax(5)->NumLogits(), 5);
  EXPECT_EQ(Softmax(5)->NumPredictions(), 5);
  EXPECT_EQ(Softmax(5)->SessionColumn(), "");
}

}  // namespace
}  // namespace manygate
