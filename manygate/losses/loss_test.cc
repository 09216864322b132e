// SPDX-License-Identifier: Apache-2.0
#include "manygate/losses/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::unique_ptr<Loss> BinaryCrossEntropy(float smoothing = 0.0f) {
  config::BinaryCrossEntropy config;
  config.set_label_smoothing(smoothing);
  return MakeBinaryCrossEntropy(config);
}

std::unique_ptr<Loss> L2() { return MakeL2Loss(config::L2Loss()); }

// The gradient against the difference quotient of the loss, each row alone.
void CheckGradient(const Loss& loss, const std::vector<float>& labels) {
  const float step = 1.0f / 64;
  for (const float logit : {-3.0f, -0.5f, 0.0f, 0.25f, 2.0f}) {
    for (const float label : labels) {
      const float weight = 1.5f, scale = 0.5f;
      const auto at = [&](float z, float* d_logit) {
        return loss.Compute({.logits = &z, .labels = &label, .weights = &weight, .rows = 1, .scale = scale}, d_logit);
      };
      float d_logit = 0.0f;
      at(logit, &d_logit);
      const double quotient = (at(logit + step, nullptr) - at(logit - step, nullptr)) / (2.0 * step);
      EXPECT_NEAR(d_logit, scale * quotient, 1e-4) << loss.name() << " z " << logit << " y " << label;
    }
  }
}

TEST(LossTest, GradientIsTheSlopeOfTheLoss) {
  CheckGradient(*BinaryCrossEntropy(), {0.0f, 1.0f, 0.3f});
  CheckGradient(*BinaryCrossEntropy(0.1f), {0.0f, 1.0f});
  CheckGradient(*L2(), {-2.0f, 0.0f, 5.0f});
}

TEST(LossTest, BinaryCrossEntropyByHand) {
  // log(1 + e^-1) = 0.313261687518, log(1 + e^1) = 1.313261687518, p(1) = 0.731058578630.
  const std::vector<float> logits = {1.0f, 1.0f}, labels = {1.0f, 0.0f}, weights = {1.0f, 2.0f};
  std::vector<float> d_logits(2);
  const double sum = BinaryCrossEntropy()->Compute(
      {.logits = logits.data(), .labels = labels.data(), .weights = weights.data(), .rows = 2, .scale = 0.5f},
      d_logits.data());
  EXPECT_NEAR(sum, 0.313261687518 + 2 * 1.313261687518, 1e-6);
  EXPECT_NEAR(d_logits[0], 0.5 * (0.731058578630 - 1.0), 1e-7);
  EXPECT_NEAR(d_logits[1], 0.5 * 2 * 0.731058578630, 1e-7);
}

TEST(LossTest, SmoothingHalvesTheOffset) {
  // s = 0.2, y = 1 -> 0.9: the loss is smallest where p = 0.9, that is at z = log 9.
  const float logit = std::log(9.0f), label = 1.0f, weight = 1.0f;
  float d_logit = 1.0f;
  BinaryCrossEntropy(0.2f)->Compute({.logits = &logit, .labels = &label, .weights = &weight, .rows = 1}, &d_logit);
  EXPECT_NEAR(d_logit, 0.0, 1e-6);
}

TEST(LossTest, L2ByHand) {
  const std::vector<float> logits = {3.0f, -1.0f}, labels = {1.0f, 0.5f}, weights = {1.0f, 2.0f};
  std::vector<float> d_logits(2);
  const double sum = L2()->Compute(
      {.logits = logits.data(), .labels = labels.data(), .weights = weights.data(), .rows = 2, .scale = 0.5f},
      d_logits.data());
  EXPECT_EQ(sum, 4.0 + 2 * 2.25);
  EXPECT_THAT(d_logits, ElementsAre(0.5f * 2 * 2, 0.5f * 2 * 2 * -1.5f));
}

TEST(LossTest, MissingLabelOfWeightZeroIsExactlyNothing) {
  const std::vector<float> logits = {0.5f, 1.0f, kNaN}, labels = {kNaN, 1.0f, kNaN}, weights = {0.0f, 1.0f, 0.0f};
  for (const auto& loss : {BinaryCrossEntropy(), BinaryCrossEntropy(0.1f), L2()}) {
    std::vector<float> d_logits(3, 7.0f);
    const double sum = loss->Compute(
        {.logits = logits.data(), .labels = labels.data(), .weights = weights.data(), .rows = 3}, d_logits.data());
    const double middle =
        loss->Compute({.logits = &logits[1], .labels = &labels[1], .weights = &weights[1], .rows = 1}, nullptr);
    EXPECT_EQ(sum, middle) << loss->name();
    EXPECT_EQ(d_logits[0], 0.0f) << loss->name();
    EXPECT_EQ(d_logits[2], 0.0f) << loss->name();
  }
}

TEST(LossTest, StrideTakesOneColumn) {
  const std::vector<float> logits = {1.0f, 50.0f, 2.0f, 60.0f}, labels = {1.0f, 0.0f}, weights = {1.0f, 1.0f};
  const std::vector<float> column = {1.0f, 2.0f};
  for (const auto& loss : {BinaryCrossEntropy(), L2()}) {
    std::vector<float> wide(4, 7.0f), narrow(2);
    LossBatch batch{
        .logits = logits.data(), .logit_stride = 2, .labels = labels.data(), .weights = weights.data(), .rows = 2};
    const double sum = loss->Compute(batch, wide.data());
    batch.logits = column.data();
    batch.logit_stride = 1;
    EXPECT_EQ(loss->Compute(batch, narrow.data()), sum);
    EXPECT_THAT(wide, ElementsAre(narrow[0], 7.0f, narrow[1], 7.0f)) << loss->name();
  }
}

TEST(LossTest, InitialBiasIsTheBestConstantLogit) {
  EXPECT_NEAR(BinaryCrossEntropy()->InitialBias(0.25), std::log(1.0 / 3.0), 1e-6);
  EXPECT_EQ(BinaryCrossEntropy()->InitialBias(0.5), 0.0f);
  EXPECT_NEAR(BinaryCrossEntropy(0.2f)->InitialBias(0.0), std::log(0.1 / 0.9), 1e-6);
  EXPECT_NEAR(BinaryCrossEntropy()->InitialBias(0.0), std::log(1e-6 / (1 - 1e-6)), 1e-4);
  EXPECT_NEAR(BinaryCrossEntropy()->InitialBias(1.0), -std::log(1e-6 / (1 - 1e-6)), 1e-4);
  EXPECT_EQ(BinaryCrossEntropy()->InitialBias(kNaN), 0.0f);
  EXPECT_EQ(L2()->InitialBias(3.5), 3.5f);
  EXPECT_EQ(L2()->InitialBias(kNaN), 0.0f);
}

TEST(LossTest, Link) {
  const std::vector<float> logits = {0.0f, std::log(3.0f), -1000.0f};
  std::vector<float> predictions(3);
  BinaryCrossEntropy()->Link(logits.data(), 3, predictions.data());
  EXPECT_EQ(predictions[0], 0.5f);
  EXPECT_NEAR(predictions[1], 0.75, 1e-7);
  EXPECT_EQ(predictions[2], 0.0f);
  L2()->Link(logits.data(), 3, predictions.data());
  EXPECT_EQ(predictions, logits);
}

TEST(LossTest, NamesAndDefaultMetrics) {
  EXPECT_STREQ(BinaryCrossEntropy()->name(), "binary_cross_entropy");
  EXPECT_STREQ(L2()->name(), "l2_loss");
  EXPECT_EQ(BinaryCrossEntropy()->NumLogits(), 1);
  const auto classification = BinaryCrossEntropy()->DefaultMetrics();
  ASSERT_EQ(classification.size(), 2u);
  EXPECT_TRUE(classification[0].has_auc());
  EXPECT_EQ(classification[0].auc().thresholds(), 0u);
  EXPECT_TRUE(classification[1].has_log_loss());
  const auto regression = L2()->DefaultMetrics();
  ASSERT_EQ(regression.size(), 2u);
  EXPECT_TRUE(regression[0].has_root_mean_squared_error());
  EXPECT_TRUE(regression[1].has_mean_absolute_error());
}

}  // namespace
}  // namespace manygate
