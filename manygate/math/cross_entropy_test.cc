// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "hwy/highway.h"

namespace manygate {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Runs every test once per instruction set of this machine.
class CrossEntropyTest : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

std::vector<int64_t> Targets() {
  std::vector<int64_t> targets;
  for (int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1)
    targets.push_back(left & -left);
  return targets;
}

INSTANTIATE_TEST_SUITE_P(Targets, CrossEntropyTest, testing::ValuesIn(Targets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

struct Reference {
  double loss;
  double probability;
};

Reference InDouble(double z, double y) {
  return {std::max(z, 0.0) - z * y + std::log1p(std::exp(-std::fabs(z))), 1.0 / (1.0 + std::exp(-z))};
}

struct Rows {
  std::vector<float> logits, labels, weights;
  CrossEntropyBatch batch() const {
    return {.logits = logits.data(),
            .labels = labels.data(),
            .weights = weights.data(),
            .rows = static_cast<int64_t>(logits.size())};
  }
};

Rows RandomRows(int64_t rows, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> logit(0.0f, 6.0f);
  Rows result;
  for (int64_t i = 0; i < rows; ++i) {
    result.logits.push_back(logit(random));
    result.labels.push_back(static_cast<float>(random() % 2));
    result.weights.push_back(0.25f * static_cast<float>(random() % 5));
  }
  return result;
}

TEST_P(CrossEntropyTest, OneRowByHand) {
  // z = 0: loss log 2, gradient p - y = 0.5 - 1, times weight 2 and scale 3.
  const float logit = 0.0f, label = 1.0f, weight = 2.0f;
  float d_logit = 7.0f;
  const double sum =
      CrossEntropyRows({.logits = &logit, .labels = &label, .weights = &weight, .rows = 1, .scale = 3.0f}, &d_logit);
  EXPECT_NEAR(sum, 2 * 0.693147180559945, 2e-7);
  EXPECT_EQ(d_logit, -3.0f);
}

TEST_P(CrossEntropyTest, AgreesWithDouble) {
  for (const int64_t count : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000}) {
    const Rows rows = RandomRows(count, static_cast<uint32_t>(count));
    CrossEntropyBatch batch = rows.batch();
    batch.scale = 0.125f;
    std::vector<float> d_logits(count + 1, 99.0f);
    const double sum = CrossEntropyRows(batch, d_logits.data());
    double expected_sum = 0.0;
    for (int64_t i = 0; i < count; ++i) {
      const Reference reference = InDouble(rows.logits[i], rows.labels[i]);
      expected_sum += rows.weights[i] * reference.loss;
      const double d_logit = 0.125 * rows.weights[i] * (reference.probability - rows.labels[i]);
      EXPECT_NEAR(d_logits[i], d_logit, 2e-8 + 3e-7 * std::fabs(d_logit)) << "row " << i << " of " << count;
    }
    EXPECT_NEAR(sum, expected_sum, 1e-6 * (1.0 + expected_sum));
    EXPECT_EQ(d_logits[count], 99.0f) << "wrote behind the last of " << count << " rows";
    EXPECT_EQ(CrossEntropyRows(batch, nullptr), sum);
  }
}

TEST_P(CrossEntropyTest, RelativeErrorOfProbabilityAndLoss) {
  for (float z = -80.0f; z <= 80.0f; z += 0.37f) {
    const float label = 0.0f, weight = 1.0f;
    float probability = 0.0f;
    Sigmoid(&z, 1, &probability);
    const Reference reference = InDouble(z, 0.0);
    EXPECT_NEAR(probability, reference.probability, 1e-6 * reference.probability) << z;
    const double loss = CrossEntropyRows({.logits = &z, .labels = &label, .weights = &weight, .rows = 1}, nullptr);
    EXPECT_NEAR(loss, reference.loss, 1e-6 * reference.loss) << z;
  }
}

TEST_P(CrossEntropyTest, LargeLogitsStayFinite) {
  const Rows rows{.logits = {1000.0f, 1000.0f, -1000.0f, -1000.0f},
                  .labels = {1.0f, 0.0f, 1.0f, 0.0f},
                  .weights = {1.0f, 1.0f, 1.0f, 1.0f}};
  std::vector<float> d_logits(4);
  EXPECT_EQ(CrossEntropyRows(rows.batch(), d_logits.data()), 2000.0);
  EXPECT_EQ(d_logits, (std::vector<float>{0.0f, 1.0f, -1.0f, 0.0f}));
  std::vector<float> probabilities(4);
  Sigmoid(rows.logits.data(), 4, probabilities.data());
  EXPECT_EQ(probabilities, (std::vector<float>{1.0f, 1.0f, 0.0f, 0.0f}));
}

TEST_P(CrossEntropyTest, WeightZeroAddsNothingWhateverTheRowHolds) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const int64_t count : {1, 5, 16, 70}) {
    Rows rows;
    for (int64_t i = 0; i < count; ++i) {
      rows.logits.push_back(i % 3 == 0 ? 1.5f : i % 3 == 1 ? kNaN : infinity);
      rows.labels.push_back(kNaN);
      rows.weights.push_back(0.0f);
    }
    std::vector<float> d_logits(count, 5.0f);
    EXPECT_EQ(CrossEntropyRows(rows.batch(), d_logits.data()), 0.0);
    EXPECT_EQ(d_logits, std::vector<float>(count, 0.0f));
  }
}

TEST_P(CrossEntropyTest, MissingRowLeavesItsNeighboursAlone) {
  Rows rows = RandomRows(20, 3);
  for (float& weight : rows.weights) weight = 1.0f;
  std::vector<float> before(20), after(20);
  const double sum_before = CrossEntropyRows(rows.batch(), before.data());
  const double row_7 = CrossEntropyRows(
      {.logits = &rows.logits[7], .labels = &rows.labels[7], .weights = &rows.weights[7], .rows = 1}, nullptr);
  rows.labels[7] = kNaN;
  rows.weights[7] = 0.0f;
  EXPECT_NEAR(CrossEntropyRows(rows.batch(), after.data()), sum_before - row_7, 1e-12);
  before[7] = 0.0f;
  EXPECT_EQ(after, before);
}

TEST_P(CrossEntropyTest, NaNWithWeightIsNotHidden) {
  Rows rows = RandomRows(9, 4);
  rows.weights[2] = 1.0f;
  rows.logits[2] = kNaN;
  std::vector<float> d_logits(9);
  EXPECT_TRUE(std::isnan(CrossEntropyRows(rows.batch(), d_logits.data())));
  EXPECT_TRUE(std::isnan(d_logits[2]));
  float probability = 0.0f;
  Sigmoid(&rows.logits[2], 1, &probability);
  EXPECT_TRUE(std::isnan(probability));
}

TEST_P(CrossEntropyTest, RowDoesNotDependOnItsPlace) {
  const Rows rows = RandomRows(150, 5);
  std::vector<float> all(150), probabilities(150);
  CrossEntropyRows(rows.batch(), all.data());
  Sigmoid(rows.logits.data(), 150, probabilities.data());
  double one_by_one = 0.0;
  for (int64_t i = 0; i < 150; ++i) {
    float d_logit = 0.0f, probability = 0.0f;
    one_by_one += CrossEntropyRows(
        {.logits = &rows.logits[i], .labels = &rows.labels[i], .weights = &rows.weights[i], .rows = 1}, &d_logit);
    Sigmoid(&rows.logits[i], 1, &probability);
    EXPECT_EQ(std::memcmp(&d_logit, &all[i], sizeof(float)), 0) << i;
    EXPECT_EQ(std::memcmp(&probability, &probabilities[i], sizeof(float)), 0) << i;
  }
  EXPECT_EQ(CrossEntropyRows(rows.batch(), nullptr), one_by_one);
}

TEST_P(CrossEntropyTest, StrideReadsAndWritesOneColumnOnly) {
  const Rows rows = RandomRows(70, 6);
  std::vector<float> dense(70), wide(70 * 3, 8.0f), wide_gradient(70 * 3, 9.0f);
  const double sum = CrossEntropyRows(rows.batch(), dense.data());
  for (int64_t i = 0; i < 70; ++i) wide[i * 3 + 1] = rows.logits[i];
  CrossEntropyBatch batch = rows.batch();
  batch.logits = wide.data() + 1;
  batch.logit_stride = 3;
  EXPECT_EQ(CrossEntropyRows(batch, wide_gradient.data() + 1), sum);
  for (int64_t i = 0; i < 70; ++i) {
    EXPECT_EQ(wide_gradient[i * 3], 9.0f);
    EXPECT_EQ(wide_gradient[i * 3 + 1], dense[i]);
    EXPECT_EQ(wide_gradient[i * 3 + 2], 9.0f);
  }
}

TEST_P(CrossEntropyTest, WorksInPlace) {
  Rows rows = RandomRows(37, 7);
  std::vector<float> d_logits(37), probabilities(37);
  CrossEntropyRows(rows.batch(), d_logits.data());
  Sigmoid(rows.logits.data(), 37, probabilities.data());
  std::vector<float> in_place = rows.logits;
  Sigmoid(in_place.data(), 37, in_place.data());
  EXPECT_EQ(in_place, probabilities);
  CrossEntropyRows(rows.batch(), rows.logits.data());
  EXPECT_EQ(rows.logits, d_logits);
}

TEST_P(CrossEntropyTest, LabelSmoothing) {
  // s = 0.2: a label of 1 becomes 0.9, of 0 becomes 0.1. At z = 0 the loss is log 2 whatever the label.
  const Rows rows{.logits = {0.0f, 2.0f}, .labels = {1.0f, 0.0f}, .weights = {1.0f, 1.0f}};
  CrossEntropyBatch batch = rows.batch();
  batch.label_smoothing = 0.2f;
  std::vector<float> d_logits(2);
  const double sum = CrossEntropyRows(batch, d_logits.data());
  EXPECT_NEAR(sum, std::log(2.0) + InDouble(2.0, 0.1).loss, 5e-7);
  EXPECT_NEAR(d_logits[0], 0.5 - 0.9, 1e-7);
  EXPECT_NEAR(d_logits[1], InDouble(2.0, 0.1).probability - 0.1, 1e-7);
}

TEST_P(CrossEntropyTest, FocalAgreesWithDouble) {
  const auto softplus = [](double z) { return std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z))); };
  for (const double gamma : {0.0, 0.5, 2.0}) {
    const double alpha = 0.25;
    const Rows rows = RandomRows(70, 8);
    std::vector<float> d_logits(71, 99.0f);
    const double sum = FocalRows(rows.batch(), gamma, alpha, d_logits.data());
    EXPECT_EQ(d_logits[70], 99.0f);
    EXPECT_EQ(FocalRows(rows.batch(), gamma, alpha, nullptr), sum);
    double expected_sum = 0.0;
    for (int64_t i = 0; i < 70; ++i) {
      const bool positive = rows.labels[i] > 0.5f;
      const double u = positive ? rows.logits[i] : -rows.logits[i], factor = positive ? alpha : 1 - alpha;
      const double p = 1 / (1 + std::exp(-u)), q = 1 / (1 + std::exp(u));
      expected_sum += rows.weights[i] * factor * std::pow(q, gamma) * softplus(-u);
      const double slope = -factor * std::pow(q, gamma) * (gamma * p * softplus(-u) + q);
      const double d_logit = rows.weights[i] * (positive ? slope : -slope);
      EXPECT_NEAR(d_logits[i], d_logit, 1e-8 + 3e-6 * std::fabs(d_logit)) << gamma << " row " << i;
    }
    EXPECT_NEAR(sum, expected_sum, 2e-6 * (1.0 + expected_sum)) << gamma;
  }
}

TEST_P(CrossEntropyTest, FocalAtTheEdges) {
  Rows rows{.logits = {1e4f, 1e4f, -1e4f, -1e4f, kNaN}, .labels = {1, 0, 1, 0, kNaN}, .weights = {1, 1, 1, 1, 0}};
  std::vector<float> d_logits(5, 9.0f);
  EXPECT_EQ(FocalRows(rows.batch(), 2.0f, 0.25f, d_logits.data()), 0.75e4 + 0.25e4);
  EXPECT_EQ(d_logits, (std::vector<float>{0.0f, 0.75f, -0.25f, 0.0f, 0.0f}));
  rows.labels[4] = 1.0f;
  rows.weights[4] = 1.0f;
  EXPECT_TRUE(std::isnan(FocalRows(rows.batch(), 2.0f, 0.25f, d_logits.data())));
  EXPECT_TRUE(std::isnan(d_logits[4]));
}

TEST_P(CrossEntropyTest, NoRows) {
  EXPECT_EQ(CrossEntropyRows({.logits = nullptr, .labels = nullptr, .weights = nullptr, .rows = 0}, nullptr), 0.0);
  Sigmoid(nullptr, 0, nullptr);
}

}  // namespace
}  // namespace manygate
