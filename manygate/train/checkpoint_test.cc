// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/checkpoint.h"

#include <filesystem>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void MakeEmpty(const TestFolder& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) std::filesystem::create_directories(folder.Path("checkpoints/" + name));
}

TEST(CheckpointTest, ListsWholeOnesInTheOrderOfTheirSteps) {
  const TestFolder folder;
  EXPECT_THAT(ListCheckpoints(folder.path()), IsEmpty());
  MakeEmpty(folder, {"step-100", "step-20", "step-3", "step-40.tmp", "step-", "step-x", "step-7b", "best", "step-0"});
  EXPECT_THAT(ListCheckpoints(folder.path()), ElementsAre(0, 3, 20, 100));
  EXPECT_EQ(CheckpointDirectory("out/m", 20), "out/m/checkpoints/step-20");
}

TEST(CheckpointTest, RemovesAllButTheLastAndTheBest) {
  const TestFolder folder;
  MakeEmpty(folder, {"step-1", "step-2", "step-3", "step-4", "step-10", "step-11.tmp", "notes"});
  RunState state;
  state.best["loss"] = {.value = 0.1, .step = 2};
  state.best["auc_click"] = {.value = 0.7, .step = 10};
  ASSERT_TRUE(RemoveOldCheckpoints(folder.path(), 0, state).ok());
  EXPECT_THAT(ListCheckpoints(folder.path()), ElementsAre(1, 2, 3, 4, 10)) << "0 keeps all";
  EXPECT_FALSE(FileExists(folder.Path("checkpoints/step-11.tmp"))) << "but not what was never finished";
  ASSERT_TRUE(RemoveOldCheckpoints(folder.path(), 2, state).ok());
  EXPECT_THAT(ListCheckpoints(folder.path()), ElementsAre(2, 4, 10));
  ASSERT_TRUE(RemoveOldCheckpoints(folder.path(), 1, state).ok());
  EXPECT_THAT(ListCheckpoints(folder.path()), ElementsAre(2, 10));
  EXPECT_TRUE(FileExists(folder.Path("checkpoints/notes")));
}

class SaveAndLoadTest : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, SaveAndLoadTest, testing::ValuesIn(kAllRecipes),
                         [](const auto& info) { return NameOf(info.param); });

// Between two steps, while rows of tables still wait for some.
TEST_P(SaveAndLoadTest, SavingDoesNotChangeTheRun) {
  const FunnelRun run(GetParam(), 300);
  const RunLength length{.steps_per_epoch = 7, .total_steps = 14};
  PreparedRun plain(run.Load(), 1, length), saving(run.Load(), 1, length);
  ASSERT_TRUE(plain.Steps(12).ok());
  for (const int steps : {3, 5, 1, 3}) {
    ASSERT_TRUE(saving.Steps(steps).ok());
    const int64_t settled = saving.stepper->settled_step();
    ASSERT_TRUE(SaveCheckpoint(run.Dir("m"), *saving.model, *saving.stepper, {}).ok());
    EXPECT_EQ(saving.stepper->settled_step(), settled);
  }
  EXPECT_THAT(ListCheckpoints(run.Dir("m")), ElementsAre(3, 8, 9, 12));
  EXPECT_EQ(saving.Parameters(), plain.Parameters());
}

TEST_P(SaveAndLoadTest, LoadsTheLastWithEverythingItHeld) {
  const FunnelRun run(GetParam(), 300);
  const RunLength length{.steps_per_epoch = 7, .total_steps = 14};
  PreparedRun saved(run.Load(), 1, length), loaded(run.Load(), 1, length);
  ASSERT_TRUE(saved.Steps(4).ok());
  ASSERT_TRUE(SaveCheckpoint(run.Dir("m"), *saved.model, *saved.stepper, {}).ok());
  ASSERT_TRUE(saved.Steps(6).ok());
  RunState state;
  state.evaluated = true;
  state.seconds = 2.5;
  state.evaluations_without_gain = 3;
  state.best["auc_click"] = {.value = 0.625, .step = 4};
  ASSERT_TRUE(SaveCheckpoint(run.Dir("m"), *saved.model, *saved.stepper, state).ok());

  const auto restored = LoadLastCheckpoint(run.Dir("m"), *loaded.model, *loaded.stepper);
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_EQ(restored->step, 10);
  EXPECT_TRUE(restored->evaluated);
  EXPECT_EQ(restored->seconds, 2.5);
  EXPECT_EQ(restored->evaluations_without_gain, 3);
  ASSERT_EQ(restored->best.size(), 1u);
  EXPECT_EQ(restored->best.at("auc_click").value, 0.625);
  EXPECT_EQ(restored->best.at("auc_click").step, 4);
  EXPECT_EQ(loaded.stepper->step(), 10);
  EXPECT_EQ(loaded.stepper->settled_step(), saved.stepper->settled_step());
  EXPECT_EQ(loaded.Parameters(), saved.Parameters());
}

TEST(CheckpointTest, SavingTheSameStepAgainReplacesIt) {
  const FunnelRun run(Recipe::kOmoe, 300);
  PreparedRun prepared(run.Load());
  ASSERT_TRUE(prepared.Steps(2).ok());
  RunState state;
  ASSERT_TRUE(SaveCheckpoint(run.Dir("m"), *prepared.model, *prepared.stepper, state).ok());
  state.evaluated = true;
  ASSERT_TRUE(SaveCheckpoint(run.Dir("m"), *prepared.model, *prepared.stepper, state).ok());
  EXPECT_THAT(*ListDirectory(run.Dir("m/checkpoints")), ElementsAre("step-2"));
  EXPECT_THAT(run.Content("m", "checkpoints/step-2/state.json"), HasSubstr("\"evaluated\": true"));
}

TEST(CheckpointTest, FolderThatCannotBeWrittenIsNamed) {
  const FunnelRun run(Recipe::kOmoe, 300);
  PreparedRun prepared(run.Load());
  run.folder().Write("m", "a file where the folder should be");
  const Status status = SaveCheckpoint(run.Dir("m"), *prepared.model, *prepared.stepper, {});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr(run.Dir("m")));
}

}  // namespace
}  // namespace manygate
