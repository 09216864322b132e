// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/optimizer.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
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
  auto adam = MakeAdam(config::AdamOptimizer(), RowDecay::kEveryStep);
  ExpectLazyEqualsEager(
      *adam, [](int64_t r, int64_t n) { return ReferenceAdam(r, n, 0); }, 2e-6);
}

TEST(Optimizer, LazyAdamWDecaysMissedStepsToo) {
  auto adamw = MakeAdamW(AdamW(0.5f));
  ExpectLazyEqualsEager(
      *adamw, [](int64_t r, int64_t n) { return ReferenceAdam(r, n, 0.5); }, 2e-6);
}

TEST(Optimizer, LazyMomentumEqualsMomentum) {
  config::SgdOptimizer config;
  config.set_momentum(0.95f);
  auto sgd = MakeSgd(config, RowDecay::kEveryStep);
  ExpectLazyEqualsEager(
      *sgd,
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
  auto adagrad = MakeAdagrad(config, RowDecay::kEveryStep);
  ExpectLazyEqualsEager(
      *adagrad,
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

// Every optimizer that says nothing else of rows that are not touched: the same steps with all rows of a dense layer.
TEST(Optimizer, LazyRowsEqualDenseSteps) {
  const std::string text = "gradient_clipping: true max_gradient: 0.25 weight_decay: 0.125 ";
  const auto parse = [&](auto config, const std::string& more) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(more, &config)) << more;
    return config;
  };
  using Make = std::function<std::unique_ptr<Optimizer>(RowDecay)>;
  const std::vector<std::pair<std::string, Make>> all = {
      {"sgd", [&](RowDecay d) { return MakeSgd(parse(config::SgdOptimizer(), text), d); }},
      {"sgd with momentum",
       [&](RowDecay d) { return MakeSgd(parse(config::SgdOptimizer(), text + "momentum: 0.75 dampening: 0.5"), d); }},
      {"nesterov without decay",
       [&](RowDecay d) { return MakeSgd(parse(config::SgdOptimizer(), "momentum: 0.75 nesterov: true"), d); }},
      {"nesterov",
       [&](RowDecay d) { return MakeSgd(parse(config::SgdOptimizer(), text + "momentum: 0.75 nesterov: true"), d); }},
      {"dampening",
       [&](RowDecay d) { return MakeSgd(parse(config::SgdOptimizer(), "momentum: 0.75 dampening: 0.5"), d); }},
      {"adagrad", [&](RowDecay d) { return MakeAdagrad(parse(config::AdagradOptimizer(), text), d); }},
      {"adam", [&](RowDecay d) { return MakeAdam(parse(config::AdamOptimizer(), text), d); }},
      {"amsgrad", [&](RowDecay d) { return MakeAdam(parse(config::AdamOptimizer(), "amsgrad: true"), d); }},
      {"rmsprop", [&](RowDecay d) { return MakeRmsprop(parse(config::RmspropOptimizer(), ""), d); }},
      {"rmsprop with momentum",
       [&](RowDecay d) { return MakeRmsprop(parse(config::RmspropOptimizer(), "momentum: 0.75"), d); }},
      {"rmsprop with decay",
       [&](RowDecay d) { return MakeRmsprop(parse(config::RmspropOptimizer(), text + "momentum: 0.75"), d); }},
      {"adadelta", [&](RowDecay d) { return MakeAdadelta(parse(config::AdadeltaOptimizer(), "eps: 1e-3"), d); }},
      {"adadelta with decay", [&](RowDecay d) { return MakeAdadelta(parse(config::AdadeltaOptimizer(), text), d); }},
      {"ftrl", [&](RowDecay) { return MakeFtrl(parse(config::FtrlOptimizer(), "l1: 0.125 l2: 0.25")); }}};
  for (const auto& [name, make] : all) {
    SCOPED_TRACE(name);
    const auto dense = [&make](int64_t row, int64_t steps) {
      const auto optimizer = make(RowDecay::kEveryStep);
      float w = 1;
      std::vector<float> values(optimizer->StatePerValue(), optimizer->InitialState());
      std::vector<float*> states;
      for (float& value : values) states.push_back(&value);
      for (int64_t step = 1; step <= steps; ++step) {
        float g = static_cast<float>(Gradient(row, step));
        optimizer->BeginStep(Rate(step));
        optimizer->UpdateDense(1, &w, &g, states, true);
      }
      return double{w};
    };
    ExpectLazyEqualsEager(*make(RowDecay::kEveryStep), dense, 1e-5);
  }
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
  auto adam = MakeAdam(config::AdamOptimizer(), RowDecay::kEveryStep);
  float w = 1, g = -3, mean = 0, variance = 0;
  float* states[] = {&mean, &variance};
  adam->BeginStep(0.001);
  adam->UpdateDense(1, &w, &g, states, true);
  EXPECT_NEAR(w, 1.001f, 1e-6);  // m/√v of the first step is the gradient's sign
}

const std::vector<std::vector<float>> kGradients = {
    {0.5f, -1.25f, 0}, {-0.75f, 0.5f, 2}, {0.25f, 0.125f, -1}, {1.5f, -2, 0.0625f}, {-0.3125f, 0.75f, 0.5f}};

// Five steps on the weights 1, -2, 0.5 with kGradients; `want` is what torch.optim of PyTorch 2 gives in double precision.
void ExpectTorch(std::unique_ptr<Optimizer> optimizer, double lr, const std::vector<double>& want) {
  std::vector<float> w = {1, -2, 0.5f};
  std::vector<std::vector<float>> state(optimizer->StatePerValue(), std::vector<float>(3, optimizer->InitialState()));
  std::vector<float*> states;
  for (auto& values : state) states.push_back(values.data());
  for (std::vector<float> g : kGradients) {
    optimizer->BeginStep(lr);
    optimizer->UpdateDense(3, w.data(), g.data(), states, true);
  }
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(w[i], want[i], 2e-6) << i;
}

template <typename Config>
Config Parsed(const std::string& text) {
  Config config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return config;
}

TEST(Torch, Sgd) {
  const auto sgd = [](const std::string& text) {
    return MakeSgd(Parsed<config::SgdOptimizer>("weight_decay: 0.05 " + text), RowDecay::kEveryStep);
  };
  ExpectTorch(sgd(""), 0.1, {0.857371269, -1.765607875, 0.333393152});
  ExpectTorch(sgd("momentum: 0.75 dampening: 0.25"), 0.1, {0.741986613, -1.454175583, 0.198891553});
  ExpectTorch(sgd("momentum: 0.75 nesterov: true"), 0.1, {0.642919355, -1.328818122, 0.03997548});
}

TEST(Torch, Adagrad) {
  ExpectTorch(MakeAdagrad(Parsed<config::AdagradOptimizer>("weight_decay: 0.05 initial_accumulator_value: 0.5"),
                          RowDecay::kEveryStep),
              0.1, {0.90889772, -1.883221315, 0.41842985});
}

TEST(Torch, Adam) {
  const auto adam = [](const std::string& text) {
    return MakeAdam(Parsed<config::AdamOptimizer>(text), RowDecay::kEveryStep);
  };
  ExpectTorch(adam("weight_decay: 0.05"), 0.1, {0.821461312, -1.725572559, 0.248342146});
  ExpectTorch(adam("amsgrad: true beta1: 0.5 beta2: 0.75"), 0.1, {0.846768171, -1.806738517, 0.385106311});
  ExpectTorch(adam("amsgrad: true beta1: 0.5 beta2: 0.75 weight_decay: 0.05"), 0.1,
              {0.825542441, -1.776794031, 0.280709239});
}

TEST(Torch, Rmsprop) {
  const auto rmsprop = [](const std::string& text) {
    return MakeRmsprop(Parsed<config::RmspropOptimizer>("alpha: 0.75 " + text), RowDecay::kEveryStep);
  };
  ExpectTorch(rmsprop(""), 0.1, {0.770772917, -1.798986289, 0.32957929});
  ExpectTorch(rmsprop("momentum: 0.5 weight_decay: 0.05"), 0.1, {0.558970186, -1.538768406, -0.161209581});
}

TEST(Torch, Adadelta) {
  const auto adadelta = [](const std::string& text) {
    return MakeAdadelta(Parsed<config::AdadeltaOptimizer>("rho: 0.75 eps: 1e-3 " + text), RowDecay::kEveryStep);
  };
  ExpectTorch(adadelta(""), 1, {0.909191991, -1.948167315, 0.450243067});
  ExpectTorch(adadelta("weight_decay: 0.05"), 1, {0.894135226, -1.926451737, 0.420672053});
}

TEST(GradientRules, LimitThenDecayAndNoDecayOfBiases) {
  const auto config = Parsed<config::SgdOptimizer>("weight_decay: 0.5 gradient_clipping: true max_gradient: 0.25");
  float w[] = {1, 1, 1}, g[] = {2, -2, 0.125f};
  const auto sgd = MakeSgd(config, RowDecay::kEveryStep);
  sgd->BeginStep(1);
  sgd->UpdateDense(2, w, g, {}, true);
  EXPECT_FLOAT_EQ(w[0], 1 - 0.75f);
  EXPECT_FLOAT_EQ(w[1], 1 - 0.25f);
  sgd->UpdateDense(1, w + 2, g + 2, {}, false);
  EXPECT_FLOAT_EQ(w[2], 1 - 0.125f);
}

// A table of two rows of three values, whose first row gets kGradients[i] in step s of `steps`, the i-th of them.
struct TouchedRow {
  TouchedRow(Optimizer& optimizer, const std::vector<int64_t>& steps, double lr)
      : table("t", 2, 3, optimizer.StatePerValue()) {
    for (int64_t r = 0; r < 2; ++r) {
      const float start[] = {1, -2, 0.5f};
      std::copy_n(start, 3, table.weights(r));
      for (int k = 0; k < optimizer.StatePerValue(); ++k)
        std::fill_n(table.state(r, k), table.padded_width(), optimizer.InitialState());
    }
    size_t next = 0;
    for (int64_t step = 1; step <= steps.back() + 1; ++step) {
      if (next < steps.size() && steps[next] == step) {
        const std::vector<int32_t> rows = {0};
        optimizer.SettleRows(table, rows);
        std::copy_n(kGradients[next++].data(), 3, table.gradient(0));
      }
      optimizer.BeginStep(lr);
    }
    optimizer.SettleAll(table);
  }
  std::vector<float> Row(int64_t row) { return {table.weights(row), table.weights(row) + 3}; }
  RowTable table;
};

TEST(RowDecay, WhenTouchedDecaysInThoseStepsOnly) {
  const auto sgd = MakeSgd(Parsed<config::SgdOptimizer>("weight_decay: 0.5"), RowDecay::kWhenTouched);
  TouchedRow touched(*sgd, {2, 7}, 0.5);
  // w - 0.5·(g + 0.5·w) = 0.75·w - 0.5·g, twice.
  EXPECT_THAT(touched.Row(0),
              testing::Pointwise(testing::FloatNear(1e-6f), {0.75f * (0.75f - 0.25f) + 0.375f,
                                                             0.75f * (-1.5f + 0.625f) - 0.25f, 0.75f * 0.375f - 1.f}));
  EXPECT_THAT(touched.Row(1), testing::ElementsAre(1, -2, 0.5f)) << "never touched";
}

TEST(RowDecay, WhenTouchedAdamMovesOnWithoutDecay) {
  const auto adam = MakeAdam(Parsed<config::AdamOptimizer>("weight_decay: 0.5"), RowDecay::kWhenTouched);
  TouchedRow touched(*adam, {1}, 0.125);
  double w[] = {1, -2, 0.5};
  for (int i = 0; i < 3; ++i) {
    reference::AdamState state{w[i]};
    reference::AdamStep(state, kGradients[0][i] + 0.5 * w[i], 0.125, 0.9, 0.999, 1e-8, 0, 1);
    reference::AdamStep(state, 0, 0.125, 0.9, 0.999, 1e-8, 0, 2);
    EXPECT_NEAR(touched.Row(0)[i], state.weight, 2e-6);
  }
  EXPECT_THAT(touched.Row(1), testing::ElementsAre(1, -2, 0.5f));
}

// alpha 0.5, beta 1, l1 0.25, l2 0; steps 2 and 4 of 5. First value: z0 = -1·2 - 0.25; g = 0.5, sigma = 0.5/0.5 = 1:
// z = -2.25 + 0.5 - 1·1 = -2.75, n = 0.25, w = 2.5 / ((1 + 0.5)/0.5) = 5/6. Then g = -0.75, n = 0.8125.
TEST(Ftrl, ByHandAndUntouchedRowsStay) {
  const auto ftrl = MakeFtrl(Parsed<config::FtrlOptimizer>("l1: 0.25"));
  TouchedRow touched(*ftrl, {2, 4}, 0.5);
  const double root = std::sqrt(0.8125), sigma = (root - 0.5) / 0.5;
  const double z = -2.75 - 0.75 - sigma * 5 / 6;
  EXPECT_NEAR(touched.Row(0)[0], -(z + 0.25) / ((1 + root) / 0.5), 1e-6);
  EXPECT_NEAR(touched.table.state(0, 0)[0], z, 1e-6);
  EXPECT_NEAR(touched.table.state(0, 1)[0], 0.8125, 1e-6);
  // Third value: no gradient in the first of the two.
  const double z3 = -0.5 * 2 - 0.25 + 2 - 2 / 0.5 * 0.5;
  EXPECT_NEAR(touched.Row(0)[2], -(z3 + 0.25) / ((1 + 2) / 0.5), 1e-6);
  EXPECT_THAT(touched.Row(1), testing::ElementsAre(1, -2, 0.5f));
}

TEST(Ftrl, ARateOfZeroMovesNothing) {
  const auto ftrl = MakeFtrl(Parsed<config::FtrlOptimizer>(""));
  TouchedRow touched(*ftrl, {1, 2}, 0);
  EXPECT_THAT(touched.Row(0), testing::ElementsAre(1, -2, 0.5f));
  EXPECT_THAT(std::vector<float>(touched.table.gradient(0), touched.table.gradient(0) + 3), testing::Each(0.f));
}

// Means of squares: (0.25 + 1.5625) / 3 and (0.5625 + 0.25 + 4) / 3.
TEST(RowwiseAdagrad, ByHand) {
  const double first = 1.8125 / 3, second = first + 4.8125 / 3;
  const double a = 0.5 / (std::sqrt(0.5 + first) + 1e-8), b = 0.5 / (std::sqrt(0.5 + second) + 1e-8);
  const auto plain = MakeRowwiseAdagrad(
      Parsed<config::RowwiseAdagradOptimizer>("initial_accumulator_value: 0.5 weight_decay: 9"));  // the mode is NONE
  TouchedRow touched(*plain, {2, 5}, 0.5);
  EXPECT_NEAR(touched.Row(0)[0], 1 - a * 0.5 + b * 0.75, 1e-6);
  EXPECT_NEAR(touched.Row(0)[1], -2 + a * 1.25 - b * 0.5, 1e-6);
  EXPECT_NEAR(touched.Row(0)[2], 0.5 - b * 2, 1e-6);
  EXPECT_NEAR(touched.table.state(0, 0)[0], 0.5 + second, 1e-6);
  EXPECT_THAT(touched.Row(1), testing::ElementsAre(1, -2, 0.5f));
}

TEST(RowwiseAdagrad, WeightDecay) {
  // L2 with 0.5: the gradient is (1, -2.25, 0.25), its mean square 6.125 / 3. DECOUPLE: w · (1 - 0.5·0.5).
  const auto l2 =
      MakeRowwiseAdagrad(Parsed<config::RowwiseAdagradOptimizer>("weight_decay: 0.5 weight_decay_mode: L2"));
  TouchedRow touched(*l2, {1}, 0.5);
  EXPECT_NEAR(touched.Row(0)[1], -2 + 0.5 / std::sqrt(6.125 / 3) * 2.25, 1e-6);
  const auto decoupled =
      MakeRowwiseAdagrad(Parsed<config::RowwiseAdagradOptimizer>("weight_decay: 0.5 weight_decay_mode: DECOUPLE"));
  TouchedRow other(*decoupled, {3}, 0.5);
  EXPECT_NEAR(other.Row(0)[1], -2 * 0.75 + 0.5 / std::sqrt(1.8125 / 3) * 1.25, 1e-6);
  EXPECT_THAT(other.Row(1), testing::ElementsAre(1, -2, 0.5f));
  const auto clipped =
      MakeRowwiseAdagrad(Parsed<config::RowwiseAdagradOptimizer>("gradient_clipping: true max_gradient: 0.5"));
  TouchedRow limited(*clipped, {1}, 0.5);
  EXPECT_NEAR(limited.Row(0)[1], -2 + 0.5 / std::sqrt(0.5 / 3) * 0.5, 1e-6);
}

// beta1 0.5, beta2 0.75; steps 1 and 3, so c1 is 0.5 and 0.875, c2 0.25 and 37/64.
TEST(PartialRowwiseAdam, ByHand) {
  const auto adam = MakePartialRowwiseAdam(Parsed<config::PartialRowwiseAdamOptimizer>("beta1: 0.5 beta2: 0.75"));
  TouchedRow touched(*adam, {1, 3}, 0.125);
  const double v1 = 0.25 * 1.8125 / 3, v2 = 0.75 * v1 + 0.25 * 4.8125 / 3;
  const double step1 = 0.125 / 0.5 / std::sqrt(v1 / 0.25), step2 = 0.125 / 0.875 / std::sqrt(v2 / (37.0 / 64));
  EXPECT_NEAR(touched.Row(0)[0], 1 - step1 * 0.25 - step2 * (0.125 - 0.375), 1e-6);
  EXPECT_NEAR(touched.Row(0)[2], 0.5 - step2 * 1, 1e-6);
  EXPECT_NEAR(touched.table.state(0, 1)[0], v2, 1e-6);
  EXPECT_THAT(touched.Row(1), testing::ElementsAre(1, -2, 0.5f));
  const auto decayed = MakePartialRowwiseAdam(Parsed<config::PartialRowwiseAdamOptimizer>("weight_decay: 0.5"));
  TouchedRow other(*decayed, {1}, 0.125);
  EXPECT_NEAR(other.Row(0)[1], -2 + 0.125 * 2.25 / std::sqrt(6.125 / 3), 1e-6) << "added to the gradient";
}

TEST(RowwiseDeathTest, AreForTables) {
  const auto adagrad = MakeRowwiseAdagrad({});
  adagrad->BeginStep(1);
  float w = 1, g = 1, sum = 0;
  float* states[] = {&sum};
  EXPECT_DEATH(adagrad->UpdateDense(1, &w, &g, states, true), "1 dense weights for an optimizer of tables");
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
