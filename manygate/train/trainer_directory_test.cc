// SPDX-License-Identifier: Apache-2.0
// What --resume refuses, what a new run replaces, and what is left alone.
#include <filesystem>
#include <set>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Every file and folder below, relative, with the files' contents.
std::map<std::string, std::string> Tree(const std::string& dir) {
  std::map<std::string, std::string> tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    tree[std::filesystem::relative(entry.path(), dir).string()] =
        entry.is_directory() ? "(folder)" : FileContent(entry.path().string());
  }
  return tree;
}

std::set<std::string> FileNames(const std::string& dir) {
  std::set<std::string> names;
  for (const auto& [name, unused] : Tree(dir)) names.insert(name);
  return names;
}

void ExpectRefused(const FunnelRun& run, const std::string& name, const std::vector<std::string>& overrides,
                   const testing::Matcher<std::string>& message) {
  const auto before = Tree(run.Dir(name));
  const auto result = run.Train(name, {.overrides = overrides, .resume = true});
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(result.status().message(), message);
  EXPECT_EQ(Tree(run.Dir(name)), before) << "the folder was touched";
}

TEST(ResumeRefusedTest, WithoutCheckpoint) {
  const FunnelRun run(Recipe::kOmoe, 300);
  const auto result = run.Train("m", {.resume = true});
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(result.status().message(),
              AllOf(HasSubstr(run.Dir("m") + "/checkpoints"), HasSubstr("there is no checkpoint to resume from"),
                    HasSubstr("Leave --resume out")));
  EXPECT_FALSE(FileExists(run.Dir("m")));
}

TEST(ResumeRefusedTest, DamagedCheckpoint) {
  const FunnelRun run(Recipe::kMmoe, 300);
  const TrainResult result = run.MustTrain("m");
  const std::string dir = CheckpointDirectory(run.Dir("m"), result.steps);
  for (const std::string file : {"weights.safetensors", "optimizer.safetensors", "state.json", "pipeline.config",
                                 "schema.pbtxt", "MANIFEST.json"}) {
    const std::string path = JoinPath(dir, file), whole = FileContent(path);
    std::string flipped = whole;
    flipped[whole.size() / 2] ^= 4;
    for (const std::string& damaged : {flipped, whole.substr(0, whole.size() / 2), std::string()}) {
      if (file == "MANIFEST.json" && damaged == flipped) continue;  // may hit a part that nobody reads
      ASSERT_TRUE(WriteFileAtomic(path, damaged).ok());
      ExpectRefused(run, "m", {}, HasSubstr(file));
    }
    ASSERT_TRUE(RemoveTree(path).ok());
    ExpectRefused(run, "m", {}, HasSubstr(file));
    ASSERT_TRUE(WriteFileAtomic(path, whole).ok());
  }
  EXPECT_EQ(run.MustTrain("m", {.resume = true}).steps, result.steps) << "all is as it was";
}

TEST(ResumeRefusedTest, ChangedConfiguration) {
  const FunnelRun run(Recipe::kMmoe);
  run.MustTrain("m");
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"train_config.seed=8", "train_config.seed: 7 -> 8"},
      {"data_config.batch_size=64", "data_config.batch_size: 32 -> 64"},
      {"train_config.slice_rows=16", "train_config.slice_rows: 16"},
      {"train_config.save_checkpoints_steps=5", "train_config.save_checkpoints_steps"},
      {"train_config.dense_optimizer.adam_optimizer.lr=0.5", "train_config.dense_optimizer.adam_optimizer.lr"},
      {"data_config.split.seed=9", "data_config.split.seed"},
      {"model_config.mmoe.num_expert=4", "model_config.mmoe.num_expert: 3 -> 4"},
      {"feature_configs[0].id_feature.embedding_dim=6", "feature_configs[0].id_feature.embedding_dim: 5 -> 6"},
  };
  for (const auto& [change, field] : changes) {
    ExpectRefused(run, "m", {change},
                  AllOf(HasSubstr("--resume goes on only with the configuration of the checkpoint"), HasSubstr(field),
                        HasSubstr("another --model_dir")));
  }
}

TEST(ResumeRefusedTest, ChangedData) {
  const FunnelRun run(Recipe::kMmoe, 300);
  run.MustTrain("m");
  ASSERT_TRUE(GenerateFunnel({.rows = 300, .seed = 4}, run.DataPath()).ok());
  ExpectRefused(run, "m", {}, AllOf(HasSubstr("schema.pbtxt"), HasSubstr("the training rows are not those")));
}

TEST(ResumeTest, GoesOnWithMoreEpochsAndOtherSpeed) {
  for (const Recipe recipe : {Recipe::kSharedBottom, Recipe::kBatchNorm}) {  // rates do not depend on the run's length
    const FunnelRun run(recipe, 300);
    run.MustTrain("whole", {.overrides = {"train_config.num_epochs=4"}});
    run.MustTrain("m", {.overrides = {"train_config.num_epochs=1"}});
    run.MustTrain("m", {.overrides = {"train_config.num_epochs=3", "data_config.eval_batch_size=64",
                                      "train_config.keep_checkpoint_max=5", "train_config.log_step_count_steps=1"},
                        .threads = 3,
                        .resume = true});
    const TrainResult result = run.MustTrain("m", {.overrides = {"train_config.num_epochs=4"}, .resume = true});
    EXPECT_EQ(result.epochs, 4);
    EXPECT_TRUE(run.Weights("m") == run.Weights("whole"));
    EXPECT_EQ(run.LoggedSteps("m"), run.LoggedSteps("whole"));
  }
}

// A run that is over is evaluated and saved again, and that is all.
TEST(ResumeTest, FinishedRunStaysAsItIs) {
  const FunnelRun run(Recipe::kSharedBottom, 300);
  const TrainResult first = run.MustTrain("m");
  const std::string weights = run.Weights("m"), optimizer = run.LastOptimizer("m");
  const TrainResult again = run.MustTrain("m", {.resume = true});
  EXPECT_EQ(again.steps, first.steps);
  EXPECT_EQ(ToJson(again.validation), ToJson(first.validation));
  EXPECT_EQ(ToJson(again.test), ToJson(first.test));
  EXPECT_TRUE(run.Weights("m") == weights);
  EXPECT_TRUE(run.LastOptimizer("m") == optimizer);
  EXPECT_EQ(run.LoggedSteps("m").size(), 2u);
}

// The stop falls where the run is to end but no evaluation was due.
TEST(ResumeTest, StoppedAtTheLastStepIsStillEvaluated) {
  const FunnelRun run(Recipe::kMmoe, 300);
  const TrainResult whole = run.MustTrain("whole", {.overrides = {"train_config.num_steps=9"}});
  const auto stopped = run.Train("m", {.overrides = {"train_config.num_steps=9"}, .stop_at_step = 9});
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  const TrainResult result = run.MustTrain("m", {.overrides = {"train_config.num_steps=9"}, .resume = true});
  EXPECT_EQ(run.LoggedSteps("m"), run.LoggedSteps("whole"));
  EXPECT_EQ(ToJson(result.validation), ToJson(whole.validation));
  EXPECT_TRUE(run.Weights("m") == run.Weights("whole"));
}

TEST(ModelDirectoryTest, HoldsWhatTheHeaderSays) {
  const FunnelRun run(Recipe::kMmoe, 300);
  run.MustTrain("m", {.overrides = {"train_config.use_tensorboard=true", "train_config.keep_checkpoint_max=1"}});
  std::set<std::string> names = FileNames(run.Dir("m"));
  const auto events = std::find_if(names.begin(), names.end(),
                                   [](const std::string& name) { return name.starts_with("events.out.tfevents."); });
  ASSERT_NE(events, names.end());
  names.erase(events);
  EXPECT_THAT(names, ElementsAre("MANIFEST.json", "checkpoints", "checkpoints/step-14",
                                 "checkpoints/step-14/MANIFEST.json", "checkpoints/step-14/optimizer.safetensors",
                                 "checkpoints/step-14/pipeline.config", "checkpoints/step-14/schema.pbtxt",
                                 "checkpoints/step-14/state.json", "checkpoints/step-14/weights.safetensors",
                                 "metrics.jsonl", "pipeline.config", "schema.pbtxt", "weights.safetensors"));
}

TEST(ModelDirectoryTest, NewRunReplacesAnOlderOne) {
  const FunnelRun old_run(Recipe::kMmoe, 300), new_run(Recipe::kOmoe, 300);
  new_run.MustTrain("fresh");
  const std::string dir = new_run.Dir("m");
  ASSERT_TRUE(manygate::Train(old_run.Load({"train_config.num_epochs=5", "train_config.use_tensorboard=true"}),
                              {.model_dir = dir})
                  .ok());
  new_run.folder().Write("m/predictions.csv", "probs_click\n0.5\n");
  new_run.MustTrain("m");
  std::set<std::string> expected = FileNames(new_run.Dir("fresh"));
  expected.insert("predictions.csv");
  EXPECT_EQ(FileNames(dir), expected) << "nothing of the older run, and the user's own file";
  EXPECT_TRUE(new_run.Weights("m") == new_run.Weights("fresh"));
  EXPECT_EQ(new_run.LoggedSteps("m"), new_run.LoggedSteps("fresh"));
}

// Also one that was killed before its first checkpoint.
TEST(ModelDirectoryTest, NewRunReplacesAnInterruptedOne) {
  const FunnelRun run(Recipe::kOmoe, 300);
  run.MustTrain("fresh");
  std::filesystem::create_directories(run.Dir("m") + "/checkpoints/step-7.tmp");
  run.folder().Write("m/checkpoints/step-7.tmp/optimizer.safetensors", "half");
  run.folder().Write("m/events.out.tfevents.1.host.2.0", "");
  run.folder().Write("m/metrics.jsonl", "");
  run.MustTrain("m");
  EXPECT_EQ(FileNames(run.Dir("m")), FileNames(run.Dir("fresh")));
}

TEST(ModelDirectoryTest, ForeignFolderIsRefusedAndLeftAlone) {
  const FunnelRun run(Recipe::kOmoe, 300);
  const std::vector<std::vector<std::string>> folders = {
      {"thesis.tex"},
      {"checkpoints/epoch-1.pt"},
      {"metrics.jsonl", "train.py"},
      {"report.html"},
      {"pipeline.config", "weights.safetensors"},
      {"events.out.tfevents.1.host.2.0", "checkpoint", "model.ckpt-10.index"},
  };
  for (size_t i = 0; i < folders.size(); ++i) {
    const std::string name = fmt::format("folder-{}", i);
    for (const std::string& file : folders[i]) {
      const std::filesystem::path path = JoinPath(run.Dir(name), file);
      std::filesystem::create_directories(path.parent_path());
      run.folder().Write(name + "/" + file, "precious");
    }
    const auto before = Tree(run.Dir(name));
    ASSERT_EQ(before.empty(), false);
    const auto result = run.Train(name);
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput) << folders[i][0];
    EXPECT_THAT(result.status().message(), AllOf(HasSubstr(run.Dir(name)), HasSubstr("and no model"),
                                                 HasSubstr("choose an empty or new --model_dir")));
    EXPECT_EQ(Tree(run.Dir(name)), before);
  }
}

TEST(ModelDirectoryTest, WrongInputLeavesNothingBehind) {
  const auto broken = [](int row_number, int field, const char* text) {
    return TwoTaskRows(50, [=](int row, auto& fields) {
      if (row == row_number) fields[field] = text;
    });
  };
  struct Case {
    std::string csv, override_text, message;
  };
  const std::vector<Case> cases = {
      {broken(30, 3, "maybe"), "", "maybe"},
      {broken(30, 1, "far"), "", "far"},
      {broken(30, 1, "1,2"), "", "rows.csv:32"},
      {TwoTaskRows(50), "feature_configs[1].raw_feature.expression=y", "\"y\""},
      {TwoTaskRows(50), "data_config.sample_weight_fields=[v]", "\"v\""},
      {TwoTaskRows(50), "train_config.early_stopping.metric=auc_c", "auc_c"},
      {TwoTaskRows(50), "train_input_path=/nowhere/rows.csv", "/nowhere/rows.csv"},
      {TwoTaskRows(0), "", "rows.csv: has no rows"},
      {TwoTaskRows(1), "", "1 rows are too few"},
      {TwoTaskRows(20), "data_config.drop_remainder=true data_config.batch_size=32", "do not fill one batch of 32"},
  };
  for (const Case& wrong : cases) {
    const FunnelRun run(TwoTaskText(), wrong.csv);
    std::vector<std::string> overrides = {"data_config.cache_dir=\"\""};
    std::istringstream words(wrong.override_text);
    for (std::string word; words >> word;) overrides.push_back(word);
    const auto before = Tree(run.folder().path());
    const auto result = run.Train("new/m", {.overrides = overrides});
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidInput) << wrong.message;
    EXPECT_THAT(result.status().message(), HasSubstr(wrong.message));
    EXPECT_FALSE(FileExists(run.Dir("new/m"))) << wrong.message;
    EXPECT_EQ(FileContent(run.DataPath()), before.at("rows.csv"));
    for (const auto& [name, unused] : Tree(run.folder().path())) {
      EXPECT_TRUE(before.contains(name) || name == "new" || name.starts_with("new/.manygate_cache")) << name;
      EXPECT_FALSE(name.ends_with(".tmp")) << name;
    }
  }
}

// The model is not replaced before the new run's own input has proved good.
TEST(ModelDirectoryTest, WrongInputKeepsTheOlderModel) {
  const FunnelRun run(Recipe::kOmoe, 300);
  run.MustTrain("m");
  const auto before = Tree(run.Dir("m"));
  EXPECT_EQ(run.Train("m", {.overrides = {"train_input_path=/nowhere/rows.csv"}}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_EQ(
      run.Train("m", {.overrides = {"data_config.batch_size=5000", "data_config.drop_remainder=true"}}).status().code(),
      StatusCode::kInvalidInput);
  EXPECT_EQ(Tree(run.Dir("m")), before);
}

TEST(ModelDirectoryTest, MissingPathsAreSentences) {
  const FunnelRun run(Recipe::kOmoe, 300);
  auto no_dir = manygate::Train(run.Load(), {});
  EXPECT_EQ(no_dir.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(no_dir.status().message(), AllOf(HasSubstr("test.config"), HasSubstr("model_dir is missing")));
  auto loaded = run.Load();
  loaded.pipeline.clear_train_input_path();
  auto no_rows = manygate::Train(std::move(loaded), {.model_dir = run.Dir("m")});
  EXPECT_EQ(no_rows.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(no_rows.status().message(), HasSubstr("train_input_path is missing"));
}

}  // namespace
}  // namespace manygate
