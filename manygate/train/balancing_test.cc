// SPDX-License-Identifier: Apache-2.0
// Balancing inside training: that the tasks' gradients are what they should be, and that a balanced run repeats itself.
#include <algorithm>
#include <cmath>

#include "manygate/train/task_gradients.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using Values = std::map<std::string, std::vector<float>>;

// The rows that FunnelRun generates, as text.
std::string FunnelRows() {
  static const std::string* const rows = [] {
    const FunnelRun run(Recipe::kMmoe);
    return new std::string(FileContent(run.DataPath()));
  }();
  return *rows;
}

using testing::Contains;
using testing::Each;
using testing::StartsWith;

constexpr const char* kMethods[] = {"uncertainty {}", "dwa {}",     "gradnorm {}", "metabalance {}", "pcgrad {}",
                                    "cagrad {}",      "famo {}",    "db_mtl {}",   "pareto {}"};
// CAGrad with c = 0 is the plain sum, by way of a pass per task.
constexpr char kPlainSum[] = "cagrad { c: 0 }";

// The recipe with a method; "": without.
FunnelRun BalancedRun(Recipe recipe, const std::string& method, const std::string& train = "") {
  const std::string balancing = method.empty() ? "" : fmt::format(" balancing {{ {} }}", method);
  return FunnelRun(PipelineText((train.empty() ? TrainText(recipe) : train) + balancing, ModelText(recipe), kFunnelText),
                   FunnelRows());
}

double LargestDifference(const Values& a, const Values& b) {
  double largest = 0;
  for (const auto& [name, values] : a)
    for (size_t i = 0; i < values.size(); ++i)
      largest = std::max<double>(largest, std::abs(values[i] - b.at(name)[i]));
  return largest;
}

constexpr char kSgd[] = "dense_optimizer { sgd_optimizer { lr: 0.05 } }";

// One step of plain descent moves the weights by the gradient times the rate: what any difference of two runs shows.
TEST(BalancingTest, TaskGradientsAddUpToTheGradientOfTheSum) {
  for (const Recipe recipe : kAllRecipes) {
    const FunnelRun plain_run = BalancedRun(recipe, "", kSgd), summed_run = BalancedRun(recipe, kPlainSum, kSgd);
    PreparedRun plain(plain_run.Load()), summed(summed_run.Load());
    const Values start = plain.Parameters();
    ASSERT_TRUE(plain.Steps(3).ok());
    ASSERT_TRUE(summed.Steps(3).ok());
    const Values after = plain.Parameters();
    EXPECT_GT(LargestDifference(start, after), 1e-3) << NameOf(recipe);
    EXPECT_LT(LargestDifference(after, summed.Parameters()), 2e-6) << NameOf(recipe);
    const auto losses = plain.stepper->TakeLosses(), of_passes = summed.stepper->TakeLosses();
    ASSERT_EQ(losses.size(), of_passes.size());
    for (size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i].second, of_passes[i].second, 1e-5) << losses[i].first;
  }
}

// The second and third pass over a batch must not move the running statistics again.
TEST(BalancingTest, RunningStatisticsCountABatchOnce) {
  const FunnelRun plain_run = BalancedRun(Recipe::kBatchNorm, "", kSgd);
  const FunnelRun summed_run = BalancedRun(Recipe::kBatchNorm, kPlainSum, kSgd);
  PreparedRun plain(plain_run.Load()), summed(summed_run.Load());
  ASSERT_TRUE(plain.Steps(1).ok());
  ASSERT_TRUE(summed.Steps(1).ok());
  const Values a = plain.Parameters(), b = summed.Parameters();
  EXPECT_EQ(a.at("experts.layers.0.norm.running_mean"), b.at("experts.layers.0.norm.running_mean"));
  EXPECT_EQ(a.at("experts.layers.0.norm.running_var"), b.at("experts.layers.0.norm.running_var"));
}

TEST(BalancingTest, SharedAreTheParametersThatTwoTasksLearn) {
  const FunnelRun run(Recipe::kMmoe);
  PreparedRun prepared(run.Load());
  const TaskGradients gradients(*prepared.model);
  EXPECT_THAT(gradients.shared_names(), Contains("experts.layers.0.weight"));
  EXPECT_THAT(gradients.shared_names(), Contains("experts.layers.1.bias"));
  EXPECT_THAT(gradients.shared_names(), Contains("embeddings.user_id.weight"));
  EXPECT_THAT(gradients.shared_names(), Each(testing::Not(StartsWith("gates."))));
  EXPECT_THAT(gradients.shared_names(), Each(testing::Not(StartsWith("towers."))));
}

// Without embeddings, networks of their own share nothing; then nothing is measured, and a method leaves the sum alone.
TEST(BalancingTest, NothingSharedNothingBalanced) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(60));
  const FunnelRun balanced(TwoTaskText("dense_optimizer { sgd_optimizer { lr: 0.1 } } balancing { pcgrad {} }"),
                           TwoTaskRows(60));
  PreparedRun a(run.Load()), b(balanced.Load());
  EXPECT_EQ(TaskGradients(*a.model).shared_parameters(), 0);
  ASSERT_TRUE(a.Steps(4).ok());
  ASSERT_TRUE(b.Steps(4).ok());
  EXPECT_LT(LargestDifference(a.Parameters(), b.Parameters()), 1e-6);
}

// A linear bottom w of one number and two linear towers, by hand: with p_k = sigmoid(v_k h + c_k) and h = w x + b,
// g_k = Σ_rows (p_k − y_k) v_k x / rows is task k's gradient of w, and the same without x that of b.
TEST(BalancingTest, ProductsByHand) {
  const std::string text = PipelineText(
      kSgd,
      R"(shared_bottom { bottom_mlp { hidden_units: 1 activation: "none" } task_towers { label_name: "y" }
           task_towers { label_name: "z" weight: 2 } })",
      R"(feature_configs { raw_feature { feature_name: "x" } }
         data_config { batch_size: 4 with_header: true cache_dir: "off" shuffle: false
           split { validation_fraction: 0 } })");
  const FunnelRun run(text, "x,y,z\n1,1,0\n-2,0,0\n3,1,1\n0.5,0,\n");
  PreparedRun prepared(run.Load());
  const Values at = prepared.Parameters();
  const double w = at.at("bottom.layers.0.weight")[0], b = at.at("bottom.layers.0.bias")[0];
  const double x[] = {1, -2, 3, 0.5};
  const auto gradient = [&](const std::string& task, std::vector<double> labels, double weight) {
    const double v = at.at("towers." + task + ".output.weight")[0], c = at.at("towers." + task + ".output.bias")[0];
    std::pair<double, double> g = {0, 0};  // of w and b
    for (size_t i = 0; i < labels.size(); ++i) {
      const double d = weight * (1 / (1 + std::exp(-(v * (w * x[i] + b) + c))) - labels[i]) / labels.size();
      g.first += d * v * x[i];
      g.second += d * v;
    }
    return g;
  };
  const auto y = gradient("y", {1, 0, 1, 0}, 1), z = gradient("z", {0, 0, 1}, 2);
  const GradientProducts products =
      prepared.stepper->MeasureProducts(*prepared.data.train.table, prepared.data.train.rows.data(), 4);
  ASSERT_EQ(products.parameters(), 2);
  const double yy = y.first * y.first + y.second * y.second, zz = z.first * z.first + z.second * z.second;
  const double yz = y.first * z.first + y.second * z.second;
  EXPECT_NEAR(products.Total(0, 0), yy, 1e-6 * yy);
  EXPECT_NEAR(products.Total(1, 1), zz, 1e-6 * zz);
  EXPECT_NEAR(products.Total(0, 1), yz, 1e-6 * std::abs(yz));
  EXPECT_NEAR(products.Cosine(1, 0), yz / std::sqrt(yy * zz), 1e-6);
  EXPECT_EQ(prepared.Parameters(), at) << "measuring changes nothing";
}

TEST(BalancingTest, MeasuringLeavesTheRunAsItIs) {
  for (const Recipe recipe : kAllRecipes) {
    const FunnelRun run(recipe);
    PreparedRun plain(run.Load()), measured(run.Load());
    for (int part = 0; part < 3; ++part) {
      ASSERT_TRUE(plain.Steps(5).ok());
      ASSERT_TRUE(measured.Steps(5).ok());
      plain.stepper->Settle();
      measured.stepper->Settle();
      const GradientProducts products =
          measured.stepper->MeasureProducts(*measured.data.train.table, measured.data.train.rows.data() + 100 * part, 32);
      EXPECT_GT(products.Total(0, 0), 0.0);
      EXPECT_LE(std::abs(products.Cosine(0, 1)), 1.0);
    }
    EXPECT_EQ(plain.Parameters(), measured.Parameters()) << NameOf(recipe);
  }
}

TEST(BalancingTest, EveryMethodRepeatsItselfForAnyThreadsAndAfterResume) {
  for (const char* method : kMethods) {
    const FunnelRun run = BalancedRun(Recipe::kMmoe, method);
    const TrainResult whole = run.MustTrain("whole");
    EXPECT_TRUE(std::isfinite(whole.test.loss)) << method;
    run.MustTrain("threads", {.threads = 3});
    EXPECT_TRUE(run.Weights("whole") == run.Weights("threads")) << method;
    const auto stopped = run.Train("resumed", {.stop_at_step = 20});
    ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << method;
    run.MustTrain("resumed", {.resume = true});
    EXPECT_TRUE(run.Weights("whole") == run.Weights("resumed")) << method;
    EXPECT_TRUE(run.LastOptimizer("whole") == run.LastOptimizer("resumed")) << method;
  }
}

TEST(BalancingTest, EveryMethodChangesTheRun) {
  const RunChoice three_epochs = {.overrides = {"train_config.num_epochs=3"}};  // DWA's weights start in the third
  std::map<std::string, std::string> seen;  // weights -> method
  const FunnelRun plain = BalancedRun(Recipe::kMmoe, "");
  plain.MustTrain("a", three_epochs);
  seen[plain.Weights("a")] = "the plain sum";
  for (const char* method : kMethods) {
    const FunnelRun run = BalancedRun(Recipe::kMmoe, method);
    run.MustTrain("a", three_epochs);
    const auto [other, is_new] = seen.emplace(run.Weights("a"), method);
    EXPECT_TRUE(is_new) << method << " trains the same weights as " << other->second;
  }
}

TEST(BalancingTest, EveryMethodLearns) {
  const std::string model = R"(shared_bottom { bottom_mlp { hidden_units: 8 } task_towers { label_name: "a" }
                                 task_towers { label_name: "b" } })";
  const std::string data = R"(feature_configs { id_feature { feature_name: "id" num_buckets: 10 one_hot: true } }
                              feature_configs { raw_feature { feature_name: "x" } }
                              data_config { batch_size: 20 with_header: true cache_dir: "off" shuffle: false
                                split { validation_fraction: 0 } })";
  for (const char* method : kMethods) {
    const std::string train = fmt::format("dense_optimizer {{ adam_optimizer {{ lr: 0.02 }} }} balancing {{ {} }}", method);
    const FunnelRun run(PipelineText(train, model, data), TwoTaskRows(100));
    PreparedRun prepared(run.Load(), 1, {.steps_per_epoch = 5, .total_steps = 300});
    ASSERT_TRUE(prepared.Steps(5).ok());
    const double first = prepared.stepper->TakeLosses()[0].second;
    ASSERT_TRUE(prepared.Steps(290).ok());
    prepared.stepper->TakeLosses();
    ASSERT_TRUE(prepared.Steps(5).ok());
    EXPECT_LT(prepared.stepper->TakeLosses()[0].second, first / 2) << method;
  }
}

// The labels of task b are missing in whole batches.
TEST(BalancingTest, BatchesWithoutATaskDoNotStopAMethod) {
  for (const char* method : kMethods) {
    const FunnelRun run(TwoTaskText(fmt::format("dense_optimizer {{ sgd_optimizer {{ lr: 0.1 }} }} balancing {{ {} }}",
                                                method)),
                        TwoTaskRows(60, [](int row, auto& fields) {
                          if (row < 40) fields[4] = "";
                        }));
    PreparedRun prepared(run.Load({"data_config.split.validation_fraction=0"}));
    ASSERT_TRUE(prepared.Steps(8).ok()) << method;
    for (const auto& [name, values] : prepared.Parameters())
      for (const float value : values) ASSERT_TRUE(std::isfinite(value)) << method << " " << name;
    EXPECT_GT(prepared.stepper->TakeLosses()[1].second, 0.0) << method;
  }
}

}  // namespace
}  // namespace manygate
