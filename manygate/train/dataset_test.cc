// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/dataset.h"

#include <numeric>
#include <set>

#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Opened {
  config::LoadedPipeline loaded;
  StatusOr<Dataset> data;
};

Opened Open(const FunnelRun& run, const std::vector<std::string>& overrides = {}) {
  ThreadPool pool(1);
  std::vector<std::string> notes;
  config::LoadedPipeline loaded = run.Load(overrides);
  config::ResolveDefaults(&loaded.pipeline);
  auto data = PrepareTraining(loaded, pool, "", &notes);
  return {std::move(loaded), std::move(data)};
}

TEST(DatasetTest, SplitsSharesOfTheTrainingFile) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const Opened opened = Open(run, {"data_config.split.test_fraction=0.3"});
  ASSERT_TRUE(opened.data.ok()) << opened.data.status().message();
  const Dataset& data = *opened.data;
  EXPECT_EQ(data.train.rows.size(), 50u);
  EXPECT_EQ(data.validation.rows.size(), 20u);
  EXPECT_EQ(data.test.rows.size(), 30u);
  std::set<uint32_t> all;
  for (const RowSelection* part : {&data.train, &data.validation, &data.test}) {
    EXPECT_EQ(part->table->rows(), 100);
    all.insert(part->rows.begin(), part->rows.end());
  }
  EXPECT_EQ(all.size(), 100u) << "no row is in two parts";
  EXPECT_EQ(data.schema.training_rows(), 50u) << "features are fitted on training rows only";
}

TEST(DatasetTest, SeedOfTheSplitChoosesTheRows) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const auto rows = [&](const char* seed) { return Open(run, {seed}).data->validation.rows; };
  EXPECT_EQ(rows("data_config.split.seed=5"), rows("data_config.split.seed=5"));
  EXPECT_NE(rows("data_config.split.seed=5"), rows("data_config.split.seed=6"));
}

TEST(DatasetTest, SeparateFileValidates) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const std::string other = run.folder().Write("eval.csv", TwoTaskRows(40));
  const Opened opened = Open(run, {"eval_input_path=" + other});
  ASSERT_TRUE(opened.data.ok()) << opened.data.status().message();
  EXPECT_EQ(opened.data->train.rows.size(), 100u);
  EXPECT_EQ(opened.data->validation.table->rows(), 40);
  std::vector<uint32_t> all(40);
  std::iota(all.begin(), all.end(), 0u);
  EXPECT_EQ(opened.data->validation.rows, all);
  EXPECT_TRUE(opened.data->test.rows.empty());
}

// numpy.random.RandomState(1).permutation(10) is 2 9 6 4 0 | 3 1 7 8 5; each half in the order of the file.
TEST(DatasetTest, HalvesOfASeparateFile) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const std::string other = run.folder().Write("eval.csv", TwoTaskRows(10));
  const Opened opened = Open(run, {"eval_input_path=" + other, "data_config.split={ eval_halves: true seed: 1 }"});
  ASSERT_TRUE(opened.data.ok()) << opened.data.status().message();
  EXPECT_THAT(opened.data->validation.rows, ElementsAre(0, 2, 4, 6, 9));
  EXPECT_THAT(opened.data->test.rows, ElementsAre(1, 3, 5, 7, 8));
}

TEST(DatasetTest, SeparateFileTests) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const std::string other = run.folder().Write("eval.csv", TwoTaskRows(40));
  const Opened opened = Open(run, {"eval_input_path=" + other, "data_config.split.eval_is_test=true"});
  ASSERT_TRUE(opened.data.ok()) << opened.data.status().message();
  const Opened plain = Open(run);
  const Dataset& data = *opened.data;
  EXPECT_EQ(data.train.rows.size(), 80u);
  EXPECT_EQ(data.train.rows, plain.data->train.rows) << "the training file is split as if there were no other";
  EXPECT_EQ(data.validation.rows, plain.data->validation.rows);
  EXPECT_EQ(data.validation.table->rows(), 100);
  EXPECT_EQ(data.test.table->rows(), 40);
  std::vector<uint32_t> all(40);
  std::iota(all.begin(), all.end(), 0u);
  EXPECT_EQ(data.test.rows, all);
  EXPECT_EQ(data.schema.training_rows(), 80u);
}

TEST(DatasetTest, HoldOutIsTheSameLater) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const std::string other = run.folder().Write("eval.csv", TwoTaskRows(41));
  const std::vector<std::vector<std::string>> choices = {
      {"data_config.split.test_fraction=0.25"},
      {"eval_input_path=" + other},
      {"eval_input_path=" + other, "data_config.split={ eval_halves: true seed: 3 }"},
      {"eval_input_path=" + other, "data_config.split={ eval_is_test: true validation_fraction: 0.3 }"},
      {"data_config.split.test_fraction=0.25", "eval_config.num_steps=2", "data_config.eval_batch_size=5"},
  };
  for (const auto& choice : choices) {
    const Opened opened = Open(run, choice);
    ASSERT_TRUE(opened.data.ok()) << opened.data.status().message();
    ThreadPool pool(1);
    std::vector<std::string> notes;
    const auto later = PrepareHoldOut(opened.loaded.pipeline, opened.data->schema, pool, "", &notes);
    ASSERT_TRUE(later.ok()) << later.status().message();
    EXPECT_EQ(later->validation.rows, opened.data->validation.rows);
    EXPECT_EQ(later->test.rows, opened.data->test.rows);
    EXPECT_EQ(later->validation.table->rows(), opened.data->validation.table->rows());
    EXPECT_EQ(later->test.table->rows(), opened.data->test.table->rows());
    EXPECT_TRUE(later->train.rows.empty());
    EXPECT_EQ(later->validation.rows.size(), choice.size() == 4 ? 10u : opened.data->validation.rows.size());
  }
}

TEST(DatasetTest, OtherRowsWithAndWithoutLabels) {
  const FunnelRun run(TwoTaskText(), TwoTaskRows(100));
  const Opened opened = Open(run);
  const std::string unlabelled = run.folder().Write("new.csv", "x,id\n0.5,3\n1,4\n");
  ThreadPool pool(1);
  std::vector<std::string> notes;
  const auto rows = PrepareRows(opened.loaded.pipeline, opened.data->schema, unlabelled, false, pool, "", &notes);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_THAT(rows->rows, ElementsAre(0, 1));
  EXPECT_EQ(rows->table->num_labels(), 0);
  const auto wanted = PrepareRows(opened.loaded.pipeline, opened.data->schema, unlabelled, true, pool, "", &notes);
  EXPECT_EQ(wanted.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(wanted.status().message(), HasSubstr("\"a\""));
}

TEST(DatasetTest, CacheStandsBesideTheModel) {
  config::Pipeline pipeline;
  EXPECT_EQ(CacheDirectory(pipeline, "out/mmoe"), "out/.manygate_cache");
  EXPECT_EQ(CacheDirectory(pipeline, "mmoe"), "./.manygate_cache");
  pipeline.mutable_data_config()->set_cache_dir("/fast/cache");
  EXPECT_EQ(CacheDirectory(pipeline, "out/mmoe"), "/fast/cache");
  pipeline.mutable_data_config()->set_cache_dir("off");
  EXPECT_EQ(CacheDirectory(pipeline, "out/mmoe"), "");
}

TEST(DatasetTest, TooFewRows) {
  const FunnelRun nothing(TwoTaskText(), TwoTaskRows(0));
  EXPECT_THAT(Open(nothing).data.status().message(), HasSubstr("rows.csv: has no rows"));
  const FunnelRun one(TwoTaskText(), TwoTaskRows(1));
  const Status status = Open(one).data.status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), HasSubstr("1 rows are too few to hold out 0.2 for validation"));
}

}  // namespace
}  // namespace manygate
