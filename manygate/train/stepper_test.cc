// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/stepper.h"

#include <cmath>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::HasSubstr;
using Values = std::map<std::string, std::vector<float>>;

// The largest change over the parameters whose names begin so.
float Change(const Values& before, const Values& after, const std::string& prefix) {
  float change = 0;
  int count = 0;
  for (const auto& [name, values] : before) {
    if (!name.starts_with(prefix)) continue;
    ++count;
    for (size_t i = 0; i < values.size(); ++i) change = std::max(change, std::abs(values[i] - after.at(name)[i]));
  }
  EXPECT_GT(count, 0) << "no parameter is called " << prefix << "...";
  return change;
}

std::string PrefixOfTask(const Values& values, const std::string& task) {
  const std::string part = "." + task + ".";
  for (const auto& [name, unused] : values)
    if (name.find(part) != std::string::npos) return name.substr(0, name.find(part)) + part;
  return "no task " + task;
}

// Everything of a task: its towers and, in a model that shares nothing, its own bottom.
float ChangeOfTask(const Values& before, const Values& after, const std::string& task) {
  return Change(before, after, PrefixOfTask(before, task));
}

TEST(StepperTest, StepsCountFromOne) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(60));
  PreparedRun prepared(run.Load());
  EXPECT_EQ(prepared.stepper->step(), 0);
  ASSERT_TRUE(prepared.Steps(3).ok());
  EXPECT_EQ(prepared.stepper->step(), 3);
  EXPECT_EQ(prepared.stepper->settled_step(), 0);
  prepared.stepper->Settle();
  EXPECT_EQ(prepared.stepper->settled_step(), 3);
}

TEST(StepperTest, TrainerWithoutShuffleStepsInTheOrderOfTheRows) {
  for (const Recipe recipe : kAllRecipes) {
    const FunnelRun run(recipe);
    const std::vector<std::string> in_order = {"data_config.shuffle=false"};
    run.MustTrain("in_order", {.overrides = in_order});
    PreparedRun prepared(run.Load(in_order), 1, {.steps_per_epoch = 33, .total_steps = 66});
    for (int epoch = 0; epoch < 2; ++epoch) {
      ASSERT_TRUE(prepared.Steps(33).ok());
      prepared.stepper->Settle();  // as an evaluation does
    }
    prepared.stepper->SwapAverage();
    ASSERT_TRUE(SaveWeights(*prepared.model, run.Dir("by_hand")).ok());
    EXPECT_TRUE(FileContent(run.Dir("by_hand")) == run.Weights("in_order")) << NameOf(recipe);
    run.MustTrain("shuffled");
    EXPECT_FALSE(run.Weights("shuffled") == run.Weights("in_order")) << NameOf(recipe);
  }
}

// One step of plain gradient descent on a linear tower, computed by hand: p = sigmoid(bias), d = p - y over 2 rows.
TEST(StepperTest, OneStepByHand) {
  const std::string text = PipelineText(
      "dense_optimizer { sgd_optimizer { lr: 0.5 } }",
      R"(shared_bottom { bottom_mlp { hidden_units: 1 activation: "none" } task_towers { label_name: "a" } })",
      R"(feature_configs { raw_feature { feature_name: "x" } }
         data_config { batch_size: 4 with_header: true cache_dir: "off" shuffle: false
           split { validation_fraction: 0 } })");
  const FunnelRun run(text, "x,a\n1,1\n-2,0\n3,1\n0.5,\n");
  PreparedRun prepared(run.Load());
  const Values before = prepared.Parameters();
  double w = before.at("bottom.layers.0.weight")[0], b = before.at("bottom.layers.0.bias")[0];
  double v = before.at("towers.a.output.weight")[0], c = before.at("towers.a.output.bias")[0];
  EXPECT_NEAR(c, std::log(2.0), 1e-6) << "two of three labels are 1";
  const double x[] = {1, -2, 3}, y[] = {1, 0, 1};
  double dw = 0, db = 0, dv = 0, dc = 0, loss = 0;
  for (int i = 0; i < 3; ++i) {
    const double h = w * x[i] + b, z = v * h + c, p = 1 / (1 + std::exp(-z)), d = (p - y[i]) / 3;
    loss += -(y[i] == 1 ? std::log(p) : std::log(1 - p)) / 3;
    dc += d;
    dv += d * h;
    db += d * v;
    dw += d * v * x[i];
  }
  ASSERT_TRUE(prepared.Steps(1).ok());
  const Values after = prepared.Parameters();
  EXPECT_NEAR(after.at("bottom.layers.0.weight")[0], w - 0.5 * dw, 1e-6);
  EXPECT_NEAR(after.at("bottom.layers.0.bias")[0], b - 0.5 * db, 1e-6);
  EXPECT_NEAR(after.at("towers.a.output.weight")[0], v - 0.5 * dv, 1e-6);
  EXPECT_NEAR(after.at("towers.a.output.bias")[0], c - 0.5 * dc, 1e-6);
  const auto losses = prepared.stepper->TakeLosses();
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses[0].first, "a");
  EXPECT_NEAR(losses[0].second, loss, 1e-6);
  EXPECT_EQ(prepared.stepper->TakeLosses()[0].second, 0.0) << "taken";
}

TEST(StepperTest, BatchWithoutLabelsOfATaskLeavesThatTaskAlone) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(60, [](int row, auto& fields) {
                        if (row < 40) fields[4] = "";
                      }));
  PreparedRun prepared(run.Load({"data_config.split.validation_fraction=0"}));
  const Values start = prepared.Parameters();
  ASSERT_TRUE(prepared.Steps(5).ok());  // rows 0 .. 39
  const Values without = prepared.Parameters();
  EXPECT_EQ(ChangeOfTask(start, without, "b"), 0.f);
  EXPECT_GT(ChangeOfTask(start, without, "a"), 0.f);
  const auto losses = prepared.stepper->TakeLosses();
  EXPECT_GT(losses[0].second, 0.0);
  EXPECT_EQ(losses[1].second, 0.0);
  ASSERT_TRUE(prepared.Steps(1).ok());
  EXPECT_GT(ChangeOfTask(without, prepared.Parameters(), "b"), 0.f);
}

TEST(StepperTest, TaskOfWeightZeroDoesNotLearn) {
  const FunnelRun run(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.1 } }", "weight: 0"), TwoTaskRows(60));
  PreparedRun prepared(run.Load());
  const Values start = prepared.Parameters();
  ASSERT_TRUE(prepared.Steps(5).ok());
  EXPECT_EQ(ChangeOfTask(start, prepared.Parameters(), "a"), 0.f);
  EXPECT_GT(ChangeOfTask(start, prepared.Parameters(), "b"), 0.f);
}

TEST(StepperTest, WeightsOfTasksScaleTheirGradient) {
  const FunnelRun once(TwoTaskText(), TwoTaskRows(60));
  const FunnelRun twice(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.1 } }", "weight: 2"), TwoTaskRows(60));
  PreparedRun one(once.Load()), two(twice.Load());
  const Values start = one.Parameters();
  ASSERT_TRUE(one.Steps(1).ok());
  ASSERT_TRUE(two.Steps(1).ok());
  const Values after_one = one.Parameters(), after_two = two.Parameters();
  EXPECT_EQ(ChangeOfTask(after_one, after_two, "b"), 0.f);
  EXPECT_NEAR(ChangeOfTask(start, after_two, "a"), 2 * ChangeOfTask(start, after_one, "a"), 1e-6);
}

TEST(StepperTest, LearningRatesFollowTheSchedule) {
  for (const Recipe recipe : kAllRecipes) {
    const FunnelRun run(recipe);
    const RunLength length{.steps_per_epoch = 33, .total_steps = 66};
    PreparedRun prepared(run.Load(), 1, length);
    const Schedule schedule(prepared.model->pipeline.train_config().dense_optimizer(), length);
    for (int64_t step = 1; step <= 66; ++step) {
      ASSERT_TRUE(prepared.Steps(1).ok());
      ASSERT_EQ(prepared.stepper->learning_rate(), schedule.LearningRate(step)) << NameOf(recipe) << " step " << step;
    }
  }
}

// Tables and the rest have a schedule each: here the tables stand still after step 3, the rest after step 5.
TEST(StepperTest, RateOfZeroStopsWhatItIsFor) {
  const std::string text = PipelineText(
      R"(sparse_optimizer { sgd_optimizer { lr: 0.1 }
           manual_step_learning_rate { schedule_sizes: 3 learning_rates: 0 } }
         dense_optimizer { sgd_optimizer { lr: 0.1 }
           manual_step_learning_rate { schedule_sizes: 5 learning_rates: 0 } })",
      R"(shared_bottom { bottom_mlp { hidden_units: 4 activation: "nn.Tanh" } task_towers { label_name: "a" } })",
      R"(feature_configs { id_feature { feature_name: "id" num_buckets: 10 embedding_dim: 3 } }
         data_config { batch_size: 8 with_header: true cache_dir: "off" shuffle: false })");
  const FunnelRun run(text, TwoTaskRows(100));
  PreparedRun prepared(run.Load());
  std::string table;
  for (const auto& [name, values] : prepared.Parameters())
    if (values.size() == 3u * 12) table = name;
  ASSERT_FALSE(table.empty()) << "10 ids, unknown, missing of 3 numbers each";
  Values before = prepared.Parameters();
  for (int step = 1; step <= 7; ++step) {
    ASSERT_TRUE(prepared.Steps(1).ok());
    Values after = prepared.Parameters();
    EXPECT_EQ(Change(before, after, table) > 0, step <= 3) << "table, step " << step;
    EXPECT_EQ(Change(before, after, "bottom.") > 0, step <= 5) << "bottom, step " << step;
    before = std::move(after);
  }
}

TEST(StepperTest, ClippingBoundsTheStep) {
  const auto step_length = [](const std::string& clipping) {
    const FunnelRun run(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 1 } }" + clipping), TwoTaskRows(60));
    PreparedRun prepared(run.Load());
    const Values before = prepared.Parameters();
    EXPECT_TRUE(prepared.Steps(1).ok());
    double squares = 0, largest = 0;
    for (const auto& [name, values] : prepared.Parameters()) {
      for (size_t i = 0; i < values.size(); ++i) {
        const double change = std::abs(values[i] - before.at(name)[i]);
        squares += change * change;
        largest = std::max(largest, change);
      }
    }
    return std::pair{std::sqrt(squares), largest};
  };
  const auto [free_norm, free_largest] = step_length("");
  ASSERT_GT(free_norm, 0.05);
  ASSERT_GT(free_largest, 0.01);
  EXPECT_NEAR(step_length("grad_clipping { max_gradient: 0.05 }").first, 0.05, 1e-5);
  EXPECT_NEAR(step_length("grad_clipping { max_gradient: 1e6 }").first, free_norm, 1e-6)
      << "below the bound: unchanged";
  EXPECT_NEAR(step_length("grad_clipping { clipping_type: \"none\" max_gradient: 0.01 }").first, free_norm, 1e-6);
  EXPECT_NEAR(step_length("grad_clipping { norm_type: inf max_gradient: 0.01 }").second, 0.01, 1e-5);
  EXPECT_GT(step_length("grad_clipping { norm_type: inf max_gradient: 0.01 }").first, 0.01);
  EXPECT_NEAR(step_length("grad_clipping { norm_type: inf max_gradient: 1e6 }").first, free_norm, 1e-6);
  EXPECT_NEAR(step_length("grad_clipping { clipping_type: \"value\" max_gradient: 0.01 }").second, 0.01, 1e-5);
}

// decay of step t = min(decay, (1 + t) / (10 + t)); t counts from 1: 2/11, then 3/12.
TEST(StepperTest, AverageByHand) {
  const FunnelRun run(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.5 } } ema { decay: 0.9 }"), TwoTaskRows(60));
  PreparedRun prepared(run.Load());
  const Values w0 = prepared.Parameters();
  ASSERT_TRUE(prepared.Steps(1).ok());
  const Values w1 = prepared.Parameters();
  ASSERT_TRUE(prepared.Steps(1).ok());
  const Values w2 = prepared.Parameters();
  prepared.stepper->SwapAverage();
  const Values average = prepared.Parameters();
  prepared.stepper->SwapAverage();
  EXPECT_EQ(prepared.Parameters(), w2);
  for (const auto& [name, values] : average) {
    for (size_t i = 0; i < values.size(); ++i) {
      const double first = 2.0 / 11 * w0.at(name)[i] + 9.0 / 11 * w1.at(name)[i];
      ASSERT_NEAR(values[i], 0.25 * first + 0.75 * w2.at(name)[i], 1e-6) << name << " " << i;
    }
  }
}

TEST(StepperTest, DivergenceIsASentence) {
  const FunnelRun run(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 1e30 } }"), TwoTaskRows(60));
  PreparedRun prepared(run.Load());
  const Status status = prepared.Steps(50);
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_THAT(status.message(), HasSubstr("the loss of tower \"a\" is "));
  EXPECT_THAT(status.message(), HasSubstr(fmt::format("at step {}", prepared.stepper->step() + 1)));
  EXPECT_THAT(status.message(), HasSubstr("lower learning rate (now 1e+30)"));
}

}  // namespace
}  // namespace manygate
