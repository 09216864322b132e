// SPDX-License-Identifier: Apache-2.0
// Every optimizer in a whole training: it learns, and a run that was stopped and resumed ends with the bytes of one that
// was not.
#include <utility>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

// dense_optimizer, sparse_optimizer; each of them also with what needs every missed step (weight decay, AMSGrad).
using Optimizers = std::pair<const char*, const char*>;
constexpr Optimizers kOptimizers[] = {
    {"sgd_optimizer { lr: 0.05 momentum: 0.5 nesterov: true weight_decay: 0.01 }",
     "sgd_optimizer { lr: 0.05 momentum: 0.5 dampening: 0.5 weight_decay: 0.01 }"},
    {"adagrad_optimizer { lr: 0.02 weight_decay: 0.01 gradient_clipping: true max_gradient: 0.5 }",
     "adagrad_optimizer { lr: 0.02 weight_decay: 0.01 }"},
    {"adam_optimizer { lr: 0.01 amsgrad: true }", "adam_optimizer { lr: 0.01 weight_decay: 0.01 }"},
    {"adam_optimizer { lr: 0.01 weight_decay: 0.01 }", "rowwise_adagrad_optimizer { lr: 0.02 }"},
    {"rmsprop_optimizer { lr: 0.005 momentum: 0.5 }", "rmsprop_optimizer { lr: 0.005 weight_decay: 0.01 }"},
    {"adadelta_optimizer { lr: 1 eps: 1e-4 }", "adadelta_optimizer { lr: 1 eps: 1e-4 }"},
    {"ftrl_optimizer { lr: 0.05 l1: 0.001 l2: 0.001 }", "ftrl_optimizer { lr: 0.05 }"},
    {"rmsprop_optimizer { lr: 0.005 weight_decay: 0.01 }",
     "partial_rowwise_adam_optimizer { lr: 0.01 weight_decay: 0.01 }"}};

class StepperOptimizersTest : public testing::TestWithParam<Optimizers> {};
INSTANTIATE_TEST_SUITE_P(All, StepperOptimizersTest, testing::ValuesIn(kOptimizers));

TEST_P(StepperOptimizersTest, LearnsAndResumesWithTheSameBytes) {
  const std::string text = fmt::format(
      "dense_optimizer {{ {} cosine_annealing_warm_restarts_learning_rate {{ T_0: 15 T_mult: 2 warmup_size: 3 }} }} "
      "sparse_optimizer {{ {} }}",
      GetParam().first, GetParam().second);
  const TestFolder folder;
  const auto made = GenerateFunnel({.rows = 900, .seed = 3}, folder.Path("rows.csv"));
  ASSERT_TRUE(made.ok()) << made.status().message();
  const FunnelRun run(PipelineText(text, ModelText(Recipe::kMmoe), kFunnelText), FileContent(folder.Path("rows.csv")));

  run.MustTrain("whole");
  const auto stopped = run.Train("parts", {.threads = 2, .stop_at_step = 13});
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
  run.MustTrain("parts", {.resume = true});
  EXPECT_TRUE(run.Weights("parts") == run.Weights("whole"));
  EXPECT_TRUE(run.LastOptimizer("parts") == run.LastOptimizer("whole"));

  PreparedRun prepared(run.Load(), 1, {.steps_per_epoch = 20, .total_steps = 60});
  ASSERT_TRUE(prepared.Steps(20).ok());
  const double first = prepared.stepper->TakeLosses()[0].second;
  ASSERT_TRUE(prepared.Steps(40).ok());
  EXPECT_LT(prepared.stepper->TakeLosses()[0].second, first) << "the loss of click goes down";
}

}  // namespace
}  // namespace manygate
