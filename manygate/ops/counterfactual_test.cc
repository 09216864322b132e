// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/counterfactual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

InputBatch WithLabels(const TestBatch& batch, const std::vector<float>& labels) {
  InputBatch rows = batch.Rows();
  rows.labels = labels.data();
  rows.label_stride = static_cast<int64_t>(labels.size()) / batch.rows;
  return rows;
}

// Click, conversion and, if robust, imputation are the three numbers of a row; labels are columns 2 and 0 of three.
Value LossOfNumbers(Graph& graph, bool robust) {
  const Value x = Numbers(graph, "x", 0, 3);
  const auto column = [&](int64_t i) { return SliceColumns(graph, "column", x, i, {1, 1}); };
  Counterfactual terms{.click = column(0), .conversion = column(1), .click_label = 2, .max_inverse_propensity = 10};
  if (robust) terms.imputation = column(2);
  return CounterfactualLoss(graph, terms, "loss");
}

constexpr double kLog2 = 0.693147181;
const float kLog3 = std::log(3.f);

// Propensity 1/4 (weight 4), conversion 1/2 (δ = log 2 for either label), imputed loss log 2 (or log 4 = 1.386294).
const std::vector<float> kNumbers = {-kLog3, 0, 0,      //
                                     -kLog3, 0, kLog3,  //
                                     -kLog3, 0, 0,      //
                                     -9,     0, 0,      //
                                     -kLog3, 0, kLog3,  //
                                     -kLog3, 0, 0};
const std::vector<float> kLabels = {1,        7, 1,  // clicked and bought
                                    0,        7, 1,  // clicked only
                                    kMissing, 7, 0,  // no click
                                    1,        7, 1,  // propensity 1/8104: the weight is cut to 10
                                    kMissing, 7, 1,  // clicked, nobody knows whether bought
                                    0,        7, kMissing};

TEST(Counterfactual, InversePropensityWeighting) {
  Graph graph;
  graph.AddOutput("loss", LossOfNumbers(graph, false));
  GraphRunner runner(graph);
  const TestBatch batch = NumberBatch(3, kNumbers);
  EXPECT_THAT(
      runner.Predict(WithLabels(batch, kLabels))[0],
      ElementsAre(FloatNear(4 * kLog2, 1e-5), FloatNear(4 * kLog2, 1e-5), 0, FloatNear(10 * kLog2, 1e-5), 0, 0));
}

TEST(Counterfactual, DoublyRobust) {
  Graph graph;
  graph.AddOutput("loss", LossOfNumbers(graph, true));
  GraphRunner runner(graph);
  const TestBatch batch = NumberBatch(3, kNumbers);
  // e + w(δ − e) + w(δ − e)²; first and fourth: δ = e; second: log 4 − 4 log 2 + 4 (log 2)²
  EXPECT_THAT(runner.Predict(WithLabels(batch, kLabels))[0],
              ElementsAre(FloatNear(kLog2, 1e-6), FloatNear(-2 * kLog2 + 4 * kLog2 * kLog2, 1e-5),
                          FloatNear(kLog2, 1e-6), FloatNear(kLog2, 1e-6), 0, 0));
}

TEST(Counterfactual, WithoutLabelsAllRowsAreZero) {
  for (const bool robust : {false, true}) {
    Graph graph;
    graph.AddOutput("loss", LossOfNumbers(graph, robust));
    GraphRunner runner(graph);
    EXPECT_THAT(runner.Predict(NumberBatch(3, kNumbers).Rows())[0], Each(0));
  }
}

TEST(Counterfactual, ExtremeLogitsStayFinite) {
  Graph graph;
  graph.AddOutput("loss", LossOfNumbers(graph, true));
  GraphRunner runner(graph);
  const TestBatch batch = NumberBatch(3, {-1e4f, 500, -1e4f, 1e4f, -500, 300});
  // p 0, cut to 10, δ = 500 (label 0), e = 0; p 1, δ = 500 (label 1), e = 300
  EXPECT_THAT(runner.Predict(WithLabels(batch, {0, 0, 1, 1, 0, 1}))[0],
              ElementsAre(FloatNear(10 * 500 + 10 * 500.f * 500, 1), FloatNear(300 + 200 + 200 * 200, 0.1f)));
}

std::vector<float> MixedLabels(int64_t rows) {
  std::vector<float> labels;
  for (int64_t r = 0; r < rows; ++r) {
    labels.push_back(r % 7 == 0 ? kMissing : r % 2 == 0 ? 1.f : 0.25f);
    labels.push_back(r % 5 == 4 ? kMissing : r % 3 == 0 ? 0.f : r % 3 == 1 ? 1.f : 0.5f);
  }
  return labels;
}

// The click's logits are a number of the row, as no gradient reaches what makes them.
TEST(Counterfactual, Gradients) {
  for (const bool robust : {false, true}) {
    Graph graph;
    const Value x = Numbers(graph, "x", 0, 3);
    Counterfactual terms{.click = SliceColumns(graph, "click", x, 0, {1, 1}),
                         .conversion = Dense(graph, x, {1, 1}, "conversion"),
                         .click_label = 1,
                         .max_inverse_propensity = 2};
    if (robust) terms.imputation = Dense(graph, x, {1, 1}, "imputation");
    graph.AddOutput("loss", CounterfactualLoss(graph, terms, "loss"));
    graph.AddOutput("conversion", terms.conversion);  // read twice
    GraphRunner runner(graph, {.slice_rows = 8});
    const TestBatch batch = MakeTestBatch(21, {}, 3, 1);
    const std::vector<float> labels = MixedLabels(batch.rows);
    CheckGradients(graph, runner, WithLabels(batch, labels));
  }
}

TEST(Counterfactual, NoGradientReachesThePropensity) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("loss", CounterfactualLoss(graph,
                                             {.click = Dense(graph, x, {1, 1}, "click"),
                                              .conversion = Dense(graph, x, {1, 1}, "conversion"),
                                              .imputation = Dense(graph, x, {1, 1}, "imputation"),
                                              .click_label = 1},
                                             "loss"));
  GraphRunner runner(graph);
  const TestBatch batch = MakeTestBatch(21, {}, 3, 1);
  const std::vector<float> labels = MixedLabels(batch.rows);
  const RunResult result = runner.Train(WithLabels(batch, labels));
  EXPECT_THAT(result.gradients[runner.Find("click.weight")], Each(0));
  EXPECT_THAT(result.gradients[runner.Find("click.bias")], Each(0));
  EXPECT_THAT(result.gradients[runner.Find("conversion.weight")], Each(testing::Ne(0)));
  EXPECT_THAT(result.gradients[runner.Find("imputation.weight")], Each(testing::Ne(0)));
}

TEST(Counterfactual, MissingLabelsHaveNoGradient) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("loss", CounterfactualLoss(graph,
                                             {.click = Dense(graph, x, {1, 1}, "click"),
                                              .conversion = Dense(graph, x, {1, 1}, "conversion"),
                                              .imputation = Dense(graph, x, {1, 1}, "imputation"),
                                              .click_label = 1},
                                             "loss"));
  GraphRunner runner(graph);
  const TestBatch batch = MakeTestBatch(2, {}, 3, 1);
  const RunResult result = runner.Train(WithLabels(batch, {1, kMissing, kMissing, 1}));
  for (const auto& gradient : result.gradients) EXPECT_THAT(gradient, Each(0));
}

TEST(CounterfactualDeathTest, OneLogitEach) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_DEATH(CounterfactualLoss(graph, {.click = x, .conversion = x}, "loss"), "loss: 2 logits, not 1");
}

}  // namespace
}  // namespace manygate
