// SPDX-License-Identifier: Apache-2.0
// jrc_loss and pairwise_loss by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "manygate/losses/loss.h"
#include "manygate/losses/loss_testing.h"

namespace manygate {
namespace {

using testing::Each;
using testing::Eq;

std::unique_ptr<Loss> Jrc(float alpha) {
  config::JRCLoss config;
  config.set_session_name("user");
  config.set_alpha(alpha);
  return MakeJrcLoss(config);
}

std::unique_ptr<Loss> Pairwise() { return MakePairwiseLoss(config::PairwiseLoss()); }

TEST(JrcLossTest, GenerativeTermByHand) {
  // Session 5: positive b = log 2; negatives b = 0 and log 3: -log(2 / (2 + 1 + 3)) = log 3. By a: the negatives a = 0
  // and log 4 against the positive's a = log 2: -log(1 / 3) and -log(4 / 6). Session 1 has one label only: 0.
  const float log2 = std::log(2.0f), log3 = std::log(3.0f), log4 = std::log(4.0f);
  TestRows rows{.logits = {log2, log2, 9.0f, 8.0f, 0.0f, 0.0f, log4, log3},
                .labels = {1.0f, 1.0f, 0.0f, 0.0f},
                .weights = {1.0f, 1.0f, 1.0f, 2.0f},
                .sessions = {5, 1, 5, 5}};
  const LossResult result = ComputeLoss(*Jrc(0.0f), rows);
  EXPECT_NEAR(result.sum, std::log(3.0) + std::log(3.0) + 2 * std::log(1.5), 1e-6);
  // b: the positive wins with p = 1/3, rivals have 1/6 and 1/2. a: first negative p = 1/3, second 2/3 with weight 2.
  const std::vector<double> expected = {2.0 / 3 + 2 * (1.0 / 3), -2.0 / 3, 0, 0, -2.0 / 3, 1.0 / 6,
                                        -2 * (1.0 / 3),          0.5};
  for (size_t k = 0; k < 8; ++k) EXPECT_NEAR(result.d_logits[k], expected[k], 1e-6) << k;
}

TEST(JrcLossTest, AlphaOneIsTheCrossEntropy) {
  const auto jrc = Jrc(1.0f), softmax = MakeSoftmaxCrossEntropy(config::SoftmaxCrossEntropy(), 2);
  const TestRows rows = RandomRows(*jrc, {0.0f, 1.0f}, 1, 50);
  const LossResult result = ComputeLoss(*jrc, rows), expected = ComputeLoss(*softmax, rows);
  EXPECT_NEAR(result.sum, expected.sum, 1e-5);
  for (size_t k = 0; k < 100; ++k) EXPECT_NEAR(result.d_logits[k], expected.d_logits[k], 3e-7);
}

TEST(JrcLossTest, OrderOfRowsAndNumbersOfSessionsDoNotMatter) {
  const auto jrc = Jrc(0.4f);
  const TestRows rows = RandomRows(*jrc, {0.0f, 1.0f}, 2, 40);
  TestRows reversed = rows;
  for (size_t i = 0; i < 40; ++i) {
    const size_t from = 39 - i;
    reversed.logits[2 * i] = rows.logits[2 * from];
    reversed.logits[2 * i + 1] = rows.logits[2 * from + 1];
    reversed.labels[i] = rows.labels[from];
    reversed.weights[i] = rows.weights[from];
    reversed.sessions[i] = 1000 - 7 * rows.sessions[from];
  }
  const LossResult result = ComputeLoss(*jrc, rows), backwards = ComputeLoss(*jrc, reversed);
  EXPECT_NEAR(result.sum, backwards.sum, 1e-10);
  for (size_t i = 0; i < 40; ++i) EXPECT_NEAR(result.d_logits[2 * i], backwards.d_logits[2 * (39 - i)], 1e-6);
}

TEST(JrcLossTest, ShapesLinkAndBias) {
  const auto jrc = Jrc(0.5f);
  EXPECT_EQ(jrc->NumLogits(), 2);
  EXPECT_EQ(jrc->NumPredictions(), 1);
  EXPECT_EQ(jrc->SessionColumn(), "user");
  const std::vector<float> logits = {1.0f, 1.0f + std::log(3.0f), 100.0f, -100.0f};
  std::vector<float> predictions(2);
  jrc->Link(logits.data(), 2, 2, predictions.data());
  EXPECT_NEAR(predictions[0], 0.75, 1e-6);
  EXPECT_EQ(predictions[1], 0.0f);
  std::vector<float> bias(2);
  jrc->InitialBias({.mean = 0.2}, bias.data());
  EXPECT_NEAR(bias[1], std::log(0.25) / 2, 1e-6);
  EXPECT_EQ(bias[0], -bias[1]);
  const TestRows rows{.logits = std::vector<float>(10, 0.0f),
                      .labels = {1, 0, 0, 0, 0},
                      .weights = std::vector<float>(5, 1.0f),
                      .sessions = {1, 1, 1, 2, 2}};
  CheckBiasIsBest(*jrc, rows, {.mean = 0.2});
}

TEST(PairwiseLossTest, ByHand) {
  // Labels 2 > 1 > 0 with logits 0, log 3, 0 and weights 1, 2, 1. Pairs (first above second): (0, 1): log(1 + 3),
  // weight 2; (0, 2): log 2, weight 1; (1, 2): log(1 + 1/3), weight 2. Σ weights 4, Σ pair weights 5.
  const float log3 = std::log(3.0f);
  const TestRows rows{.logits = {0.0f, log3, 0.0f}, .labels = {2.0f, 1.0f, 0.0f}, .weights = {1.0f, 2.0f, 1.0f}};
  const LossResult result = ComputeLoss(*Pairwise(), rows, 0.25f);
  const double mean = (2 * std::log(4.0) + std::log(2.0) + 2 * std::log(4.0 / 3)) / 5;
  EXPECT_NEAR(result.sum, 4 * mean, 1e-6);
  EXPECT_NEAR(result.d_logits[0], (-2 * 0.75 - 0.5) / 5, 1e-7);
  EXPECT_NEAR(result.d_logits[1], (2 * 0.75 - 2 * 0.25) / 5, 1e-7);
  EXPECT_NEAR(result.d_logits[2], (0.5 + 2 * 0.25) / 5, 1e-7);
}

TEST(PairwiseLossTest, WithoutPairsNothing) {
  TestRows rows = RandomRows(*Pairwise(), {3.0f}, 1, 20);
  LossResult result = ComputeLoss(*Pairwise(), rows);
  EXPECT_EQ(result.sum, 0.0);
  EXPECT_THAT(result.d_logits, Each(Eq(0.0f)));
  rows.labels[3] = 9.0f;  // the only other label, but left out
  rows.weights[3] = 0.0f;
  result = ComputeLoss(*Pairwise(), rows);
  EXPECT_EQ(result.sum, 0.0);
  EXPECT_THAT(result.d_logits, Each(Eq(0.0f)));
}

TEST(PairwiseLossTest, LargeBatchAgreesWithDouble) {
  const TestRows rows = RandomRows(*Pairwise(), {0.0f, 0.0f, 0.0f, 1.0f}, 2, 1500);
  std::vector<double> d_logits(1500, 0.0);
  double sum = 0.0, pair_weight = 0.0, weight = 0.0;
  for (int i = 0; i < 1500; ++i) {
    weight += rows.weights[i];
    for (int j = 0; j < 1500; ++j) {
      if (rows.labels[i] <= rows.labels[j]) continue;
      const double w = static_cast<double>(rows.weights[i]) * rows.weights[j];
      const double difference = static_cast<double>(rows.logits[i]) - rows.logits[j];
      sum += w * std::log1p(std::exp(-difference));
      d_logits[i] -= w / (1 + std::exp(difference));
      d_logits[j] += w / (1 + std::exp(difference));
      pair_weight += w;
    }
  }
  const LossResult result = ComputeLoss(*Pairwise(), rows);
  EXPECT_NEAR(result.sum, sum / pair_weight * weight, 1e-6 * result.sum);
  for (int i = 0; i < 1500; ++i) EXPECT_NEAR(result.d_logits[i], d_logits[i] / pair_weight * weight, 3e-6) << i;
}

TEST(PairwiseLossTest, LinkAndBias) {
  const std::vector<float> logits = {0.0f, std::log(3.0f)};
  std::vector<float> predictions(2);
  Pairwise()->Link(logits.data(), 1, 2, predictions.data());
  EXPECT_EQ(predictions[0], 0.5f);
  EXPECT_NEAR(predictions[1], 0.75, 1e-7);
  float bias = 7.0f;
  Pairwise()->InitialBias({.mean = 0.1}, &bias);
  EXPECT_EQ(bias, 0.0f);
}

}  // namespace
}  // namespace manygate
