// SPDX-License-Identifier: Apache-2.0
// Tests with XGBoost are skipped where its library is not installed.
#include "manygate/train/gbdt.h"

#include <cmath>

#include "manygate/base/random.h"
#include "manygate/metrics/paired.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Dataset DataOf(const std::string& csv, const std::string& features, const std::string& towers) {
  const FunnelRun run(fmt::format("data_config {{ with_header: true cache_dir: 'off' split {{ validation_fraction: 0.2 "
                                  "test_fraction: 0.2 }} }} {} model_config {{ shared_bottom {{ bottom_mlp {{ "
                                  "hidden_units: 2 }} {} }} }}",
                                  features, towers),
                      csv);
  config::LoadedPipeline loaded = run.Load();
  config::ResolveDefaults(&loaded.pipeline);
  ThreadPool pool(1);
  std::vector<std::string> notes;
  auto data = PrepareTraining(loaded, pool, "", &notes);
  EXPECT_TRUE(data.ok()) << data.status().message();
  return data.ok() ? *data : Dataset();
}

constexpr char kTower[] = "task_towers { label_name: 'y' }";

TEST(GbdtFeaturesTest, OneNumberPerColumnWithMissingAsNaN) {
  const Dataset data = DataOf(
      "id,n,p,y\nred,1.5,0,1\nblue,,1,0\n,2.5,4,1\nred,3.5,2,0\nred,4.5,3,1\nblue,5.5,4,0\nblue,0.5,0,1\nred,0.5,1,0\n"
      "red,1.5,2,1\nblue,2.5,3,0\n",
      "feature_configs { id_feature { feature_name: 'id' embedding_dim: 2 vocab_list: ['red', 'blue'] } } "
      "feature_configs { id_feature { feature_name: 'again' expression: 'id' one_hot: true } } "
      "feature_configs { raw_feature { feature_name: 'bins' expression: 'n' embedding_dim: 2 boundaries: [2] } } "
      "feature_configs { raw_feature { feature_name: 'n' transform { missing_indicator: true } } } "
      "feature_configs { raw_feature { feature_name: 'p' transform { piecewise_linear: 4 } } }",
      kTower);
  const GbdtFeatures features(data.schema);
  ASSERT_EQ(features.width(), 3);  // id, n, p
  const std::vector<uint32_t> rows = {2, 0, 1};
  const std::vector<float> matrix = features.Matrix(*data.train.table, rows);
  ASSERT_EQ(matrix.size(), 9u);
  EXPECT_TRUE(std::isnan(matrix[0]));  // row 2 has no id
  EXPECT_EQ(matrix[1], 2.5f);
  EXPECT_EQ(matrix[3], 0);  // red
  EXPECT_EQ(matrix[4], 1.5f);
  EXPECT_EQ(matrix[6], 1);  // blue
  EXPECT_TRUE(std::isnan(matrix[7]));
  EXPECT_GT(matrix[2], matrix[8]);  // p: 4 above 1 above 0
  EXPECT_GT(matrix[8], matrix[5]);
}

TEST(GbdtFeaturesTest, ListsAsTheirLengthAndTheirFrequentValues) {
  const Dataset data =
      DataOf("tags,n,y\na|b,1,0\nb|b|a,2,1\n,3,0\nb,4,1\na|c,5,0\nb,6,1\nb,7,0\na,8,1\nb,9,0\na,10,1\n",
             "feature_configs { id_feature { feature_name: 'tags' embedding_dim: 2 separator: '|' vocab_list: ['b', "
             "'c', 'a'] } } "
             "feature_configs { raw_feature { feature_name: 'n' } }",
             kTower);
  ASSERT_EQ(data.schema.features(0).num_values(), 3u);
  const GbdtFeatures features(data.schema);
  ASSERT_EQ(features.width(), 5);  // how many; b, a, c by frequency; n
  const std::vector<uint32_t> rows = {1, 2, 4};
  EXPECT_EQ(features.Matrix(*data.train.table, rows),
            (std::vector<float>{3, 1, 1, 0, 2, 1, 0, 0, 0, 3, 2, 0, 1, 1, 5}));
}

TEST(XgboostLibraryTest, AMissingOrForeignLibraryIsNamed) {
  const auto absent = XgboostLibrary::Load("/absent/libxgboost.so");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(absent.status().message(), AllOf(HasSubstr("apt install libxgboost0"), HasSubstr("/absent/libxgboost.so"),
                                               HasSubstr("--with gbdt=/path/to/libxgboost.so")));
  const auto foreign = XgboostLibrary::Load("libc.so.6");
  ASSERT_FALSE(foreign.ok());
  EXPECT_THAT(foreign.status().message(), HasSubstr("libc.so.6: it has no function XG"));
}

class GbdtTest : public testing::Test {
 protected:
  void SetUp() override {
    auto library = XgboostLibrary::Load("");
    if (!library.ok()) GTEST_SKIP() << library.status().message();
    library_ = std::make_unique<XgboostLibrary>(*library);
  }
  // On the test rows, with two seeds.
  GbdtResult Train(const Dataset& data, config::TaskKind kind, int num_class) {
    const std::vector<uint64_t> seeds = {1, 2};
    const auto result = TrainGbdt(*library_, TaskOf(data, kind, num_class), seeds, {});
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : GbdtResult();
  }
  static GbdtTask TaskOf(const Dataset& data, config::TaskKind kind, int num_class) {
    const GbdtFeatures features(data.schema);
    const auto rows_of = [&](const RowSelection& selection) {
      GbdtRows rows{features.Matrix(*selection.table, selection.rows), Labels(selection), {}};
      rows.weights.assign(rows.labels.size(), 1.0f);
      return rows;
    };
    return {.kind = kind,
            .num_class = num_class,
            .train = rows_of(data.train),
            .validation = rows_of(data.validation),
            .holdout = features.Matrix(*data.test.table, data.test.rows)};
  }
  static std::vector<float> Labels(const RowSelection& selection) {
    std::vector<float> labels(selection.rows.size() * selection.table->num_labels());
    selection.table->CopyRows(selection.rows.data(), static_cast<int>(selection.rows.size()), nullptr, nullptr,
                              labels.data(), nullptr);
    return labels;
  }

  std::unique_ptr<XgboostLibrary> library_;
};

// y = (x > 40) for ids a, the opposite for the others: no single column tells.
std::string Crossed(const std::string& positive, const std::string& negative) {
  std::string csv = "id,x,y\n";
  for (int i = 0; i < 2000; ++i) {
    const int x = i * 37 % 100;
    csv += fmt::format("{},{},{}\n", i % 2 == 0 ? "a" : "b", x, (x > 40) == (i % 2 == 0) ? positive : negative);
  }
  return csv;
}
constexpr char kIdAndNumber[] =
    "feature_configs { id_feature { feature_name: 'id' one_hot: true } } "
    "feature_configs { raw_feature { feature_name: 'x' } }";

TEST_F(GbdtTest, SeparatesWhatCanBeSeparated) {
  const Dataset data = DataOf(Crossed("1", "0"), kIdAndNumber, kTower);
  const GbdtResult result = Train(data, config::TaskKind::kBinary, 1);
  ASSERT_EQ(result.predictions.size(), 2u);
  const std::vector<float> labels = Labels(data.test), weights(labels.size(), 1.0f);
  for (const auto& predictions : result.predictions) {
    ASSERT_EQ(predictions.size(), labels.size());
    EXPECT_EQ(AucOf(labels, weights, predictions), 1.0);
    for (const float p : predictions) EXPECT_TRUE(p >= 0 && p <= 1) << p;
  }
  EXPECT_THAT(result.setting, AllOf(HasSubstr("depth "), HasSubstr(" rounds")));
}

// The same, around `positive` or `negative`: up to one more or less, so that early stopping has something to stop at.
std::string CrossedNumbers(int positive, int negative) {
  std::string csv = "id,x,y\n";
  for (int i = 0; i < 1000; ++i) {
    const int x = i * 37 % 100;
    const int noise = static_cast<int>(Philox(5, 0).Block(i)[0] % 3) - 1;
    csv +=
        fmt::format("{},{},{}\n", i % 2 == 0 ? "a" : "b", x, ((x > 40) == (i % 2 == 0) ? positive : negative) + noise);
  }
  return csv;
}

TEST_F(GbdtTest, NumbersAndCounts) {
  const auto expect_near = [&](const Dataset& data, config::TaskKind kind) {
    const std::vector<float> predictions = Train(data, kind, 1).predictions.at(0), labels = Labels(data.test);
    ASSERT_EQ(predictions.size(), labels.size());
    for (size_t i = 0; i < labels.size(); ++i) ASSERT_NEAR(predictions[i], labels[i], 2);
  };
  expect_near(DataOf(CrossedNumbers(40, -30), kIdAndNumber, "task_towers { label_name: 'y' losses { l2_loss {} } }"),
              config::TaskKind::kRegression);
  expect_near(DataOf(CrossedNumbers(15, 2), kIdAndNumber, "task_towers { label_name: 'y' losses { poisson_loss {} } }"),
              config::TaskKind::kCount);
}

// Every tenth label is another one than its column says: the others must be found all the same.
TEST_F(GbdtTest, Classes) {
  std::string csv = "x,y\n";
  for (int i = 0; i < 1000; ++i) {
    const int x = i * 37 % 90;
    csv += fmt::format("{},{}\n", x, (x / 30 + (Philox(6, 0).Block(i)[0] % 10 == 0 ? 1 : 0)) % 3);
  }
  const Dataset data = DataOf(csv, "feature_configs { raw_feature { feature_name: 'x' } }",
                              "task_towers { label_name: 'y' num_class: 3 losses { softmax_cross_entropy {} } }");
  const std::vector<float> predictions = Train(data, config::TaskKind::kClasses, 3).predictions.at(1);
  const std::vector<float> labels = Labels(data.test);
  ASSERT_EQ(predictions.size(), 3 * labels.size());
  double right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const float* p = predictions.data() + 3 * i;
    ASSERT_NEAR(p[0] + p[1] + p[2], 1, 1e-5);
    right += p[static_cast<int>(labels[i])] > 0.5f;
  }
  EXPECT_GT(right / static_cast<double>(labels.size()), 0.8);
}

TEST_F(GbdtTest, AStopEndsIt) {
  const Dataset data = DataOf(Crossed("1", "0"), kIdAndNumber, kTower);
  const std::atomic<bool> stop = true;
  const std::vector<uint64_t> seeds = {1};
  const auto result = TrainGbdt(*library_, TaskOf(data, config::TaskKind::kBinary, 1), seeds, {.stop = &stop});
  EXPECT_EQ(result.status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace manygate
