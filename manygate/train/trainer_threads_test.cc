// SPDX-License-Identifier: Apache-2.0
// The number of threads changes the time and not a byte.
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

class TrainerThreadsTest : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, TrainerThreadsTest, testing::ValuesIn(kAllRecipes),
                         [](const auto& info) { return NameOf(info.param); });

void ExpectSameBytes(const FunnelRun& run, const std::vector<std::string>& overrides) {
  const TrainResult one = run.MustTrain("threads-1", {.overrides = overrides, .threads = 1});
  ASSERT_GT(one.steps, 1);
  for (const int threads : {2, 4}) {
    const std::string name = fmt::format("threads-{}", threads);
    const TrainResult result = run.MustTrain(name, {.overrides = overrides, .threads = threads});
    EXPECT_EQ(result.steps, one.steps);
    EXPECT_TRUE(run.Weights(name) == run.Weights("threads-1")) << threads << " threads";
    EXPECT_TRUE(run.LastOptimizer(name) == run.LastOptimizer("threads-1")) << threads << " threads";
    EXPECT_EQ(ToJson(result.validation), ToJson(one.validation));
    EXPECT_EQ(ToJson(result.test), ToJson(one.test));
  }
}

TEST_P(TrainerThreadsTest, SmallBatches) { ExpectSameBytes(FunnelRun(GetParam()), {}); }

// Several slices a batch, and tables and arrays large enough to be shared out among the threads.
TEST_P(TrainerThreadsTest, LargeBatchesOfManySlices) {
  const FunnelRun run(GetParam(), 12000);
  ExpectSameBytes(run, {"data_config.batch_size=1000", "train_config.slice_rows=64",
                        "feature_configs[0].id_feature.embedding_dim=40"});
}

// Otherwise equal bytes would tell nothing.
TEST_P(TrainerThreadsTest, AnotherSeedGivesOtherBytes) {
  const FunnelRun run(GetParam());
  run.MustTrain("seed-7");
  run.MustTrain("seed-8", {.overrides = {"train_config.seed=8"}});
  run.MustTrain("seed-7-again");
  EXPECT_FALSE(run.Weights("seed-8") == run.Weights("seed-7"));
  EXPECT_TRUE(run.Weights("seed-7-again") == run.Weights("seed-7"));
}

TEST(TrainerSlicesTest, MoreThreadsThanSlicesAreFine) {
  const FunnelRun run(Recipe::kMmoe, 300);
  run.MustTrain("one");
  run.MustTrain("sixteen", {.threads = 16});
  EXPECT_TRUE(run.Weights("sixteen") == run.Weights("one"));
}

}  // namespace
}  // namespace manygate
