// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/health.h"

#include <cstdlib>
#include <filesystem>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// One expert layer of four units without hidden gate layers, so that a test can set what gates and experts do.
constexpr char kPlainModel[] = R"(mmoe { num_expert: 3 expert_mlp { hidden_units: 4 } TOWERS })";

std::string HealthText(std::string model,
                       const std::string& train = "dense_optimizer { adam_optimizer { lr: 0.01 } }") {
  const std::string towers =
      R"(task_towers { label_name: "click" mlp { hidden_units: 4 } }
         task_towers { label_name: "purchase" mlp { hidden_units: 4 } })";
  if (const size_t at = model.find("TOWERS"); at != std::string::npos) model.replace(at, 6, towers);
  return PipelineText(train, model, kFunnelText);
}

std::string FunnelRows(int64_t rows) {
  const TestFolder folder;
  const auto made = GenerateFunnel({.rows = rows, .seed = 3}, folder.Path("rows.csv"));
  EXPECT_TRUE(made.ok()) << made.status().message();
  return FileContent(folder.Path("rows.csv"));
}

void SetParameter(PreparedRun& run, const std::string& name, const std::function<float(size_t)>& value) {
  for (size_t i = 0; i < run.model->graph.parameters.size(); ++i) {
    if (run.model->graph.parameters[i].name != name) continue;
    std::vector<float> values(run.model->graph.parameters[i].size());
    for (size_t k = 0; k < values.size(); ++k) values[k] = value(k);
    run.model->store->Write(static_cast<int>(i), values);
    return;
  }
  FAIL() << "no parameter " << name;
}

TEST(HealthMonitor, MeasuresWhatTheParametersMake) {
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(1500));
  PreparedRun run(files.Load());
  // The click gate is (0.6, 0.2, 0.2) in every row; expert 1 never rises above 0.
  SetParameter(run, "gates.click.output.weight", [](size_t) { return 0.f; });
  SetParameter(run, "gates.click.output.bias", [](size_t e) { return e == 0 ? std::log(3.f) : 0.f; });
  std::vector<float> bias;
  for (size_t i = 0; i < run.model->graph.parameters.size(); ++i)
    if (run.model->graph.parameters[i].name == "experts.layers.0.bias")
      bias = run.model->store->Read(static_cast<int>(i));
  SetParameter(run, "experts.layers.0.bias", [&](size_t k) { return k / 4 == 1 ? -1000.f : bias[k]; });

  HealthMonitor monitor(*run.model, *run.stepper, run.data, run.pool());
  ASSERT_TRUE(monitor.active());
  const HealthReport report = monitor.Measure();
  EXPECT_EQ(report.rows, 300) << "all validation rows";
  ASSERT_THAT(report.gates, SizeIs(2));
  EXPECT_EQ(report.gates[0].name, "gates.click");
  EXPECT_THAT(report.gates[0].experts, ElementsAre("experts.0", "experts.1", "experts.2"));
  EXPECT_NEAR(report.gates[0].mean_weight[0], 0.6, 1e-6);
  EXPECT_NEAR(report.gates[0].mean_weight[2], 0.2, 1e-6);
  EXPECT_THAT(report.gates[0].top_share, ElementsAre(testing::DoubleEq(1), 0, 0));
  EXPECT_NEAR(report.gates[0].entropy, (0.6 * std::log(1 / 0.6) + 0.4 * std::log(5.0)) / std::log(3.0), 1e-6);
  EXPECT_EQ(report.gates[1].name, "gates.purchase");
  EXPECT_GT(report.gates[1].entropy, 0.5);
  ASSERT_THAT(report.banks, SizeIs(1));
  EXPECT_EQ(report.banks[0].units, 4);
  EXPECT_EQ(report.banks[0].dead_units[1], 1);
  EXPECT_LT(report.banks[0].dead_units[0], 1);
  EXPECT_EQ(report.banks[0].similarity[0][1], 0);
  EXPECT_GT(report.banks[0].similarity[0][2], 0);
  EXPECT_THAT(report.alarms, ElementsAre(HasSubstr("expert experts.1 is dead: 4 of its 4 units")));
  ASSERT_THAT(report.cosines, SizeIs(1));
  EXPECT_EQ(report.cosines[0].a, "click");
  EXPECT_EQ(report.cosines[0].b, "purchase");
  EXPECT_LE(std::fabs(report.cosines[0].cosine), 1);
}

TEST(HealthMonitor, RowsAreThoseAskedForAndOfTrainingWithoutValidation) {
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(1000));
  const auto rows_of = [&](const std::vector<std::string>& overrides) {
    PreparedRun run(files.Load(overrides));
    return HealthMonitor(*run.model, *run.stepper, run.data, run.pool()).Measure().rows;
  };
  EXPECT_EQ(rows_of({"train_config.health_rows=70"}), 70);
  EXPECT_EQ(rows_of({"data_config.split.validation_fraction=0"}), 900);
  EXPECT_EQ(rows_of({"data_config.split.validation_fraction=0", "data_config.eval_batch_size=64"}), 900);
}

TEST(HealthMonitor, MeasuresTheSameInAnyBatchesAndThreads) {
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(1500));
  const auto json_of = [&](const std::vector<std::string>& overrides, int threads) {
    PreparedRun run(files.Load(overrides), threads);
    return ToJson(HealthMonitor(*run.model, *run.stepper, run.data, run.pool()).Measure());
  };
  const std::string want = json_of({}, 1);
  EXPECT_EQ(json_of({}, 2), want);
  EXPECT_EQ(json_of({"data_config.eval_batch_size=100", "train_config.slice_rows=32"}, 4), want);
}

TEST(HealthMonitor, NothingWhereThereIsNothingToMeasure) {
  const FunnelRun single(
      PipelineText("", R"(shared_bottom { bottom_mlp { hidden_units: 4 } task_towers { label_name: "click" } })",
                   kFunnelText),
      FunnelRows(300));
  PreparedRun run(single.Load());
  EXPECT_FALSE(HealthMonitor(*run.model, *run.stepper, run.data, run.pool()).active());
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(300));
  PreparedRun off(files.Load({"train_config.health_rows=0"}));
  EXPECT_FALSE(HealthMonitor(*off.model, *off.stepper, off.data, off.pool()).active());
  // Two networks that share nothing have no cosine.
  const FunnelRun apart(TwoTaskText(), TwoTaskRows(200));
  PreparedRun both(apart.Load());
  EXPECT_TRUE(HealthMonitor(*both.model, *both.stepper, both.data, both.pool()).Measure().empty());
}

TEST(HealthMonitor, TasksWithoutGatesAreComparedToo) {
  const FunnelRun files(HealthText("shared_bottom { bottom_mlp { hidden_units: 8 } TOWERS }"), FunnelRows(500));
  PreparedRun run(files.Load());
  const HealthReport report = HealthMonitor(*run.model, *run.stepper, run.data, run.pool()).Measure();
  EXPECT_THAT(report.gates, IsEmpty());
  EXPECT_THAT(report.cosines, SizeIs(1));
}

// Every task sees the same label: the gradients of equal towers point the same way.
TEST(HealthMonitor, EqualTasksAgree) {
  const std::string csv = TwoTaskRows(400, [](int, std::vector<std::string>& fields) { fields[4] = fields[3]; });
  std::string text = TwoTaskText();
  text.replace(text.find("simple_multi_task {"), 19, "shared_bottom { bottom_mlp { hidden_units: 4 }");
  const FunnelRun files(text, csv);
  PreparedRun run(files.Load());
  std::vector<float> values;
  for (const char* part : {"layers.0.weight", "layers.0.bias", "output.weight", "output.bias"}) {
    const auto parameters = run.Parameters();
    values = parameters.at(std::string("towers.a.") + part);
    SetParameter(run, std::string("towers.b.") + part, [&](size_t k) { return values[k]; });
  }
  const HealthReport report = HealthMonitor(*run.model, *run.stepper, run.data, run.pool()).Measure();
  ASSERT_THAT(report.cosines, SizeIs(1));
  EXPECT_NEAR(report.cosines[0].cosine, 1, 1e-4);
}

class HealthBitsTest : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, HealthBitsTest, testing::ValuesIn(kAllRecipes),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(HealthBitsTest, MeasuringDoesNotChangeARun) {
  const FunnelRun run(GetParam());
  const std::string often = "train_config.save_checkpoints_steps=20";
  run.MustTrain("without", {.overrides = {often, "train_config.health_rows=0"}});
  for (const int threads : {1, 2, 4}) {
    const std::string name = fmt::format("with-{}", threads);
    const TrainResult result =
        run.MustTrain(name, {.overrides = {often, "train_config.health_rows=4096"}, .threads = threads});
    EXPECT_FALSE(result.health.empty());
    EXPECT_EQ(ToJson(HealthFromJson(run.Metrics(name).back()["health"].dump())), ToJson(result.health));
    EXPECT_TRUE(run.Weights(name) == run.Weights("without")) << threads << " threads";
    EXPECT_TRUE(run.LastOptimizer(name) == run.LastOptimizer("without")) << threads << " threads";
    for (size_t line = 0; line < run.Metrics("without").size(); ++line)
      EXPECT_EQ(run.Metrics(name)[line]["train_loss"], run.Metrics("without")[line]["train_loss"]);
  }
  EXPECT_FALSE(run.Metrics("without")[0].contains("health"));
}

// The report is of the weights that are saved, not of the last ones.
TEST(TrainerHealth, IsOfTheSavedWeights) {
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(1500));
  const TrainResult result =
      files.MustTrain("best", {.overrides = {"train_config.num_epochs=6", "train_config.best_metrics=\"auc_purchase\"",
                                             "train_config.dense_optimizer.adam_optimizer.lr=0.05"}});
  ASSERT_LT(result.best_step, result.steps) << "otherwise this test says nothing";
  for (const auto& line : files.Metrics("best")) {
    const std::string of_line = ToJson(HealthFromJson(line["health"].dump()));
    EXPECT_EQ(of_line == ToJson(result.health), line["step"] == result.best_step);
  }
}

TEST(TrainerHealth, ScalarsForTensorBoard) {
  const FunnelRun files(HealthText(kPlainModel), FunnelRows(600));
  files.MustTrain("m", {.overrides = {"train_config.use_tensorboard=true"}});
  for (const auto& entry : std::filesystem::directory_iterator(files.Dir("m"))) {
    if (!entry.path().filename().string().starts_with("events.out.tfevents.")) continue;
    EXPECT_THAT(FileContent(entry.path().string()),
                AllOf(HasSubstr("gate/gates.click/entropy"), HasSubstr("gate/gates.purchase/experts.2"),
                      HasSubstr("cosine/click/purchase")));
    return;
  }
  FAIL() << "no event file";
}

// Logits divided by 0.01 and a rate of 0.05: a step moves a gate as a rate of several hundred would.
const std::vector<std::string> kCollapse = {"model_config.gating.temperature=0.01", "train_config.num_epochs=4",
                                            "train_config.dense_optimizer.adam_optimizer.lr=0.05"};

TEST(TrainerHealth, AModelBuiltToCollapseRaisesTheAlarmAndTheRemedyClearsIt) {
  const FunnelRun files(HealthText("mmoe { num_expert: 8 expert_mlp { hidden_units: 8 } TOWERS }"), FunnelRows(3000));
  std::ostringstream log;
  const auto collapsed = Train(files.Load(kCollapse), {.model_dir = files.Dir("collapsed"), .log = &log});
  ASSERT_TRUE(collapsed.ok()) << collapsed.status().message();
  ASSERT_THAT(collapsed->health.alarms, Not(IsEmpty()));
  EXPECT_THAT(collapsed->health.alarms[0],
              AllOf(HasSubstr("of the 8 experts of bank experts"), HasSubstr("used by no gate (experts."),
                    HasSubstr("Set model_config.gating.load_balance_weight (0.1)")));
  EXPECT_THAT(log.str(), HasSubstr("\nalarm: "));

  std::vector<std::string> remedy = kCollapse;
  remedy.push_back("model_config.gating.load_balance_weight=0.1");
  EXPECT_THAT(files.MustTrain("balanced", {.overrides = remedy}).health.alarms, IsEmpty());
  EXPECT_THAT(files.MustTrain("healthy").health.alarms, IsEmpty());
}

TEST(TrainerHealth, AnAlarmIsToldOnce) {
  const FunnelRun files(HealthText("mmoe { num_expert: 8 expert_mlp { hidden_units: 8 } TOWERS }"), FunnelRows(3000));
  std::ostringstream log;
  const auto result = Train(files.Load(kCollapse), {.model_dir = files.Dir("m"), .log = &log});
  ASSERT_TRUE(result.ok()) << result.status().message();
  std::map<std::string, int> told;  // what is wrong -> lines
  std::istringstream lines(log.str());
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("alarm: ")) ++told[line.substr(0, line.find(": ", 7))];
  ASSERT_FALSE(told.empty());
  for (const auto& [subject, count] : told) EXPECT_EQ(count, 1) << subject;
  EXPECT_GT(files.Metrics("m").size(), 2u) << "it stands in every evaluation";
  for (const auto& line : files.Metrics("m")) EXPECT_FALSE(line["health"]["alarms"].empty());
}

// Real data: the example of Census-Income for half an epoch.
TEST(TrainerHealth, CensusIsHealthyCollapsesAndRecovers) {
  const char* folder = std::getenv("MANYGATE_DATA");
  const std::string data =
      (folder != nullptr ? std::string(folder) : std::string(MANYGATE_SOURCE_DIR) + "/../shared/data");
  if (!std::filesystem::exists(data + "/census-income")) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  const auto load = [&](const std::vector<std::string>& more) {
    std::vector<std::string> overrides = {
        fmt::format("train_input_path=\"{}/census-income/census-income.data*.gz\"", data),
        fmt::format("eval_input_path=\"{}/census-income/census-income.test.gz\"", data),
        "data_config.cache_dir=\"off\"", "train_config.num_steps=3000", "train_config.use_tensorboard=false"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    auto loaded =
        config::LoadPipeline(std::string(MANYGATE_SOURCE_DIR) + "/examples/census_income/mmoe.config", overrides);
    EXPECT_TRUE(loaded.ok()) << loaded.status().message();
    config::ResolveDefaults(&loaded->pipeline);
    return std::move(*loaded);
  };
  ThreadPool pool(2);
  std::vector<std::string> notes;
  const auto rows = PrepareTraining(load({}), pool, "", &notes);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  const TestFolder models;
  const auto alarms_of = [&](const std::string& name, const std::vector<std::string>& overrides) {
    std::ostringstream log;
    const auto result =
        TrainNetwork(load(overrides), {.model_dir = models.Path(name), .num_threads = 2, .log = &log}, &*rows);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? result->health.alarms : std::vector<std::string>{"failed"};
  };
  EXPECT_THAT(alarms_of("healthy", {}), IsEmpty());
  EXPECT_THAT(alarms_of("collapsed", {"model_config.gating.temperature=0.01"}),
              testing::Contains(HasSubstr("used by no gate")));
  EXPECT_THAT(
      alarms_of("balanced", {"model_config.gating.temperature=0.01", "model_config.gating.load_balance_weight=0.1"}),
      IsEmpty());
}

}  // namespace
}  // namespace manygate
