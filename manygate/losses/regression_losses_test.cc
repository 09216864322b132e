// SPDX-License-Identifier: Apache-2.0
// l2_loss, huber_loss, poisson_loss and ziln_loss by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "manygate/losses/loss.h"
#include "manygate/losses/loss_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;

std::unique_ptr<Loss> L2(bool standardise = false, const LabelStatistics& labels = {}) {
  config::L2Loss config;
  config.set_standardise(standardise);
  return MakeL2Loss(config, labels);
}

std::unique_ptr<Loss> Huber(float delta, bool standardise = false, const LabelStatistics& labels = {}) {
  config::HuberLoss config;
  config.set_delta(delta);
  config.set_standardise(standardise);
  return MakeHuberLoss(config, labels);
}

std::unique_ptr<Loss> Poisson() { return MakePoissonLoss(config::PoissonLoss()); }
std::unique_ptr<Loss> Ziln() { return MakeZilnLoss(config::ZILNLoss()); }

TEST(L2LossTest, ByHand) {
  const TestRows rows{.logits = {3.0f, -1.0f}, .labels = {1.0f, 0.5f}, .weights = {1.0f, 2.0f}};
  const LossResult result = ComputeLoss(*L2(), rows, 0.5f);
  EXPECT_EQ(result.sum, 4.0 + 2 * 2.25);
  EXPECT_THAT(result.d_logits, ElementsAre(0.5f * 2 * 2, 0.5f * 2 * 2 * -1.5f));
}

TEST(L2LossTest, StandardisedByHand) {
  // Mean 10, deviation 4: the label 16 is 1.5, so that a logit of 1 is off by -0.5 and stands for 14.
  const auto loss = L2(true, {.mean = 10, .deviation = 4});
  const TestRows rows{.logits = {1.0f}, .labels = {16.0f}, .weights = {1.0f}};
  const LossResult result = ComputeLoss(*loss, rows);
  EXPECT_EQ(result.sum, 0.25);
  EXPECT_THAT(result.d_logits, ElementsAre(-1.0f));
  float prediction = 0.0f;
  loss->Link(rows.logits.data(), 1, 1, &prediction);
  EXPECT_EQ(prediction, 14.0f);
  // Labels that are all equal, or none: a deviation of 1.
  for (const double deviation : {0.0, static_cast<double>(kNaN)}) {
    const auto constant = L2(true, {.mean = kNaN, .deviation = deviation});
    EXPECT_EQ(ComputeLoss(*constant, rows).sum, 225.0);
    constant->Link(rows.logits.data(), 1, 1, &prediction);
    EXPECT_EQ(prediction, 1.0f);
  }
}

TEST(HuberLossTest, ByHand) {
  // delta 2: errors 1 and -2 are squared and halved, 5 and -4 cost 2 (|e| - 1).
  const TestRows rows{.logits = {1.0f, 1.0f, 5.0f, 0.0f}, .labels = {0.0f, 3.0f, 0.0f, 4.0f}, .weights = {1, 1, 1, 3}};
  const LossResult result = ComputeLoss(*Huber(2.0f), rows, 0.5f);
  EXPECT_EQ(result.sum, 0.5 + 2.0 + 8.0 + 3 * 6.0);
  EXPECT_THAT(result.d_logits, ElementsAre(0.5f, -1.0f, 1.0f, -3.0f));
}

TEST(HuberLossTest, DeltaIsInDeviationsIfStandardised) {
  const auto loss = Huber(1.0f, true, {.mean = 100, .deviation = 10});
  const TestRows rows{.logits = {0.0f, 0.0f}, .labels = {105.0f, 130.0f}, .weights = {1.0f, 1.0f}};
  const LossResult result = ComputeLoss(*loss, rows);
  EXPECT_DOUBLE_EQ(result.sum, 0.125 + 2.5);
  EXPECT_THAT(result.d_logits, ElementsAre(-0.5f, -1.0f));
}

TEST(RegressionLossTest, InitialBias) {
  const TestRows rows{.logits = std::vector<float>(4), .labels = {-1.0f, 3.0f, 4.0f, 8.0f}, .weights = {1, 1, 1, 1}};
  const LabelStatistics statistics{.mean = 3.5, .deviation = std::sqrt(10.25)};
  CheckBiasIsBest(*L2(), rows, statistics);
  CheckBiasIsBest(*L2(true, statistics), rows, statistics);
  CheckBiasIsBest(*Huber(2.0f), rows, statistics);
  CheckBiasIsBest(*Huber(0.5f, true, statistics), rows, statistics);
  float bias = 7.0f;
  L2()->InitialBias(statistics, &bias);
  EXPECT_EQ(bias, 3.5f);
  L2(true, statistics)->InitialBias(statistics, &bias);
  EXPECT_EQ(bias, 0.0f);
}

TEST(PoissonLossTest, ByHand) {
  // z = log 2: loss 2 - y log 2, slope 2 - y.
  const float z = std::log(2.0f);
  const TestRows rows{.logits = {z, z}, .labels = {0.0f, 5.0f}, .weights = {1.0f, 2.0f}};
  const LossResult result = ComputeLoss(*Poisson(), rows, 0.5f);
  EXPECT_NEAR(result.sum, 2 + 2 * (2 - 5 * 0.693147180560), 1e-6);
  EXPECT_NEAR(result.d_logits[0], 1.0, 1e-6);
  EXPECT_NEAR(result.d_logits[1], -3.0, 1e-6);
  std::vector<float> predictions(2);
  Poisson()->Link(rows.logits.data(), 1, 2, predictions.data());
  EXPECT_NEAR(predictions[0], 2.0, 1e-6);
}

TEST(PoissonLossTest, ExpGoesOnAsItsTangent) {
  const double top = std::exp(80.0);
  const TestRows rows{.logits = {79.0f, 90.0f}, .labels = {0.0f, 0.0f}, .weights = {0.0f, 1.0f}};
  const LossResult result = ComputeLoss(*Poisson(), rows);
  EXPECT_DOUBLE_EQ(result.sum, 11 * top);
  EXPECT_FLOAT_EQ(result.d_logits[1], static_cast<float>(top));
  float prediction = 0.0f;
  Poisson()->Link(&rows.logits[1], 1, 1, &prediction);
  EXPECT_FLOAT_EQ(prediction, static_cast<float>(top));
}

TEST(PoissonLossTest, InitialBias) {
  const TestRows rows{.logits = std::vector<float>(4), .labels = {0, 1, 0, 5}, .weights = {1, 1, 1, 1}};
  CheckBiasIsBest(*Poisson(), rows, {.mean = 1.5});
  float bias = 7.0f;
  Poisson()->InitialBias({.mean = 0.0}, &bias);
  EXPECT_NEAR(bias, std::log(1e-6), 1e-5);
}

// softplus of this is d.
float InverseSoftplus(double d) { return static_cast<float>(std::log(std::expm1(d))); }

TEST(ZilnLossTest, ByHand) {
  // p = 0.75, m = 1, d = 2. y = 0: log 4. y = e^3: log(4/3) + 3 + log 2 + 0.918938533205 + (3 - 1)^2 / 8.
  const float a = std::log(3.0f), t = InverseSoftplus(2.0);
  const TestRows rows{.logits = {a, 1, t, a, 1, t}, .labels = {0.0f, std::exp(3.0f)}, .weights = {3.0f, 1.0f}};
  const LossResult result = ComputeLoss(*Ziln(), rows);
  EXPECT_NEAR(result.sum, 3 * std::log(4.0) + std::log(4.0 / 3) + 3 + std::log(2.0) + 0.918938533205 + 0.5, 2e-6);
  EXPECT_NEAR(result.d_logits[0], 3 * 0.75, 1e-6);
  EXPECT_EQ(result.d_logits[1], 0.0f);
  EXPECT_EQ(result.d_logits[2], 0.0f);
  EXPECT_NEAR(result.d_logits[3], -0.25, 1e-6);
  EXPECT_NEAR(result.d_logits[4], -(3 - 1) / 4.0, 1e-6);
  // (1 - e^2) / d of the scaled error e = 1: nothing left by the deviation.
  EXPECT_NEAR(result.d_logits[5], 0.0, 1e-6);
  std::vector<float> predictions(2);
  Ziln()->Link(rows.logits.data(), 3, 2, predictions.data());
  EXPECT_NEAR(predictions[0], 0.75 * std::exp(3.0), 1e-5);
}

TEST(ZilnLossTest, DeviationHasAFloor) {
  // softplus(-20) is 2e-9: the deviation is sqrt(1e-7) and no slope is left in it.
  const TestRows rows{.logits = {0.0f, 0.0f, -20.0f}, .labels = {1.0f}, .weights = {1.0f}};
  const LossResult result = ComputeLoss(*Ziln(), rows);
  EXPECT_NEAR(result.sum, std::log(2.0) + 0.5 * std::log(1e-7) + 0.918938533205, 1e-9);
  EXPECT_EQ(result.d_logits[2], 0.0f);
}

TEST(ZilnLossTest, InitialBias) {
  // Amounts e, e^2, e^6 and five zeros: share 3/8, log mean 3, log variance 14/3.
  const std::vector<float> labels = {0, 0, 0, 0, 0, std::exp(1.0f), std::exp(2.0f), std::exp(6.0f)};
  const TestRows rows{.logits = std::vector<float>(24), .labels = labels, .weights = std::vector<float>(8, 1.0f)};
  const LabelStatistics statistics{.positive_share = 0.375, .log_mean = 3, .log_deviation = std::sqrt(14.0 / 3)};
  CheckBiasIsBest(*Ziln(), rows, statistics);
  std::vector<float> bias(3);
  Ziln()->InitialBias(statistics, bias.data());
  EXPECT_NEAR(bias[0], std::log(0.6), 1e-6);
  EXPECT_EQ(bias[1], 3.0f);
  EXPECT_NEAR(std::log1p(std::exp(bias[2])), std::sqrt(14.0 / 3), 1e-6);
  Ziln()->InitialBias({.log_deviation = 500}, bias.data());
  EXPECT_EQ(bias[2], 500.0f);
}

TEST(ZilnLossTest, PredictionsStayPlausible) {
  const LabelStatistics labels{.positive_share = 0.2, .log_mean = 2, .log_deviation = 0.5};
  const auto loss = MakeZilnLoss(config::ZILNLoss(), labels);
  // p = 1/2 throughout; mean and deviation within, above and below what the labels say.
  const float logits[] = {0, 2.5f, -1, 0, 9, 30, 0, -9, -30};
  float predictions[3];
  loss->Link(logits, 3, 3, predictions);
  const double deviation = std::log1p(std::exp(-1.0));
  EXPECT_NEAR(predictions[0], 0.5 * std::exp(2.5 + deviation * deviation / 2), 1e-4);
  EXPECT_NEAR(predictions[1], 0.5 * std::exp(3.5 + 0.75 * 0.75 / 2), 1e-4);
  EXPECT_NEAR(predictions[2], 0.5 * std::exp(0.5), 1e-4);
}

}  // namespace
}  // namespace manygate
