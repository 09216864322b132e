// SPDX-License-Identifier: Apache-2.0
// What compare says about tasks that were made to conflict, to help each other, or to have nothing to say; and what it
// trains, keeps and writes.
#include "manygate/train/compare.h"

#include <cmath>

#include "manygate/base/random.h"
#include "manygate/config/accessors.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/training_for_tests.h"
#include "manygate/train/xgboost_library.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Labels a and b from standard normal columns x0 .. x{width-1}: 1 with probability logistic(strength · w · x), of their own
// noise. The two directions w are given.
std::string TwoTasks(int rows, const std::vector<float>& direction_a, const std::vector<float>& direction_b,
                     uint64_t seed) {
  const size_t width = direction_a.size();
  std::string csv;
  for (size_t i = 0; i < width; ++i) csv += fmt::format("x{},", i);
  csv += "a,b\n";
  for (int row = 0; row < rows; ++row) {
    const Philox random(seed, row);
    double a = 0, b = 0;
    for (size_t i = 0; i < width; ++i) {
      const double x = NormalPair(random.Block(i / 2))[i % 2];
      csv += fmt::format("{:.4f},", x);
      a += direction_a[i] * x;
      b += direction_b[i] * x;
    }
    const auto noise = random.Block(1000);
    csv += fmt::format("{},{}\n", UnitFloat(noise[0]) < 1 / (1 + std::exp(-a)) ? 1 : 0,
                       UnitFloat(noise[1]) < 1 / (1 + std::exp(-b)) ? 1 : 0);
  }
  return csv;
}

std::string NumberFeatures(size_t width) {
  std::string text;
  for (size_t i = 0; i < width; ++i)
    text += fmt::format("feature_configs {{ raw_feature {{ feature_name: 'x{}' }} }}\n", i);
  return text;
}

constexpr char kTowers[] = "task_towers { label_name: 'a' } task_towers { label_name: 'b' }";

std::string ConfigText(size_t width, const std::string& model, int epochs, double test_fraction) {
  return fmt::format(
      "train_config {{ num_epochs: {} save_checkpoints_epochs: 100 health_rows: 0 use_tensorboard: false "
      "dense_optimizer {{ adam_optimizer {{ lr: 0.01 }} cosine_annealing_learning_rate {{}} }} }} "
      "data_config {{ batch_size: 32 with_header: true cache_dir: 'off' "
      "split {{ validation_fraction: 0.05 test_fraction: {} }} }} {} model_config {{ {} }}",
      epochs, test_fraction, NumberFeatures(width), model);
}

TransferTable MustCompare(const FunnelRun& run, const CompareOptions& options = {},
                          const std::vector<std::string>& overrides = {}) {
  CompareOptions chosen = options;
  if (chosen.model_dir.empty()) chosen.model_dir = run.Dir("compared");
  const auto table = Compare(run.Load(overrides), chosen);
  EXPECT_TRUE(table.ok()) << table.status().message();
  return table.ok() ? *table : TransferTable();
}

std::vector<std::string> Verdicts(const TransferTable& table, const std::string& model) {
  std::vector<std::string> verdicts;
  for (const TransferTask& task : table.tasks)
    for (const TransferCell& cell : task.cells)
      if (cell.model == model) verdicts.push_back(VerdictName(cell.verdict));
  return verdicts;
}

std::vector<std::string> ModelsOf(const TransferTask& task) {
  std::vector<std::string> models;
  for (const TransferCell& cell : task.cells) models.push_back(cell.model);
  return models;
}

// One unit below both towers cannot follow two directions 120 degrees apart; each task alone gets its own.
TEST(CompareTest, TasksThatConflictLoseBySharing) {
  const std::vector<float> a = {2, 0, 0, 0}, b = {-1, 1.732f, 0, 0};
  const FunnelRun run(
      ConfigText(4, fmt::format("shared_bottom {{ bottom_mlp {{ hidden_units: 1 activation: 'none' }} {} }}", kTowers),
                 15, 0.4),
      TwoTasks(6000, a, b, 1));
  const TransferTable table = MustCompare(run);
  EXPECT_THAT(Verdicts(table, "shared_bottom"), ElementsAre("loses", "loses"));
  ASSERT_EQ(table.tasks.size(), 2u);
  // The configured model is Shared-Bottom itself: there is no second one.
  EXPECT_THAT(ModelsOf(table.tasks[0]), ElementsAre("alone", "shared_bottom"));
}

// The same function behind both labels, each with noise of its own, and hardly more training rows than columns: together
// they see twice as much of it.
TEST(CompareTest, IdenticalTasksWithFewRowsGainBySharing) {
  std::vector<float> direction(100, 0.25f);
  const FunnelRun run(
      ConfigText(100,
                 fmt::format("shared_bottom {{ bottom_mlp {{ hidden_units: 2 activation: 'none' }} {} }}", kTowers), 60,
                 0.9),
      TwoTasks(6000, direction, direction, 2));
  const TransferTable table = MustCompare(run);
  EXPECT_THAT(Verdicts(table, "shared_bottom"), ElementsAre("gains", "gains"));
}

TEST(CompareTest, UnrelatedNoiseMakesNoDifference) {
  const std::vector<float> nothing(6, 0.0f);
  const FunnelRun run(
      ConfigText(6, fmt::format("mmoe {{ num_expert: 3 expert_mlp {{ hidden_units: 4 }} {} }}", kTowers), 3, 0.5),
      TwoTasks(6000, nothing, nothing, 3));
  const TransferTable table = MustCompare(run);
  EXPECT_THAT(Verdicts(table, "shared_bottom"), ElementsAre("no difference", "no difference"));
  EXPECT_THAT(Verdicts(table, "mmoe"), ElementsAre("no difference", "no difference"));
}

// A quick model of two tasks, and what is compared with it.
class SmallRun : public FunnelRun {
 public:
  explicit SmallRun(const std::string& train = "", const std::string& model = "mmoe")
      : FunnelRun(
            PipelineText("health_rows: 0 " + train,
                         model + " { " + (model == "shared_bottom" ? "bottom_mlp" : "expert_mlp") +
                             " { hidden_units: 4 } task_towers { label_name: 'a' } task_towers { label_name: 'b' } }",
                         "data_config { batch_size: 64 with_header: true cache_dir: 'off' split { validation_fraction: "
                         "0.2 test_fraction: 0.3 } } feature_configs { raw_feature { feature_name: 'x0' } } "
                         "feature_configs { raw_feature { feature_name: 'x1' } }"),
            TwoTasks(600, {1, 0}, {0, 1}, 4)) {}

  Status ErrorOf(const std::vector<std::string>& overrides, CompareOptions options = {}) const {
    options.model_dir = Dir("compared");
    const auto table = Compare(Load(overrides), options);
    return table.ok() ? OkStatus() : table.status();
  }
};

TEST(CompareTest, ValuesAreThoseOfTheModelsThatItLeaves) {
  const SmallRun run;
  std::ostringstream log;
  const TransferTable table = MustCompare(run, {.num_seeds = 2, .log = &log});
  EXPECT_EQ(table.rows_name, "test rows of rows.csv");
  EXPECT_THAT(table.seeds, ElementsAre(7, 8));
  ASSERT_EQ(table.tasks.size(), 2u);
  EXPECT_EQ(table.tasks[0].rows, 180);
  EXPECT_THAT(ModelsOf(table.tasks[1]), ElementsAre("alone", "shared_bottom", "mmoe"));
  EXPECT_THAT(log.str(), HasSubstr("training 1 of 8: mmoe, seed 7 ..."));
  EXPECT_THAT(log.str(), HasSubstr("training 8 of 8: alone, b, seed 8 ..."));
  const std::vector<std::pair<std::string, size_t>> cells = {{"alone-b", 0}, {"shared_bottom", 1}, {"mmoe", 2}};
  for (const auto& [folder, cell] : cells) {
    for (int s = 0; s < 2; ++s) {
      auto model = LoadModel(run.Dir(fmt::format("compared/{}/seed-{}", folder, 7 + s)));
      ASSERT_TRUE(model.ok()) << model.status().message();
      ThreadPool pool(1);
      const auto data = PrepareHoldOut((*model)->pipeline, (*model)->schema, pool, "", nullptr);
      ASSERT_TRUE(data.ok()) << data.status().message();
      EXPECT_EQ(table.tasks[1].cells[cell].values[s], Evaluator(**model, pool).Evaluate(data->test).Find("auc_b"))
          << folder << s;
    }
  }
  const TransferCell& mmoe = table.tasks[1].cells[2];
  EXPECT_DOUBLE_EQ(mmoe.mean, (mmoe.values[0] + mmoe.values[1]) / 2);
  EXPECT_NEAR(mmoe.difference, mmoe.mean - table.tasks[1].cells[0].mean, 1e-12);
}

TEST(CompareTest, TheTableIsWrittenBesideTheModelsAndGoesWithThem) {
  const SmallRun run;
  const TransferTable table = MustCompare(run, {.num_seeds = 2});
  EXPECT_EQ(run.Content("compared", "transfer.json"), ToJson(table) + "\n");
  EXPECT_EQ(run.Content("compared/mmoe/seed-8", "transfer.json"), ToJson(table) + "\n");
  EXPECT_FALSE(FileExists(run.Dir("compared/shared_bottom/seed-8/transfer.json")));
  run.MustTrain("compared/mmoe/seed-8");
  EXPECT_FALSE(FileExists(run.Dir("compared/mmoe/seed-8/transfer.json")));
}

TEST(CompareTest, ResumingKeepsWhatIsCompleteAndAlike) {
  const SmallRun run;
  const TransferTable first = MustCompare(run, {.num_seeds = 2});
  std::ostringstream log;
  const TransferTable second = MustCompare(run, {.num_seeds = 2, .resume = true, .log = &log});
  EXPECT_EQ(ToJson(first), ToJson(second));
  size_t complete = 0;
  for (size_t at = 0; (at = log.str().find("complete already", at)) != std::string::npos; ++at) ++complete;
  EXPECT_EQ(complete, 8u);
  std::ostringstream other;
  MustCompare(run, {.num_seeds = 2, .resume = true, .log = &other}, {"train_config.num_epochs=3"});
  EXPECT_THAT(other.str(), Not(HasSubstr("complete already")));
}

TEST(CompareTest, AStopEndsItInGoodOrder) {
  const SmallRun run;
  const std::atomic<bool> stop = true;
  const Status stopped = run.ErrorOf({}, {.stop = &stop});
  EXPECT_EQ(stopped.code(), StatusCode::kCancelled);
  EXPECT_EQ(stopped.message(),
            "stopped in training 1 of 12. The same command with --resume keeps the models that are complete.");
  MustCompare(run, {.num_seeds = 2, .resume = true});
}

TEST(CompareTest, WithoutATestSplitTheValidationRowsAreNamed) {
  const SmallRun run;
  std::ostringstream log;
  const TransferTable table =
      MustCompare(run, {.num_seeds = 2, .log = &log}, {"data_config.split.test_fraction=0", "ensemble={members: 2}"});
  ASSERT_EQ(table.rows_name, "validation rows of rows.csv");
  EXPECT_EQ(table.tasks[0].rows, 120);
  EXPECT_THAT(log.str(), HasSubstr("note: no test rows are held out: the models are compared on the validation rows"));
  EXPECT_THAT(log.str(), HasSubstr("note: one network of the ensemble is compared, not all"));
}

TEST(CompareTest, WhatCannotBeComparedIsRefused) {
  const SmallRun run;
  EXPECT_THAT(run.ErrorOf({"model_config.mmoe.task_towers=[{label_name: 'a'}]"}).message(),
              HasSubstr("there is one tower: nothing is shared, and nothing to compare. Add task_towers"));
  EXPECT_THAT(run.ErrorOf({"data_config.split={validation_fraction: 0}"}).message(),
              HasSubstr("test.config: no rows are held out to compare on: set eval_input_path, or "
                        "data_config.split.test_fraction"));
  EXPECT_THAT(run.ErrorOf({"train_input_path=''"}).message(), HasSubstr("train_input_path is missing"));
  EXPECT_THAT(run.ErrorOf({}, {.gbdt = true, .xgboost_library = "/absent/libxgboost.so"}).message(),
              testing::AllOf(HasSubstr("gbdt: libxgboost cannot be loaded"), HasSubstr("apt install libxgboost0"),
                             HasSubstr("/absent/libxgboost.so")));
  EXPECT_FALSE(FileExists(run.Dir("compared/mmoe")));
}

TEST(CompareTest, TreesAreAFurtherRow) {
  if (const auto library = XgboostLibrary::Load(""); !library.ok()) GTEST_SKIP() << library.status().message();
  const SmallRun run("", "shared_bottom");
  std::ostringstream log;
  const TransferTable table = MustCompare(run, {.num_seeds = 2, .gbdt = true, .log = &log});
  EXPECT_THAT(log.str(), HasSubstr("training 8 of 8: gbdt, b ... "));
  ASSERT_EQ(table.tasks.size(), 2u);
  for (const TransferTask& task : table.tasks) {
    EXPECT_THAT(ModelsOf(task), ElementsAre("alone", "shared_bottom", "gbdt"));
    ASSERT_EQ(task.cells[2].values.size(), 2u);
    // The label is 1 with probability logistic(x) of one of the two columns: an area of 0.74 at most.
    for (const double value : task.cells[2].values) EXPECT_NEAR(value, 0.72, 0.12);
    EXPECT_NEAR(task.cells[2].difference, task.cells[2].mean - task.cells[0].mean, 1e-12);
  }
  EXPECT_THAT(run.ErrorOf({"data_config.split={validation_fraction: 0 test_fraction: 0.3}"}, {.gbdt = true}).message(),
              HasSubstr("gbdt is tuned on validation rows, and none are held out"));
}

// Classes by log loss, numbers by RMSE: the AUC's tests do not reach these.
TEST(CompareTest, ClassesAndNumbers) {
  std::string csv = "x,class,number\n";
  for (int i = 0; i < 400; ++i) csv += fmt::format("{},{},{}\n", i % 7, i % 3, 2 * (i % 7));
  const FunnelRun run(
      "train_config { num_epochs: 1 use_tensorboard: false health_rows: 0 } data_config { batch_size: 32 with_header: "
      "true cache_dir: 'off' split { test_fraction: 0.4 } } feature_configs { raw_feature { feature_name: 'x' } } "
      "model_config { shared_bottom { bottom_mlp { hidden_units: 4 } task_towers { label_name: 'class' num_class: 3 "
      "losses { softmax_cross_entropy {} } metrics { log_loss {} } } task_towers { label_name: 'number' losses { "
      "l2_loss {} } } } }",
      csv);
  const TransferTable table = MustCompare(run, {.num_seeds = 2});
  ASSERT_EQ(table.tasks.size(), 2u);
  EXPECT_EQ(table.tasks[0].metric, "log_loss");
  EXPECT_EQ(table.tasks[1].metric, "root_mean_squared_error");
  for (const TransferTask& task : table.tasks) {
    EXPECT_FALSE(task.higher_is_better);
    const TransferCell& shared = task.cells[1];
    EXPECT_NEAR(shared.difference, task.cells[0].mean - shared.mean, 1e-6);
    EXPECT_LT(shared.low, shared.difference);
    auto model = LoadModel(run.Dir("compared/shared_bottom/seed-1"));
    ASSERT_TRUE(model.ok());
    ThreadPool pool(1);
    const auto data = PrepareHoldOut((*model)->pipeline, (*model)->schema, pool, "", nullptr);
    EXPECT_NEAR(shared.values[0], Evaluator(**model, pool).Evaluate(data->test).Find(task.metric + "_" + task.tower),
                1e-6);
  }
}

}  // namespace
}  // namespace manygate
