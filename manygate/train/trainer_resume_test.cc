// SPDX-License-Identifier: Apache-2.0
// A run that was stopped and resumed ends with the bytes of one that was not.
#include <algorithm>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TrainerResumeTest : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, TrainerResumeTest, testing::ValuesIn(kAllRecipes),
                         [](const auto& info) { return NameOf(info.param); });

// 1,500 rows less 30 % held out = 1,050 rows = 33 steps of 32 rows per epoch.
TEST_P(TrainerResumeTest, StoppedSeveralTimesGivesTheSameBytes) {
  const FunnelRun run(GetParam());
  const std::vector<std::string> three_epochs = {"train_config.num_epochs=3"};
  run.MustTrain("whole", {.overrides = three_epochs});
  bool resume = false;
  for (const int64_t step : {5, 6, 30, 47, 99}) {
    const auto stopped =
        run.Train("parts", {.overrides = three_epochs, .threads = 2, .resume = resume, .stop_at_step = step});
    ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
    EXPECT_THAT(stopped.status().message(), HasSubstr(fmt::format("stopped at step {}", step)));
    EXPECT_THAT(stopped.status().message(), HasSubstr("--resume goes on"));
    EXPECT_EQ(ListCheckpoints(run.Dir("parts")).back(), step);
    resume = true;
  }
  const TrainResult result = run.MustTrain("parts", {.overrides = three_epochs, .resume = true});
  EXPECT_EQ(result.steps, 99);
  EXPECT_TRUE(run.Weights("parts") == run.Weights("whole"));
  EXPECT_TRUE(run.LastOptimizer("parts") == run.LastOptimizer("whole"));
  EXPECT_THAT(run.LoggedSteps("parts"), ElementsAre(33, 66, 99));
}

TEST_P(TrainerResumeTest, EveryKeptCheckpointLeadsToTheSameEnd) {
  const FunnelRun run(GetParam());
  const std::vector<std::string> choice = {"train_config.save_checkpoints_steps=13",
                                           "train_config.keep_checkpoint_max=0"};
  run.MustTrain("whole", {.overrides = choice});
  const std::string weights = run.Weights("whole"), optimizer = run.LastOptimizer("whole");
  const std::vector<int64_t> steps = ListCheckpoints(run.Dir("whole"));
  ASSERT_THAT(steps, ElementsAre(13, 26, 39, 52, 65, 66));
  for (auto last = steps.rbegin(); last != steps.rend(); ++last) {
    for (auto later = std::upper_bound(steps.begin(), steps.end(), *last); later != steps.end(); ++later)
      ASSERT_TRUE(RemoveTree(CheckpointDirectory(run.Dir("whole"), *later)).ok());
    ASSERT_EQ(ListCheckpoints(run.Dir("whole")).back(), *last);
    run.MustTrain("whole", {.overrides = choice, .resume = true});
    EXPECT_TRUE(run.Weights("whole") == weights) << "from step " << *last;
    EXPECT_TRUE(run.LastOptimizer("whole") == optimizer) << "from step " << *last;
    EXPECT_EQ(run.LoggedSteps("whole"), steps) << "from step " << *last;
  }
}

// The weights in a checkpoint are those that an evaluation there would have seen, whether or not there was one.
TEST_P(TrainerResumeTest, CheckpointOfAStopHoldsTheWeightsOfThatStep) {
  const FunnelRun run(GetParam());
  const auto stopped = run.Train("stopped", {.stop_at_step = 21});
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  const std::string file = "checkpoints/step-21/weights.safetensors";
  run.MustTrain("evaluated",
                {.overrides = {"train_config.save_checkpoints_steps=21", "train_config.keep_checkpoint_max=0"}});
  EXPECT_TRUE(run.Content("stopped", file) == run.Content("evaluated", file));
}

}  // namespace
}  // namespace manygate
