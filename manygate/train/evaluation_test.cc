// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/evaluation.h"

#include <cmath>
#include <numeric>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

// A trained and reloaded model with the rows it held out.
struct Loaded {
  std::unique_ptr<Model> model;
  Dataset data;
};

Loaded LoadTrained(const FunnelRun& run, const std::string& name, ThreadPool& pool) {
  Loaded loaded;
  auto model = LoadModel(run.Dir(name));
  EXPECT_TRUE(model.ok()) << model.status().message();
  loaded.model = std::move(*model);
  std::vector<std::string> notes;
  auto data = PrepareHoldOut(loaded.model->pipeline, loaded.model->schema, pool, "", &notes);
  EXPECT_TRUE(data.ok()) << data.status().message();
  loaded.data = std::move(*data);
  return loaded;
}

std::vector<float> LabelsOf(const Loaded& loaded, const RowSelection& selection, size_t tower) {
  const int width = selection.table->num_labels();
  std::vector<float> all(selection.rows.size() * width), labels(selection.rows.size());
  selection.table->CopyRows(selection.rows.data(), static_cast<int>(selection.rows.size()), nullptr, nullptr,
                            all.data(), nullptr);
  for (size_t r = 0; r < labels.size(); ++r) labels[r] = all[r * width + loaded.model->tasks[tower].label];
  return labels;
}

class EvaluatorTest : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, EvaluatorTest, testing::ValuesIn(kAllRecipes),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(EvaluatorTest, MetricsAreThoseOfThePredictions) {
  const FunnelRun run(GetParam());
  run.MustTrain("m");
  ThreadPool pool(2);
  Loaded loaded = LoadTrained(run, "m", pool);
  Evaluator evaluator(*loaded.model, pool);
  const RowSelection& rows = loaded.data.validation;
  const Predictions predictions = evaluator.Predict(rows);
  const EvaluationResult result = evaluator.Evaluate(rows);
  ASSERT_EQ(result.rows, 300);
  ASSERT_EQ(result.tasks.size(), 3u);
  double total = 0;
  const double task_weights[] = {1, 0.5, 0.001f};
  for (size_t t = 0; t < 3; ++t) {
    const std::vector<float> labels = LabelsOf(loaded, rows, t);
    const std::string tower = result.tasks[t].tower;
    int64_t count = 0, positives = 0;
    double loss = 0, ordered = 0, correct = 0;
    for (size_t r = 0; r < labels.size(); ++r) {
      if (std::isnan(labels[r])) continue;
      ++count;
      const double z = predictions.logits[t][r], p = predictions.values[t][r];
      if (tower == "amount") {
        EXPECT_EQ(predictions.values[t][r], predictions.logits[t][r]);
        loss += (z - labels[r]) * (z - labels[r]);
        continue;
      }
      EXPECT_NEAR(p, 1 / (1 + std::exp(-z)), 1e-6);
      positives += labels[r] == 1;
      correct += (p > 0.5) == (labels[r] == 1);
      loss -= std::log(labels[r] == 1 ? p : 1 - p);
      for (size_t other = 0; other < labels.size(); ++other) {
        if (labels[r] != 1 || labels[other] != 0) continue;
        const double q = predictions.values[t][other];
        ordered += p > q ? 1 : p == q ? 0.5 : 0;
      }
    }
    EXPECT_EQ(result.tasks[t].rows, count);
    EXPECT_EQ(result.tasks[t].missing, 300 - count);
    ASSERT_GT(count, 0) << tower;
    total += task_weights[t] * loss / static_cast<double>(count);
    if (tower == "amount") {
      EXPECT_NEAR(result.Find("root_mean_squared_error_amount"), std::sqrt(loss / static_cast<double>(count)),
                  1e-6 * std::sqrt(loss));
      continue;
    }
    EXPECT_EQ(result.tasks[t].positives, positives);
    ASSERT_GT(positives, 0) << tower;
    EXPECT_NEAR(result.Find("auc_" + tower), ordered / static_cast<double>(positives * (count - positives)), 1e-12);
    EXPECT_NEAR(result.Find("log_loss_" + tower), loss / static_cast<double>(count), 1e-6);
    EXPECT_NEAR(result.Find("accuracy_" + tower), correct / static_cast<double>(count), 1e-12);
  }
  EXPECT_NEAR(result.loss, total, 1e-5 * total);
}

TEST_P(EvaluatorTest, ReloadedModelRepeatsTheFiguresOfTheTraining) {
  const FunnelRun run(GetParam());
  const TrainResult result = run.MustTrain("m");
  ThreadPool pool(1);
  Loaded loaded = LoadTrained(run, "m", pool);
  Evaluator evaluator(*loaded.model, pool);
  EXPECT_EQ(ToJson(evaluator.Evaluate(loaded.data.validation)), ToJson(result.validation));
  EXPECT_EQ(ToJson(evaluator.Evaluate(loaded.data.test)), ToJson(result.test));
}

TEST_P(EvaluatorTest, SavedAgainAndReloadedPredictsTheSameBits) {
  const FunnelRun run(GetParam());
  run.MustTrain("m");
  ThreadPool pool(1);
  Loaded first = LoadTrained(run, "m", pool);
  ASSERT_TRUE(SaveModel(*first.model, run.Dir("copy")).ok());
  Loaded second = LoadTrained(run, "copy", pool);
  EXPECT_TRUE(run.Weights("copy") == run.Weights("m"));
  EXPECT_EQ(Evaluator(*first.model, pool).Predict(first.data.test).logits,
            Evaluator(*second.model, pool).Predict(second.data.test).logits);
}

// A row's numbers depend neither on the batch it is in, nor on threads, nor on the rows beside it.
TEST_P(EvaluatorTest, BatchSizesThreadsAndOrderChangeNoBit) {
  const FunnelRun run(GetParam());
  run.MustTrain("m");
  ThreadPool one(1);
  Loaded loaded = LoadTrained(run, "m", one);
  const RowSelection& rows = loaded.data.validation;
  const Predictions expected = Evaluator(*loaded.model, one).Predict(rows);
  const std::string metrics = ToJson(Evaluator(*loaded.model, one).Evaluate(rows));
  for (const int batch : {1, 7, 64, 299, 300, 4096}) {
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      loaded.model->pipeline.mutable_data_config()->set_eval_batch_size(batch);
      Evaluator evaluator(*loaded.model, pool);
      const Predictions predictions = evaluator.Predict(rows);
      EXPECT_EQ(predictions.logits, expected.logits) << "batches of " << batch << ", " << threads << " threads";
      EXPECT_EQ(predictions.values, expected.values) << "batches of " << batch << ", " << threads << " threads";
      EXPECT_EQ(ToJson(evaluator.Evaluate(rows)), metrics);
    }
  }
  RowSelection reversed = rows;
  std::reverse(reversed.rows.begin(), reversed.rows.end());
  const Predictions backwards = Evaluator(*loaded.model, one).Predict(reversed);
  for (size_t t = 0; t < expected.logits.size(); ++t) {
    const std::vector<float>& logits = backwards.logits[t];
    EXPECT_EQ(std::vector<float>(logits.rbegin(), logits.rend()), expected.logits[t]);
  }
}

TEST(EvaluatorOfTwoTasksTest, WeightsAreReadAnewEachTime) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  PreparedRun prepared(run.Load());
  Evaluator evaluator(*prepared.model, prepared.pool());
  const EvaluationResult before = evaluator.Evaluate(prepared.data.validation);
  ASSERT_TRUE(prepared.Steps(20).ok());
  prepared.stepper->Settle();
  EXPECT_LT(evaluator.Evaluate(prepared.data.validation).loss, before.loss);
}

// Weights 0, 1, 2, 0, 1, 2, ... and a task that lacks every fifth label.
TEST(EvaluatorOfTwoTasksTest, RowWeightsCount) {
  const FunnelRun run(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.1 } }", "", "sample_weight_fields: \"w\""),
                      TwoTaskRows(90, [](int row, auto& fields) {
                        fields[2] = std::to_string(row % 3);
                        if (row % 5 == 0) fields[4] = "";
                      }));
  PreparedRun prepared(run.Load());
  ASSERT_TRUE(prepared.Steps(5).ok());
  prepared.stepper->Settle();
  Evaluator evaluator(*prepared.model, prepared.pool());
  std::vector<uint32_t> all(90);
  std::iota(all.begin(), all.end(), 0u);
  const RowSelection rows{prepared.data.train.table, all};
  const Predictions predictions = evaluator.Predict(rows);
  const EvaluationResult result = evaluator.Evaluate(rows);
  std::vector<float> labels(90 * 2);
  rows.table->CopyRows(all.data(), 90, nullptr, nullptr, labels.data(), nullptr);
  double total = 0;
  for (int t = 0; t < 2; ++t) {
    double loss = 0, weight = 0;
    int64_t count = 0;
    for (int r = 0; r < 90; ++r) {
      const float label = labels[r * 2 + prepared.model->tasks[t].label];
      if (std::isnan(label) || r % 3 == 0) continue;
      const double p = predictions.values[t][r];
      loss -= r % 3 * std::log(label == 1 ? p : 1 - p);
      weight += r % 3;
      ++count;
    }
    EXPECT_EQ(result.tasks[t].rows, count);
    EXPECT_EQ(result.tasks[t].missing, t == 0 ? 0 : 18);
    EXPECT_NEAR(result.Find(t == 0 ? "log_loss_a" : "log_loss_b"), loss / weight, 1e-6);
    total += loss / weight;
  }
  EXPECT_NEAR(result.loss, total, 1e-6);
}

TEST(EvaluatorOfTwoTasksTest, NoRowsGiveNoFigures) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  PreparedRun prepared(run.Load());
  Evaluator evaluator(*prepared.model, prepared.pool());
  const EvaluationResult result = evaluator.Evaluate({prepared.data.train.table, {}});
  EXPECT_EQ(result.rows, 0);
  EXPECT_EQ(result.tasks[0].rows, 0);
  EXPECT_TRUE(std::isnan(result.Find("auc_a")));
}

}  // namespace
}  // namespace manygate
