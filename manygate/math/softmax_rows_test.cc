// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/softmax_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Rows {
  int64_t classes;
  std::vector<float> logits, labels, weights;
  SoftmaxBatch batch() const {
    return {.logits = logits.data(),
            .logit_stride = classes,
            .classes = classes,
            .labels = labels.data(),
            .weights = weights.data(),
            .rows = static_cast<int64_t>(labels.size())};
  }
};

Rows RandomRows(int64_t classes, int64_t count) {
  std::mt19937 random(static_cast<uint32_t>(classes));
  std::normal_distribution<float> logit(0.0f, 4.0f);
  Rows rows{.classes = classes, .logits = {}, .labels = {}, .weights = {}};
  for (int64_t k = 0; k < classes * count; ++k) rows.logits.push_back(logit(random));
  for (int64_t i = 0; i < count; ++i) {
    rows.labels.push_back(static_cast<float>(random() % classes));
    rows.weights.push_back(0.5f * static_cast<float>(random() % 4));
  }
  return rows;
}

// p_k of one row, in double.
std::vector<double> InDouble(const float* z, int64_t classes) {
  std::vector<double> p(classes);
  double highest = z[0], sum = 0.0;
  for (int64_t k = 0; k < classes; ++k) highest = std::max<double>(highest, z[k]);
  for (int64_t k = 0; k < classes; ++k) sum += p[k] = std::exp(z[k] - highest);
  for (double& value : p) value /= sum;
  return p;
}

TEST(SoftmaxRowsTest, AgreesWithDouble) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t classes : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100}) {
      for (const float smoothing : {0.0f, 0.125f}) {
        const Rows rows = RandomRows(classes, 6);
        SoftmaxBatch batch = rows.batch();
        batch.scale = 0.25f;
        batch.label_smoothing = smoothing;
        std::vector<float> d_logits(classes * 6 + 1, 9.0f), probabilities = d_logits;
        const double sum = SoftmaxCrossEntropyRows(batch, d_logits.data());
        SoftmaxRows(batch.logits, classes, 6, classes, probabilities.data());
        EXPECT_EQ(SoftmaxCrossEntropyRows(batch, nullptr), sum);
        EXPECT_EQ(d_logits.back(), 9.0f) << target << ": wrote behind the last row of " << classes;
        EXPECT_EQ(probabilities.back(), 9.0f) << target << ": wrote behind the last row of " << classes;
        double expected = 0.0;
        for (int64_t i = 0; i < 6; ++i) {
          const std::vector<double> p = InDouble(&rows.logits[i * classes], classes);
          for (int64_t k = 0; k < classes; ++k) {
            const double t = (rows.labels[i] == k ? 1.0 - smoothing : 0.0) + smoothing / classes;
            const int64_t at = i * classes + k;
            expected -= rows.weights[i] * t * std::log(p[k]);
            EXPECT_NEAR(d_logits[at], 0.25 * rows.weights[i] * (p[k] - t), 2e-7) << target << " " << classes;
            // The difference of two logits of up to 16 is rounded at 2e-6, which exp makes a relative error.
            EXPECT_NEAR(probabilities[at], p[k], 3e-6 * p[k]) << target << " " << classes;
          }
        }
        EXPECT_NEAR(sum, expected, 1e-6 * (1 + expected)) << target << " " << classes;
      }
    }
  });
}

TEST(SoftmaxRowsTest, InPlace) {
  Rows rows = RandomRows(11, 5);
  std::vector<float> d_logits(55), probabilities(55), in_place = rows.logits;
  const double sum = SoftmaxCrossEntropyRows(rows.batch(), d_logits.data());
  SoftmaxRows(rows.logits.data(), 11, 5, 11, probabilities.data());
  SoftmaxRows(in_place.data(), 11, 5, 11, in_place.data());
  EXPECT_EQ(in_place, probabilities);
  EXPECT_EQ(SoftmaxCrossEntropyRows(rows.batch(), rows.logits.data()), sum);
  EXPECT_EQ(rows.logits, d_logits);
}

TEST(SoftmaxRowsTest, StrideAndRowsLeftOut) {
  ForEachSimdTarget([](const char* target) {
    Rows rows = RandomRows(5, 3);
    rows.weights = {1.0f, 0.0f, 2.0f};
    rows.labels[1] = kNaN;
    std::vector<float> narrow(15), wide(3 * 7, kNaN), d_wide(3 * 7, 9.0f);
    const double sum = SoftmaxCrossEntropyRows(rows.batch(), narrow.data());
    for (int64_t k = 0; k < 15; ++k) wide[k / 5 * 7 + k % 5] = rows.logits[k];
    wide[7] = kNaN;  // in the row that is left out
    SoftmaxBatch batch = rows.batch();
    batch.logits = wide.data();
    batch.logit_stride = 7;
    EXPECT_EQ(SoftmaxCrossEntropyRows(batch, d_wide.data()), sum) << target;
    for (int64_t k = 0; k < 21; ++k) EXPECT_EQ(d_wide[k], k % 7 < 5 ? narrow[k / 7 * 5 + k % 7] : 9.0f) << target << k;
    for (int64_t k = 5; k < 10; ++k) EXPECT_EQ(narrow[k], 0.0f) << target;
  });
}

TEST(SoftmaxRowsTest, LargeLogitsAndNaN) {
  ForEachSimdTarget([](const char* target) {
    Rows rows{.classes = 3, .logits = {1e4f, -1e4f, 0.0f, 1e4f, -1e4f, 0.0f}, .labels = {0, 1}, .weights = {1, 1}};
    std::vector<float> d_logits(6);
    EXPECT_EQ(SoftmaxCrossEntropyRows(rows.batch(), d_logits.data()), 20000.0) << target;
    EXPECT_EQ(d_logits, (std::vector<float>{0, 0, 0, 1, -1, 0})) << target;
    for (size_t k = 0; k < 3; ++k) {
      Rows diverged = rows;
      diverged.logits[k] = kNaN;
      EXPECT_TRUE(std::isnan(SoftmaxCrossEntropyRows(diverged.batch(), d_logits.data()))) << target;
      EXPECT_TRUE(std::isnan(d_logits[0])) << target;
      EXPECT_EQ(d_logits[3], 1.0f) << target;
    }
  });
}

TEST(SoftmaxRowsDeathTest, LabelOutOfRange) {
  Rows rows{.classes = 3, .logits = {0, 0, 0}, .labels = {3}, .weights = {1}};
  EXPECT_DEATH(SoftmaxCrossEntropyRows(rows.batch(), nullptr), "label 3 of row 0, 3 classes");
  rows.labels[0] = kNaN;
  EXPECT_DEATH(SoftmaxCrossEntropyRows(rows.batch(), nullptr), "label nan of row 0, 3 classes");
}

}  // namespace
}  // namespace manygate
