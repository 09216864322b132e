// SPDX-License-Identifier: Apache-2.0
// What loss.h promises of every loss.
#include "manygate/losses/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "manygate/losses/loss_testing.h"

namespace manygate {

std::vector<LossCase> EveryLoss() {
  config::BinaryCrossEntropy smoothed;
  smoothed.set_label_smoothing(0.1f);
  config::SoftmaxCrossEntropy smoothed_classes;
  smoothed_classes.set_label_smoothing(0.2f);
  config::JRCLoss jrc;
  jrc.set_session_name("user");
  jrc.set_alpha(0.3f);
  config::L2Loss standardised;
  standardised.set_standardise(true);
  config::HuberLoss huber;
  huber.set_delta(0.75f);
  const LabelStatistics statistics{.mean = 0.5, .deviation = 2.0};
  std::vector<LossCase> cases;
  cases.push_back({MakeBinaryCrossEntropy(config::BinaryCrossEntropy()), {0.0f, 1.0f, 0.3f}});
  cases.push_back({MakeBinaryCrossEntropy(smoothed), {0.0f, 1.0f}});
  cases.push_back({MakeBinaryFocalLoss(config::BinaryFocalLoss()), {0.0f, 1.0f, 0.3f}});
  cases.push_back({MakeSoftmaxCrossEntropy(config::SoftmaxCrossEntropy(), 3), {0.0f, 1.0f, 2.0f}});
  cases.push_back({MakeSoftmaxCrossEntropy(smoothed_classes, 19), {0.0f, 7.0f, 18.0f}});
  cases.push_back({MakeJrcLoss(jrc), {0.0f, 1.0f}});
  cases.push_back({MakePairwiseLoss(config::PairwiseLoss()), {0.0f, 1.0f, 2.5f}});
  cases.push_back({MakeL2Loss(config::L2Loss(), statistics), {-2.0f, 0.0f, 5.0f}});
  cases.push_back({MakeL2Loss(standardised, statistics), {-2.0f, 0.0f, 5.0f}});
  cases.push_back({MakeHuberLoss(huber, statistics), {-2.0f, 0.1f, 5.0f}});
  cases.push_back({MakePoissonLoss(config::PoissonLoss()), {0.0f, 1.0f, 4.0f}});
  cases.push_back({MakeZilnLoss(config::ZILNLoss()), {0.0f, 0.5f, 20.0f}});
  return cases;
}

namespace {

using testing::Each;
using testing::Eq;

TEST(LossTest, GradientIsTheSlopeOfTheSum) {
  for (const auto& [loss, labels] : EveryLoss()) {
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      TestRows rows = RandomRows(*loss, labels, seed);
      // The quotient of Huber's loss is not exact across its kinks at label ± 0.75.
      if (std::string(loss->name()) == "huber_loss") {
        for (size_t i = 0; i < rows.logits.size(); ++i) {
          rows.logits[i] = rows.labels[i] + (i % 3 == 0 ? 0.5f : i % 3 == 1 ? 2.0f : -1.25f);
        }
      }
      CheckGradient(*loss, rows);
    }
  }
}

TEST(LossTest, RowOfWeightZeroIsExactlyNothing) {
  for (const auto& [loss, labels] : EveryLoss()) {
    const TestRows rows = RandomRows(*loss, labels, 5);
    const LossResult without = ComputeLoss(*loss, rows);
    const int C = loss->NumLogits();
    // The same rows with one before, one after the fifth and one at the end whose label is missing.
    TestRows more;
    more.stride = C;
    std::vector<float> expected;
    for (size_t i = 0; i <= rows.labels.size(); ++i) {
      if (i == 0 || i == 5 || i == rows.labels.size()) {
        more.logits.insert(more.logits.end(), C, i == 5 ? 3.0f : kNaN);
        more.labels.push_back(kNaN);
        more.weights.push_back(0.0f);
        more.sessions.push_back(0);
        expected.insert(expected.end(), C, 0.0f);
      }
      if (i == rows.labels.size()) break;
      more.logits.insert(more.logits.end(), &rows.logits[i * C], &rows.logits[i * C] + C);
      more.labels.push_back(rows.labels[i]);
      more.weights.push_back(rows.weights[i]);
      more.sessions.push_back(rows.sessions[i]);
      expected.insert(expected.end(), &without.d_logits[i * C], &without.d_logits[i * C] + C);
    }
    const LossResult with = ComputeLoss(*loss, more);
    EXPECT_EQ(with.sum, without.sum) << loss->name();
    EXPECT_EQ(with.d_logits, expected) << loss->name();
  }
}

TEST(LossTest, NothingOfNothing) {
  for (const auto& [loss, labels] : EveryLoss()) {
    TestRows rows = RandomRows(*loss, labels, 6);
    rows.labels.assign(rows.labels.size(), kNaN);
    rows.weights.assign(rows.weights.size(), 0.0f);
    const LossResult result = ComputeLoss(*loss, rows);
    EXPECT_EQ(result.sum, 0.0) << loss->name();
    EXPECT_THAT(result.d_logits, Each(Eq(0.0f))) << loss->name();
    EXPECT_EQ(loss->Compute(TestRows().batch(), nullptr), 0.0) << loss->name();
  }
}

TEST(LossTest, ExtremeLogitsStayFinite) {
  for (const auto& [loss, labels] : EveryLoss()) {
    const int C = loss->NumLogits();
    for (const float size : {50.0f, 100.0f, 1000.0f, 10000.0f}) {
      TestRows rows = RandomRows(*loss, labels, 8, 40);
      std::mt19937 random(9);
      for (float& logit : rows.logits) logit = random() % 2 == 0 ? size : -size;
      const LossResult result = ComputeLoss(*loss, rows, 1.0f / 40);
      EXPECT_TRUE(std::isfinite(result.sum)) << loss->name() << " " << size;
      for (const float d_logit : result.d_logits) EXPECT_TRUE(std::isfinite(d_logit)) << loss->name() << " " << size;
      std::vector<float> predictions(40 * loss->NumPredictions());
      loss->Link(rows.logits.data(), C, 40, predictions.data());
      for (const float p : predictions) EXPECT_TRUE(std::isfinite(p)) << loss->name() << " " << size;
    }
  }
}

TEST(LossTest, DivergedLogitIsNotHidden) {
  for (const auto& [loss, labels] : EveryLoss()) {
    TestRows rows = RandomRows(*loss, {labels[0], labels[1]}, 10);
    rows.labels[4] = labels[1];
    rows.logits[4 * loss->NumLogits()] = kNaN;
    EXPECT_TRUE(std::isnan(ComputeLoss(*loss, rows).sum)) << loss->name();
    EXPECT_TRUE(std::isnan(ComputeLoss(*loss, rows).d_logits[4 * loss->NumLogits()])) << loss->name();
    std::vector<float> predictions(12 * loss->NumPredictions());
    loss->Link(rows.logits.data(), loss->NumLogits(), 12, predictions.data());
    EXPECT_TRUE(std::isnan(predictions[4 * loss->NumPredictions()])) << loss->name();
  }
}

TEST(LossTest, WiderStrideIsLeftAlone) {
  for (const auto& [loss, labels] : EveryLoss()) {
    const TestRows rows = RandomRows(*loss, labels, 11);
    const int64_t count = static_cast<int64_t>(rows.labels.size()), C = loss->NumLogits(), stride = C + 3;
    TestRows wide = rows;
    wide.stride = stride;
    wide.logits.assign(count * stride, kNaN);
    for (int64_t k = 0; k < count * C; ++k) wide.logits[k / C * stride + k % C] = rows.logits[k];
    const LossResult narrow_result = ComputeLoss(*loss, rows, 0.25f), wide_result = ComputeLoss(*loss, wide, 0.25f);
    EXPECT_EQ(wide_result.sum, narrow_result.sum) << loss->name();
    for (int64_t k = 0; k < count * stride; ++k) {
      const float expected = k % stride < C ? narrow_result.d_logits[k / stride * C + k % stride] : 7.0f;
      EXPECT_EQ(wide_result.d_logits[k], expected) << loss->name() << " " << k;
    }
    std::vector<float> predictions(count * loss->NumPredictions() + 1, 7.0f), from_wide = predictions;
    loss->Link(rows.logits.data(), C, count, predictions.data());
    loss->Link(wide.logits.data(), stride, count, from_wide.data());
    EXPECT_EQ(from_wide, predictions) << loss->name();
    EXPECT_EQ(predictions.back(), 7.0f) << loss->name();
  }
}

TEST(LossTest, RowsAloneGiveTheSameGradientUnlessTheWholeBatchIsNeeded) {
  for (const auto& [loss, labels] : EveryLoss()) {
    const std::string name = loss->name();
    EXPECT_EQ(loss->NeedsWholeBatch(), name == "jrc_loss" || name == "pairwise_loss") << name;
    if (loss->NeedsWholeBatch()) continue;
    const TestRows rows = RandomRows(*loss, labels, 12, 70);
    const LossResult all = ComputeLoss(*loss, rows, 0.3f);
    const int C = loss->NumLogits();
    double sum = 0.0;
    for (int i = 0; i < 70; ++i) {
      std::vector<float> d_logits(C);
      sum += loss->Compute({.logits = &rows.logits[i * C],
                            .logit_stride = C,
                            .labels = &rows.labels[i],
                            .weights = &rows.weights[i],
                            .rows = 1,
                            .scale = 0.3f},
                           d_logits.data());
      EXPECT_EQ(std::memcmp(d_logits.data(), &all.d_logits[i * C], C * sizeof(float)), 0) << name << " row " << i;
    }
    EXPECT_EQ(sum, all.sum) << name;
  }
}

TEST(LossTest, DoublingAllWeightsDoublesTheSum) {
  for (const auto& [loss, labels] : EveryLoss()) {
    TestRows rows = RandomRows(*loss, labels, 13);
    const LossResult once = ComputeLoss(*loss, rows);
    for (float& weight : rows.weights) weight *= 2;
    const LossResult twice = ComputeLoss(*loss, rows, 0.5f);
    EXPECT_DOUBLE_EQ(twice.sum, 2 * once.sum) << loss->name();
    for (size_t k = 0; k < once.d_logits.size(); ++k) EXPECT_FLOAT_EQ(twice.d_logits[k], once.d_logits[k]);
  }
}

TEST(LossTest, LinkWorksInPlace) {
  for (const auto& [loss, labels] : EveryLoss()) {
    if (loss->NumLogits() != loss->NumPredictions()) continue;
    TestRows rows = RandomRows(*loss, labels, 14);
    std::vector<float> predictions(rows.logits.size());
    loss->Link(rows.logits.data(), rows.stride, 12, predictions.data());
    loss->Link(rows.logits.data(), rows.stride, 12, rows.logits.data());
    EXPECT_EQ(rows.logits, predictions) << loss->name();
  }
}

TEST(LossTest, InitialBiasIsFiniteWhateverIsKnown) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const LabelStatistics unknown{.mean = nan,
                                .deviation = nan,
                                .positive_share = nan,
                                .log_mean = nan,
                                .log_deviation = nan,
                                .class_shares = {nan, 0.5, nan}};
  const LabelStatistics zeros{.mean = 0, .deviation = 0, .log_deviation = 0, .class_shares = {0, 0, 0}};
  const LabelStatistics ones{
      .mean = 1, .deviation = 0, .positive_share = 1, .log_deviation = 0, .class_shares = {1, 0, 0}};
  for (const auto& [loss, labels] : EveryLoss()) {
    std::vector<float> bias(loss->NumLogits(), 7.0f);
    loss->InitialBias(unknown, bias.data());
    EXPECT_THAT(bias, Each(Eq(0.0f))) << loss->name();
    for (const LabelStatistics& statistics : {zeros, ones}) {
      bias.assign(bias.size(), kNaN);
      loss->InitialBias(statistics, bias.data());
      for (const float value : bias) EXPECT_LT(std::fabs(value), 16.0f) << loss->name();
    }
  }
}

TEST(LossTest, MayBeCalledFromSeveralThreads) {
  for (const auto& [loss, labels] : EveryLoss()) {
    const TestRows rows = RandomRows(*loss, labels, 15, 200);
    const LossResult expected = ComputeLoss(*loss, rows);
    std::vector<LossResult> results(4);
    std::vector<std::thread> threads;
    for (LossResult& result : results) threads.emplace_back([&, to = &result] { *to = ComputeLoss(*loss, rows); });
    for (std::thread& thread : threads) thread.join();
    for (const LossResult& result : results) {
      EXPECT_EQ(result.sum, expected.sum) << loss->name();
      EXPECT_EQ(result.d_logits, expected.d_logits) << loss->name();
    }
  }
}

TEST(LossTest, NamesAreFieldsOfTheConfiguration) {
  const auto* fields = config::LossConfig::descriptor()->FindOneofByName("loss");
  std::vector<std::string> names;
  for (const auto& [loss, labels] : EveryLoss()) names.push_back(loss->name());
  for (int i = 0; i < fields->field_count(); ++i) EXPECT_THAT(names, testing::Contains(fields->field(i)->name()));
  for (const std::string& name : names) EXPECT_NE(config::LossConfig::descriptor()->FindFieldByName(name), nullptr);
}

}  // namespace
}  // namespace manygate
