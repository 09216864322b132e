// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "manygate/math/reference.h"
#include "manygate/optimizers/missed_steps.h"

namespace manygate {
namespace {

config::AdamWOptimizer AdamW(float decay) {
  config::AdamWOptimizer config;
  config.set_weight_decay(decay);
  return config;
}

// A rate that changes, and gradients that leave rows alone for up to 40 steps.
double Rate(int64_t step) { return 0.01 / std::sqrt(static_cast<double>(step)); }
double Gradient(int64_t row, int64_t step) {
  if ((step * 7 + row * 3) % (1 + 13 * row) != 0) return 0;
  return std::sin(0.7 * static_cast<double>(step + row)) * 0.3;
}

// Trains rows lazily, and the same weights in a reference that moves every row in every step.
void ExpectLazyEqualsEager(Optimizer& optimizer, const std::function<double(int64_t row, int64_t steps)>& reference,
                           double tolerance) {
  const int64_t rows = 4, steps = 300;
  RowTable table("t", rows, 3, optimizer.StatePerValue());
  for (int64_t r = 0; r < rows; ++r) {
    for (int j = 0; j < 3; ++j) table.weights(r)[j] = 1.f;
    for (int k = 0; k < optimizer.StatePerValue(); ++k)
      std::fill_n(table.state(r, k), table.padded_width(), optimizer.InitialState());
  }
  for (int64_t step = 1; step <= steps; ++step) {
    table.StartBatch();
    std::vector<int32_t> ids;
    for (int32_t r = 0; r < rows; ++r)
      if (Gradient(r, step) != 0) ids.push_back(r);
    const LookupColumn column{0, 0, rows};
    table.Touch({&column, 1}, static_cast<int64_t>(ids.size()), ids.data(), 1);
    optimizer.SettleRows(table, table.touched()[0]);
    for (const int32_t r : table.touched()[0])
      for (int j = 0; j < 3; ++j) table.gradient(r)[j] += static_cast<float>(Gradient(r, step));
    optimizer.BeginStep(Rate(step));
    if (step == 123) {  // an evaluation in between must not disturb
      optimizer.SettleAll(table);
      optimizer.Forget();
      for (int64_t r = 0; r < rows; ++r) EXPECT_NEAR(table.weights(r)[1], reference(r, step), tolerance) << r;
    }
  }
  optimizer.SettleAll(table);
  for (int64_t r = 0; r < rows; ++r) EXPECT_NEAR(table.weights(r)[2], reference(r, steps), tolerance) << "row " << r;
}

double ReferenceAdam(int64_t row, int64_t steps, double decay) {
  reference::AdamState state{1.0};
  for (int64_t step = 1; step <= steps; ++step)
    reference::AdamStep(state, Gradient(row, step), Rate(step), 0.9, 0.999, 1e-8, decay, step);
  return state.weight;
}

TEST(Optimizer, LazyAdamEqualsAdamOnEveryRowInEveryStep) {
  auto adam = MakeAdam(config::AdamOptimizer());
  ExpectLazyEqualsEager(*adam, [](int64_t r, int64_t n) { return ReferenceAdam(r, n, 0); }, 2e-6);
}

TEST(Optimizer, LazyAdamWDecaysMissedStepsToo) {
  auto adamw = MakeAdamW(AdamW(0.5f));
  ExpectLazyEqualsEager(*adamw, [](int64_t r, int64_t n) { return ReferenceAdam(r, n, 0.5); }, 2e-6);
}

TEST(Optimizer, LazyMomentumEqualsMomentum) {
  config::SgdOptimizer config;
  config.set_momentum(0.95f);
  auto sgd = MakeSgd(config);
  ExpectLazyEqualsEager(*sgd,
                        [](int64_t r, int64_t n) {
                          double w = 1, velocity = 0;
                          for (int64_t step = 1; step <= n; ++step) {
                            velocity = double{0.95f} * velocity + Gradient(r, step);
                            w -= Rate(step) * velocity;
                          }
                          return w;
                        },
                        2e-6);
}

TEST(Optimizer, LazyAdagradEqualsAdagrad) {
  config::AdagradOptimizer config;
  config.set_initial_accumulator_value(0.1f);
  auto adagrad = MakeAdagrad(config);
  ExpectLazyEqualsEager(*adagrad,
                        [](int64_t r, int64_t n) {
                          double w = 1, sum = 0.1f;
                          for (int64_t step = 1; step <= n; ++step) {
                            const double g = Gradient(r, step);
                            sum += g * g;
                            w -= Rate(step) * g / (std::sqrt(sum) + 1e-10);
                          }
                          return w;
                        },
                        2e-6);
}

TEST(Optimizer, DenseStepsEqualTheReference) {
  auto adamw = MakeAdamW(AdamW(0.1f));
  std::vector<float> w(11, 0.5f), bias(11, 0.5f), g(11), mean(11), variance(11), mean2(11), variance2(11);
  reference::AdamState decayed{0.5}, plain{0.5};
  for (int64_t step = 1; step <= 50; ++step) {
    const double gradient = Gradient(1, step) + 0.01;
    std::fill(g.begin(), g.end(), static_cast<float>(gradient));
    adamw->BeginStep(Rate(step));
    float* states[] = {mean.data(), variance.data()};
    float* states2[] = {mean2.data(), variance2.data()};
    adamw->UpdateDense(11, w.data(), g.data(), states, true);
    adamw->UpdateDense(11, bias.data(), g.data(), states2, false);
    reference::AdamStep(decayed, gradient, Rate(step), 0.9, 0.999, 1e-8, 0.1f, step);
    reference::AdamStep(plain, gradient, Rate(step), 0.9, 0.999, 1e-8, 0, step);
  }
  for (int i = 0; i < 11; ++i) {
    EXPECT_NEAR(w[i], decayed.weight, 1e-6);
    EXPECT_NEAR(bias[i], plain.weight, 1e-6);
  }
}

TEST(Optimizer, FirstAdamStepIsTheLearningRate) {
  auto adam = MakeAdam(config::AdamOptimizer());
  float w = 1, g = -3, mean = 0, variance = 0;
  float* states[] = {&mean, &variance};
  adam->BeginStep(0.001);
  adam->UpdateDense(1, &w, &g, states, true);
  EXPECT_NEAR(w, 1.001f, 1e-6);  // m/√v of the first step is the gradient's sign
}

TEST(MissedSteps, SumIsHandComputed) {
  MissedSteps missed(0.5);
  missed.Push(2, 1);    // step 1
  missed.Push(3, 0.5);  // step 2
  EXPECT_NEAR(missed.Sum(2), 3, 1e-6);
  EXPECT_NEAR(missed.Sum(1), 2 * 0.5 + 3 * 0.5, 1e-6);
  EXPECT_NEAR(missed.Decay(1), 0.5, 1e-6);
  missed.Forget();
  missed.Push(4, 1);
  EXPECT_EQ(missed.first(), 3);
  EXPECT_NEAR(missed.Sum(3), 4, 1e-6);
}

}  // namespace
}  // namespace manygate
