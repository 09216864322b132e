// SPDX-License-Identifier: Apache-2.0
// Features of several values in a cell, from rows to predictions.
#include <cmath>

#include "manygate/base/random.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

constexpr int kGenres = 12;

// The film's log odds of being liked: 2 for each of genres 0 and 1 that it has, -2 for genre 2, -0.5 besides. The best AUC
// is that of these odds themselves.
struct Films {
  std::string csv = "genres,liked,seen\n";
  std::vector<double> odds;
  std::vector<int> liked;
};

Films MakeFilms(int rows) {
  Films films;
  for (int row = 0; row < rows; ++row) {
    const Philox random(17, static_cast<uint64_t>(row));
    std::string text;
    double odds = -0.5;
    const uint32_t count = random.Block(0)[0] % 6;
    for (uint32_t k = 0; k < count; ++k) {
      const uint32_t genre = random.Block(k + 1)[0] % kGenres;
      if (text.find(fmt::format("g{}|", genre)) != std::string::npos) continue;
      text += fmt::format("g{}|", genre);
      odds += genre < 2 ? 2 : genre == 2 ? -2 : 0;
    }
    const bool liked = UnitFloat(random.Block(90)[0]) < 1 / (1 + std::exp(-odds));
    films.csv += fmt::format("{},{},{}\n", text, liked ? 1 : 0, UnitFloat(random.Block(91)[0]) < 0.3 ? 1 : 0);
    films.odds.push_back(odds);
    films.liked.push_back(liked);
  }
  return films;
}

double AreaByPairs(const Films& films) {
  double wins = 0, pairs = 0;
  for (size_t i = 0; i < films.odds.size(); ++i) {
    for (size_t j = 0; j < films.odds.size(); ++j) {
      if (films.liked[i] == 0 || films.liked[j] != 0) continue;
      pairs += 1;
      wins += films.odds[i] > films.odds[j] ? 1 : films.odds[i] == films.odds[j] ? 0.5 : 0;
    }
  }
  return wins / pairs;
}

FunnelRun RunOn(const std::string& feature, const std::string& csv) {
  return FunnelRun(
      PipelineText("dense_optimizer { adam_optimizer { lr: 0.01 } }",
                   "mmoe { num_expert: 2 expert_mlp { hidden_units: 16 } task_towers { label_name: 'liked' } "
                   "task_towers { label_name: 'seen' } }",
                   "feature_configs { id_feature { feature_name: 'genres' " + feature +
                       " } } data_config { batch_size: 64 with_header: true cache_dir: 'off' split { "
                       "validation_fraction: 0.1 test_fraction: 0.3 } }"),
      csv);
}

double TestArea(const std::string& feature, const std::string& csv) {
  return RunOn(feature, csv).MustTrain("a", {.overrides = {"train_config.num_epochs=8"}}).test.Find("auc_liked");
}

TEST(ValueListsTest, MembershipIsLearntAsWellAsTheDataAllow) {
  const Films films = MakeFilms(6000);
  const double best = AreaByPairs(films);
  EXPECT_GT(best, 0.7);
  const double whole = TestArea("embedding_dim: 8 separator: ''", films.csv);
  for (const std::string feature : {"one_hot: true separator: '|'", "embedding_dim: 8 separator: '|'"}) {
    const double area = TestArea(feature, films.csv);
    EXPECT_NEAR(area, best, 0.02) << feature;
    EXPECT_GT(area, whole + 0.03) << feature << ": a text as one value says less";
  }
  // What a mean makes of the values is not linear in the odds, which the experts have to undo.
  EXPECT_NEAR(TestArea("embedding_dim: 8 separator: '|' pooling: 'mean'", films.csv), best, 0.03);
}

TEST(ValueListsTest, ThreadsAndResumingGiveTheSameBytes) {
  const Films films = MakeFilms(1500);
  for (const std::string feature :
       {"one_hot: true separator: '|'", "embedding_dim: 40 separator: '|' pooling: 'mean' max_values: 3"}) {
    const FunnelRun run = RunOn(feature, films.csv);
    run.MustTrain("one");
    const std::vector<std::string> slices = {"train_config.slice_rows=16"};
    run.MustTrain("slices", {.overrides = slices});
    run.MustTrain("three", {.overrides = slices, .threads = 3});
    EXPECT_TRUE(run.Weights("three") == run.Weights("slices")) << feature;
    EXPECT_TRUE(run.LastOptimizer("three") == run.LastOptimizer("slices")) << feature;
    const auto stopped = run.Train("parts", {.threads = 2, .stop_at_step = 20});
    ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
    run.MustTrain("parts", {.resume = true});
    EXPECT_TRUE(run.Weights("parts") == run.Weights("one")) << feature;
    EXPECT_TRUE(run.LastOptimizer("parts") == run.LastOptimizer("one")) << feature;
  }
}

// Neither the other rows nor the values that fill up a row to the longest list have a part in a prediction.
TEST(ValueListsTest, ARowsPredictionDoesNotDependOnTheOthers) {
  PreparedRun run(RunOn("embedding_dim: 8 separator: '|' pooling: 'mean'", MakeFilms(1500).csv).Load());
  ASSERT_TRUE(run.Steps(20).ok());
  run.stepper->Settle();
  Evaluator evaluator(*run.model, run.pool());
  const std::vector<float> all = evaluator.Predict(run.data.validation).logits[0];
  RowSelection one = run.data.validation;
  for (size_t i = 0; i < 20; ++i) {
    one.rows = {run.data.validation.rows[i]};
    EXPECT_EQ(evaluator.Predict(one).logits[0][0], all[i]) << i;
  }
}

}  // namespace
}  // namespace manygate
