// SPDX-License-Identifier: Apache-2.0
// A run whose rows are streamed sees the rows of a run in memory.
#include "manygate/train/training_batches.h"

#include <set>

#include "manygate/train/evaluation.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::HasSubstr;

constexpr int64_t kRows = 60000;
constexpr char kStreamed[] = "data_config.memory_limit_mb=1";

// 42,000 training rows of 64 bytes; a window of 1 MiB holds less than a third of them.
class TrainingBatchesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { run_ = new FunnelRun(Recipe::kMmoe, kRows); }
  static void TearDownTestSuite() { delete run_; }

  static Dataset Prepare(const std::vector<std::string>& overrides, std::vector<std::string>* notes = nullptr) {
    ThreadPool pool(2);
    config::LoadedPipeline loaded = Loaded(overrides);
    auto data = PrepareTraining(loaded, pool, "", notes);
    EXPECT_TRUE(data.ok()) << data.status().message();
    return data.ok() ? std::move(*data) : Dataset();
  }
  static config::LoadedPipeline Loaded(const std::vector<std::string>& overrides) {
    config::LoadedPipeline loaded = run_->Load(overrides);
    config::ResolveDefaults(&loaded.pipeline);
    return loaded;
  }

  static FunnelRun* run_;
};

FunnelRun* TrainingBatchesTest::run_ = nullptr;

std::string Record(const features::EncodedTable& table, uint32_t row) {
  return {reinterpret_cast<const char*>(table.record(row)), table.layout().record_bytes};
}

std::vector<std::string> Records(const RowSelection& selection) {
  std::vector<std::string> records;
  for (const uint32_t row : selection.rows) records.push_back(Record(*selection.table, row));
  return records;
}

// The records of batches first_batch, ... of an epoch, in order.
std::vector<std::string> Epoch(TrainingBatches& batches, int64_t batch_size, int64_t epoch, int64_t first_batch = 0) {
  std::vector<std::string> records;
  for (int64_t first = first_batch * batch_size; first < batches.rows(); first += batch_size) {
    const int64_t n = std::min(batch_size, batches.rows() - first);
    const TrainingBatches::Batch batch = batches.Take(epoch, first, n);
    for (int64_t i = 0; i < n; ++i) records.push_back(Record(*batch.table, batch.rows[i]));
  }
  return records;
}

TEST_F(TrainingBatchesTest, StreamedEpochHasEveryTrainingRowOnceInAnOrderOfItsOwn) {
  const Dataset whole = Prepare({}), streamed = Prepare({kStreamed});
  ASSERT_EQ(whole.stream, nullptr);
  ASSERT_NE(streamed.stream, nullptr);
  EXPECT_EQ(streamed.train.table, nullptr);
  const config::LoadedPipeline loaded = Loaded({kStreamed});
  ThreadPool one(1), three(3);
  TrainingBatches batches(streamed, loaded.pipeline, one), again(streamed, loaded.pipeline, three);
  EXPECT_EQ(batches.block_rows() % 32, 0);
  EXPECT_GE(batches.window_blocks(), 12);
  EXPECT_LT(batches.window_blocks() * batches.block_rows(), batches.rows()) << "several windows";
  const std::vector<std::string> first = Epoch(batches, 32, 0), second = Epoch(batches, 32, 1);
  EXPECT_EQ(first, Epoch(again, 32, 0)) << "threads make no difference";
  EXPECT_NE(first, second);
  std::vector<std::string> expected = Records(whole.train), sorted = first, sorted_second = second;
  for (auto* records : {&expected, &sorted, &sorted_second}) std::sort(records->begin(), records->end());
  EXPECT_EQ(sorted, expected);
  EXPECT_EQ(sorted_second, expected);
}

TEST_F(TrainingBatchesTest, StartsAtAnyBatch) {
  const Dataset streamed = Prepare({kStreamed});
  const config::LoadedPipeline loaded = Loaded({kStreamed});
  ThreadPool pool(2);
  TrainingBatches batches(streamed, loaded.pipeline, pool);
  const std::vector<std::string> whole = Epoch(batches, 32, 3);
  for (const int64_t start : {1, 700, 1311}) {
    TrainingBatches later(streamed, loaded.pipeline, pool);
    const std::vector<std::string> rest = Epoch(later, 32, 3, start);
    ASSERT_EQ(rest.size(), whole.size() - start * 32);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + start * 32)) << start;
  }
}

// Neighbours of the files must not stay neighbours: block shuffle alone would leave runs of the file's order.
TEST_F(TrainingBatchesTest, ABatchMixesRowsOfTheWholeWindow) {
  const Dataset streamed = Prepare({kStreamed});
  const config::LoadedPipeline loaded = Loaded({kStreamed});
  ThreadPool pool(1);
  TrainingBatches batches(streamed, loaded.pipeline, pool);
  const TrainingBatches::Batch batch = batches.Take(0, 0, 32);
  std::set<uint32_t> blocks;
  for (int i = 0; i < 32; ++i) blocks.insert(batch.rows[i] / static_cast<uint32_t>(batches.block_rows()));
  EXPECT_GT(blocks.size(), 10u);
}

TEST_F(TrainingBatchesTest, HeldOutRowsAreThoseOfARunInMemory) {
  std::vector<std::string> notes;
  const Dataset whole = Prepare({}), streamed = Prepare({kStreamed}, &notes);
  EXPECT_EQ(Records(streamed.validation), Records(whole.validation));
  EXPECT_EQ(Records(streamed.test), Records(whole.test));
  EXPECT_EQ(streamed.validation.FileRows(), whole.validation.rows);
  EXPECT_EQ(streamed.train.rows, whole.train.rows);
  ASSERT_FALSE(notes.empty());
  EXPECT_THAT(notes.back(), HasSubstr("more than data_config.memory_limit_mb (1 MiB)"));
  const std::vector<std::string> all = Records(whole.train);
  const std::multiset<std::string> known(all.begin(), all.end());
  EXPECT_GT(streamed.sample.rows.size(), 20000u);
  for (const std::string& record : Records(streamed.sample)) ASSERT_TRUE(known.contains(record));
}

TEST_F(TrainingBatchesTest, WithoutShufflingTheBytesOfARunInMemory) {
  const std::vector<std::string> choice = {"data_config.shuffle=false", "data_config.batch_size=256",
                                           "train_config.num_epochs=1"};
  std::vector<std::string> streamed = choice;
  streamed.push_back(kStreamed);
  run_->MustTrain("whole", {.overrides = choice});
  run_->MustTrain("streamed", {.overrides = streamed, .threads = 2});
  EXPECT_TRUE(run_->Weights("whole") == run_->Weights("streamed"));
}

TEST_F(TrainingBatchesTest, ResumedRunHasTheBytesOfOneThatWasNotStopped) {
  const std::vector<std::string> choice = {kStreamed, "data_config.batch_size=256", "train_config.num_epochs=2"};
  const TrainResult whole = run_->MustTrain("uncut", {.overrides = choice});
  EXPECT_EQ(whole.steps, 330);
  bool resume = false;
  for (const int64_t step : {20, 170}) {
    const auto stopped =
        run_->Train("cut", {.overrides = choice, .threads = 3, .resume = resume, .stop_at_step = step});
    ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
    resume = true;
  }
  run_->MustTrain("cut", {.overrides = choice, .threads = 2, .resume = true});
  EXPECT_TRUE(run_->Weights("cut") == run_->Weights("uncut"));
  EXPECT_TRUE(run_->LastOptimizer("cut") == run_->LastOptimizer("uncut"));
}

TEST_F(TrainingBatchesTest, LearnsAsWellAsInMemory) {
  const std::vector<std::string> choice = {"data_config.batch_size=256", "train_config.num_epochs=2"};
  std::vector<std::string> streamed = choice;
  streamed.push_back(kStreamed);
  const double in_memory = run_->MustTrain("a", {.overrides = choice}).test.Find("auc_click");
  const double from_blocks = run_->MustTrain("b", {.overrides = streamed}).test.Find("auc_click");
  EXPECT_GT(in_memory, 0.6);
  EXPECT_NEAR(from_blocks, in_memory, 0.01);
}

}  // namespace
}  // namespace manygate
