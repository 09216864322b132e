// SPDX-License-Identifier: Apache-2.0
// How long a run lasts, what it keeps, and which weights it ends with. Other files: threads, resume, directory.
#include "manygate/train/trainer.h"

#include <cmath>
#include <set>

#include "manygate/base/safetensors.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Parameters of one task's own network, as the file holds them.
std::map<std::string, std::vector<float>> OfTask(const FunnelRun& run, const std::string& name,
                                                 const std::string& task) {
  std::map<std::string, std::vector<float>> values;
  auto entries = ReadSafetensors(JoinPath(run.Dir(name), "weights.safetensors"));
  EXPECT_TRUE(entries.ok());
  for (auto& entry : *entries)
    if (entry.name.find("." + task + ".") != std::string::npos) values[entry.name] = entry.values;
  EXPECT_GT(values.size(), 2u);
  return values;
}

// 1,500 rows: 300 for validation, 150 for test, 1,050 for training = 32 batches of 32 and one of 26.
TEST(TrainerTest, EpochsAndTheirLastBatch) {
  const FunnelRun run(Recipe::kMmoe);
  const TrainResult result = run.MustTrain("m");
  EXPECT_EQ(result.steps, 66);
  EXPECT_EQ(result.epochs, 2);
  EXPECT_EQ(result.validation.rows, 300);
  EXPECT_EQ(result.test.rows, 150);
  EXPECT_EQ(result.best_metric, "");
  EXPECT_EQ(result.best_step, 66);
  EXPECT_THAT(run.LoggedSteps("m"), ElementsAre(33, 66));
  EXPECT_THAT(ListCheckpoints(run.Dir("m")), ElementsAre(33, 66));
  EXPECT_EQ(run.MustTrain("dropped", {.overrides = {"data_config.drop_remainder=true"}}).steps, 64);
}

TEST(TrainerTest, MetricsFileRepeatsTheResult) {
  const FunnelRun run(Recipe::kSharedBottom);
  const TrainResult result = run.MustTrain("m");
  const auto last = run.Metrics("m").back();
  EXPECT_EQ(last["step"], 66);
  EXPECT_EQ(last["epoch"], 2.0);
  EXPECT_EQ(last["rows"], 300);
  EXPECT_EQ(last["loss"].get<double>(), result.validation.loss);
  EXPECT_EQ(last["tasks"]["click"]["auc"].get<double>(), result.validation.Find("auc_click"));
  EXPECT_EQ(last["train_loss"].size(), 3u);
  EXPECT_GT(last["train_loss"]["click"].get<double>(), 0.0);
}

TEST(TrainerTest, NumStepsEndsTheRunAnywhere) {
  const FunnelRun run(Recipe::kMmoe);
  EXPECT_EQ(
      run.MustTrain("short", {.overrides = {"train_config.num_steps=25", "train_config.save_checkpoints_steps=10"}})
          .steps,
      25);
  EXPECT_THAT(run.LoggedSteps("short"), ElementsAre(10, 20, 25));
  EXPECT_THAT(ListCheckpoints(run.Dir("short")), ElementsAre(20, 25));
  EXPECT_EQ(run.MustTrain("long", {.overrides = {"train_config.num_steps=70"}}).steps, 70) << "more than num_epochs";
  EXPECT_THAT(run.LoggedSteps("long"), ElementsAre(33, 66, 70));
}

TEST(TrainerTest, CheckpointsAtChosenTimesAndAsManyAsChosen) {
  const FunnelRun run(Recipe::kOmoe);
  const std::string often = "train_config.save_checkpoints_steps=20";
  run.MustTrain("one", {.overrides = {often, "train_config.keep_checkpoint_max=1"}});
  EXPECT_THAT(ListCheckpoints(run.Dir("one")), ElementsAre(66));
  run.MustTrain("all", {.overrides = {often, "train_config.keep_checkpoint_max=0"}});
  EXPECT_THAT(ListCheckpoints(run.Dir("all")), ElementsAre(20, 40, 60, 66));
  EXPECT_TRUE(run.Weights("all") == run.Weights("one")) << "evaluations and checkpoints do not change a run";
  run.MustTrain("epochs", {.overrides = {"train_config.save_checkpoints_epochs=2", "train_config.num_epochs=3"}});
  EXPECT_THAT(run.LoggedSteps("epochs"), ElementsAre(66, 99));
}

// How often a run is evaluated changes when rows of tables are brought up to date, and so the rounding, but not more.
TEST(TrainerTest, EvaluationsChangeRoundingOnly) {
  for (const Recipe recipe : kAllRecipes) {
    const FunnelRun run(recipe);
    run.MustTrain("seldom");
    run.MustTrain("often", {.overrides = {"train_config.save_checkpoints_steps=7"}});
    const auto often = ReadSafetensors(run.Dir("often") + "/weights.safetensors");
    const auto seldom = ReadSafetensors(run.Dir("seldom") + "/weights.safetensors");
    ASSERT_TRUE(often.ok() && seldom.ok());
    for (size_t p = 0; p < seldom->size(); ++p) {
      for (size_t i = 0; i < (*seldom)[p].values.size(); ++i)
        ASSERT_NEAR((*often)[p].values[i], (*seldom)[p].values[i], 2e-4) << NameOf(recipe) << " " << (*seldom)[p].name;
    }
  }
}

// No value is ever better by a thousand, so the first evaluation stays the best.
TEST(TrainerTest, EarlyStoppingEndsTheRunWithTheBestWeights) {
  const FunnelRun run(Recipe::kSharedBottom);
  const std::vector<std::string> choice = {
      "train_config.num_epochs=20", "train_config.keep_checkpoint_max=1", "train_config.early_stopping.metric=\"loss\"",
      "train_config.early_stopping.patience=2", "train_config.early_stopping.min_delta=1000"};
  const TrainResult result = run.MustTrain("m", {.overrides = choice});
  EXPECT_EQ(result.steps, 99);
  EXPECT_EQ(result.best_metric, "loss");
  EXPECT_EQ(result.best_step, 33);
  EXPECT_THAT(ListCheckpoints(run.Dir("m")), ElementsAre(33, 99));
  EXPECT_TRUE(run.Weights("m") == run.Content("m", "checkpoints/step-33/weights.safetensors"));
  EXPECT_FALSE(run.Weights("m") == run.Content("m", "checkpoints/step-99/weights.safetensors"));
  EXPECT_EQ(run.Metrics("m")[0]["loss"].get<double>(), result.validation.loss) << "figures are of the saved weights";

  const std::string weights = run.Weights("m");
  const TrainResult again = run.MustTrain("m", {.overrides = choice, .resume = true});
  EXPECT_EQ(again.steps, 99) << "a run that has stopped early stays stopped";
  EXPECT_EQ(again.best_step, 33);
  EXPECT_TRUE(run.Weights("m") == weights);
  EXPECT_EQ(ToJson(again.validation), ToJson(result.validation));
  EXPECT_EQ(ToJson(again.test), ToJson(result.test));
}

TEST(TrainerTest, BestMetricsAreKeptAndTheFirstChooses) {
  for (const Recipe recipe : {Recipe::kMmoe, Recipe::kSharedBottom}) {
    const FunnelRun run(recipe);
    const TrainResult result =
        run.MustTrain("m", {.overrides = {"train_config.num_epochs=8", "train_config.keep_checkpoint_max=1",
                                          "train_config.best_metrics=[log_loss_click, auc_purchase]"}});
    int64_t best_loss_step = 0, best_auc_step = 0;
    double best_loss = HUGE_VAL, best_auc = -1;
    for (const auto& line : run.Metrics("m")) {
      const double loss = line["tasks"]["click"]["log_loss"], auc = line["tasks"]["purchase"]["auc"];
      if (loss < best_loss) best_loss = loss, best_loss_step = line["step"];
      if (auc > best_auc) best_auc = auc, best_auc_step = line["step"];
    }
    ASSERT_LT(best_loss_step, result.steps) << "the last weights are the best: the test would show nothing";
    EXPECT_EQ(result.best_metric, "log_loss_click");
    EXPECT_EQ(result.best_step, best_loss_step);
    const std::set<int64_t> kept = {best_loss_step, best_auc_step, result.steps};
    EXPECT_EQ(ListCheckpoints(run.Dir("m")), std::vector<int64_t>(kept.begin(), kept.end()));
    EXPECT_TRUE(run.Weights("m") ==
                run.Content("m", fmt::format("checkpoints/step-{}/weights.safetensors", best_loss_step)));
    EXPECT_EQ(result.validation.Find("log_loss_click"), best_loss);
  }
}

TEST(TrainerTest, WithoutValidationRows) {
  const FunnelRun run(Recipe::kMmoe);
  const std::vector<std::string> none = {"data_config.split.validation_fraction=0",
                                         "data_config.split.test_fraction=0"};
  const TrainResult result = run.MustTrain("m", {.overrides = none});
  EXPECT_EQ(result.steps, 94);  // 1,500 rows = 47 batches
  EXPECT_EQ(result.validation.rows, 0);
  EXPECT_EQ(result.test.rows, 0);
  EXPECT_THAT(run.LoggedSteps("m"), ElementsAre(47, 94));
  EXPECT_THAT(ListCheckpoints(run.Dir("m")), ElementsAre(47, 94));

  std::vector<std::string> stopping = none;
  stopping.push_back("train_config.early_stopping.patience=1");
  const auto refused = run.Train("refused", {.overrides = stopping});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(refused.status().message(), HasSubstr("need validation rows"));
  EXPECT_THAT(refused.status().message(), HasSubstr("data_config.split.validation_fraction"));
}

TEST(TrainerTest, LabelsThatOneTaskLacksLeaveTheOtherAlone) {
  const FunnelRun whole(TwoTaskText(), TwoTaskRows(200));
  const FunnelRun half(TwoTaskText(), TwoTaskRows(200, [](int row, auto& fields) {
                         if (row % 2 == 1) fields[4] = "";
                       }));
  const TrainResult with = whole.MustTrain("m"), without = half.MustTrain("m");
  EXPECT_EQ(OfTask(whole, "m", "a"), OfTask(half, "m", "a"));
  EXPECT_NE(OfTask(whole, "m", "b"), OfTask(half, "m", "b"));
  EXPECT_EQ(ToJson(with.validation.tasks[0]), ToJson(without.validation.tasks[0]));
  const TaskResult &all = with.validation.tasks[1], &some = without.validation.tasks[1];
  EXPECT_EQ(all.rows, 40);
  EXPECT_EQ(all.missing, 0);
  EXPECT_EQ(some.rows + some.missing, 40);
  EXPECT_GT(some.missing, 8);
  EXPECT_GT(some.rows, 8);
  EXPECT_TRUE(std::isfinite(without.validation.loss));
}

TEST(TrainerTest, SharedModelsBearMissingLabels) {
  const FunnelRun run(Recipe::kMmoe);  // amount is there for the bought only: a few rows
  const TrainResult result = run.MustTrain("m");
  const TaskResult& amount = result.validation.tasks[2];
  EXPECT_EQ(amount.tower, "amount");
  EXPECT_EQ(amount.rows + amount.missing, 300);
  EXPECT_GT(amount.missing, 200);
  EXPECT_TRUE(std::isfinite(result.validation.loss));
  const auto weights = ReadSafetensors(JoinPath(run.Dir("m"), "weights.safetensors"));
  ASSERT_TRUE(weights.ok());
  for (const auto& entry : *weights)
    for (const float value : entry.values) ASSERT_TRUE(std::isfinite(value)) << entry.name;
}

// Labels of two rows that weigh nothing are exchanged: the mean, from which the bias starts, stays.
TEST(TrainerTest, RowsOfWeightZeroTeachNothing) {
  const auto rows = [](bool exchanged, const char* weight) {
    return TwoTaskRows(120, [=](int row, auto& fields) {
      if (row != 10 && row != 11) return;
      fields[2] = weight;
      fields[3] = (row == 10) != exchanged ? "1" : "0";
    });
  };
  const std::string text =
      TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.1 } }", "", "sample_weight_fields: \"w\"");
  const std::vector<std::string> all_rows = {"data_config.split.validation_fraction=0"};
  const FunnelRun plain(text, rows(false, "0")), exchanged(text, rows(true, "0"));
  plain.MustTrain("m", {.overrides = all_rows});
  exchanged.MustTrain("m", {.overrides = all_rows});
  EXPECT_EQ(OfTask(plain, "m", "a"), OfTask(exchanged, "m", "a"));
  const FunnelRun heavy(text, rows(false, "1")), heavy_exchanged(text, rows(true, "1"));
  heavy.MustTrain("m", {.overrides = all_rows});
  heavy_exchanged.MustTrain("m", {.overrides = all_rows});
  EXPECT_NE(OfTask(heavy, "m", "a"), OfTask(heavy_exchanged, "m", "a"));
}

// One batch; in the second file the rows of weight 2 stand twice. Half of the labels are 1 in both.
TEST(TrainerTest, WeightTwoIsTheRowTwice) {
  const std::string header = "id,x,w,a,b\n";
  const FunnelRun weighted(
      TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.5 } }", "", "sample_weight_fields: \"w\""),
      header + "1,0.5,2,1,0\n2,-1,1,0,1\n3,2,1,1,1\n4,0.1,2,0,0\n");
  const FunnelRun repeated(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.5 } }"),
                           header + "1,0.5,1,1,0\n1,0.5,1,1,0\n2,-1,1,0,1\n3,2,1,1,1\n4,0.1,1,0,0\n4,0.1,1,0,0\n");
  const std::vector<std::string> one_step = {"data_config.split.validation_fraction=0", "train_config.num_steps=1"};
  weighted.MustTrain("m", {.overrides = one_step});
  repeated.MustTrain("m", {.overrides = one_step});
  const auto expected = OfTask(repeated, "m", "a");
  for (const auto& [name, values] : OfTask(weighted, "m", "a"))
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected.at(name)[i], 1e-6) << name << " " << i;
}

TEST(TrainerTest, DivergenceLeavesNoModel) {
  const FunnelRun run(Recipe::kOmoe);
  const auto failed = run.Train("m", {.overrides = {"train_config.dense_optimizer.sgd_optimizer.lr=1e30"}});
  EXPECT_EQ(failed.status().code(), StatusCode::kFailed);
  EXPECT_THAT(failed.status().message(), HasSubstr("training diverged"));
  EXPECT_THAT(failed.status().message(), HasSubstr("Try a lower learning rate"));
  EXPECT_THAT(failed.status().message(), HasSubstr("the loss of tower \""));
  EXPECT_THAT(failed.status().message(), HasSubstr(" at step "));
  EXPECT_FALSE(FileExists(run.Dir("m") + "/MANIFEST.json"));
  EXPECT_FALSE(FileExists(run.Dir("m") + "/weights.safetensors"));
  EXPECT_THAT(ListCheckpoints(run.Dir("m")), IsEmpty());
}

TEST(TrainerTest, LogTellsWhatHappens) {
  const FunnelRun run(Recipe::kMmoe);
  std::ostringstream log;
  const auto result = manygate::Train(run.Load({"train_config.log_step_count_steps=40"}),
                                      {.model_dir = run.Dir("m"), .log = &log, .draw_model = true});
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(log.str(), HasSubstr("1,050 training rows, 300 validation, 150 test"));
  EXPECT_THAT(log.str(), HasSubstr("33 steps per epoch"));
  EXPECT_THAT(log.str(), HasSubstr("epoch 2/2 step 40/66 (60 %)"));
  EXPECT_THAT(log.str(), HasSubstr("step 33, epoch 1: loss click "));
  EXPECT_THAT(log.str(), HasSubstr("validation auc_click "));
}

}  // namespace
}  // namespace manygate
