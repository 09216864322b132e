// SPDX-License-Identifier: Apache-2.0
// The example configuration on the real Census-Income files: widths and label counts as the data set's notes have them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "manygate/data/source.h"
#include "manygate/features/describe.h"
#include "manygate/features/encode.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

// Path of a file of the real data sets ($MANYGATE_DATA, or ../shared/data beside the repository); "" when absent.
std::string RealDataFile(const std::string& name) {
  const char* folder = std::getenv("MANYGATE_DATA");
  const std::string source_dir = MANYGATE_SOURCE_DIR;
  const std::string path = (folder != nullptr ? std::string(folder) : source_dir + "/../shared/data") + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

TEST(Census, WidthsAndLabelsOfTheExample) {
  const std::string train = RealDataFile("census-income/census-income.data.noweight.gz");
  const std::string test = RealDataFile("census-income/census-income.test.gz");
  if (train.empty() || test.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  const auto loaded = config::LoadPipeline(std::string(MANYGATE_SOURCE_DIR) + "/examples/census_income/mmoe.config");
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  const config::DataConfig& data_config = loaded->pipeline.data_config();
  const std::vector<ColumnRequest> requests = RequiredColumns(loaded->pipeline);
  EXPECT_EQ(requests.size(), 41u);  // 29 + 10 features, 2 labels
  ThreadPool pool(2);
  const auto table = ReadTable(train, data_config, requests, pool, "off", nullptr);
  ASSERT_TRUE(table.ok()) << table.status().message();
  std::vector<std::string> notes;
  const auto schema = FitFeatures(*loaded, *table, FirstRows(table->rows), &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(notes, ::testing::IsEmpty());

  // The published 488 inputs count "?" as a value of eight columns; here it is the missing bucket, which every column has.
  EXPECT_EQ(schema->num_id_slots(), 29u);
  EXPECT_EQ(schema->number_width(), 10u);
  int values = 0;
  uint64_t inputs = 0;
  for (const FeatureSchema& feature : schema->features()) {
    values += feature.value_size();
    inputs += feature.vocabulary_size();
  }
  EXPECT_EQ(values, 488 - 8);
  EXPECT_EQ(inputs, 480u + 2 * 29);
  EXPECT_EQ(schema->labels(0).rows(), 199523u);
  EXPECT_EQ(schema->labels(0).positives(), 12382u);
  EXPECT_EQ(schema->labels(1).positives(), 86485u);

  const auto held_out = ReadTable(test, data_config, requests, pool, "off", nullptr);
  ASSERT_TRUE(held_out.ok()) << held_out.status().message();
  const auto encoded = Encode(*schema, *held_out, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(encoded->rows(), 99762);
  EXPECT_EQ(encoded->layout().record_bytes, 128u);
  double income = 0, marital = 0;
  std::vector<int32_t> ids(29);
  std::vector<float> labels(2);
  int64_t unknown = 0;
  for (uint32_t row = 0; row < encoded->rows(); ++row) {
    encoded->CopyRows(&row, 1, ids.data(), nullptr, labels.data(), nullptr);
    income += labels[0];
    marital += labels[1];
    for (int i = 0; i < 29; ++i) unknown += ids[i] == static_cast<int64_t>(schema->features(i).vocabulary_size()) - 2;
  }
  EXPECT_EQ(income, 6186);
  EXPECT_EQ(marital, 43143);
  EXPECT_EQ(unknown, 0);  // the test file has no nominal value that the training file lacks
  EXPECT_THAT(DescribeSchema(*schema), ::testing::HasSubstr("29 id columns (538 one-hot inputs), 10 numbers"));
}

// The seven numeric columns of the published recipe, cut at 512 bins: as many edges as in its description.
TEST(Census, QuantileEdgesOfTheRecipe) {
  const std::string train = RealDataFile("census-income/census-income.data.noweight.gz");
  if (train.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  const auto example = config::LoadPipeline(std::string(MANYGATE_SOURCE_DIR) + "/examples/census_income/mmoe.config");
  ASSERT_TRUE(example.ok()) << example.status().message();
  const std::vector<std::pair<std::string, int>> columns = {
      {"age", 91},    {"wage_per_hour", 220}, {"capital_gains", 132}, {"capital_losses", 113}, {"stock_dividends", 218},
      {"num_emp", 7}, {"weeks_worked", 53}};
  std::string features;
  for (const auto& [column, edges] : columns) {
    for (const std::string transform : {"quantile_bins", "piecewise_linear"}) {
      features += "feature_configs { raw_feature { feature_name: \"" + column + "_" + transform + "\" expression: \"" +
                  column + "\" embedding_dim: 8 transform { " + transform + ": 512 } } }\n";
    }
  }
  const auto loaded = config::LoadPipelineFromText("test.config", features);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  ThreadPool pool(2);
  const auto table =
      ReadTable(train, example->pipeline.data_config(), RequiredColumns(loaded->pipeline), pool, "off", nullptr);
  ASSERT_TRUE(table.ok()) << table.status().message();
  const auto schema = FitFeatures(*loaded, *table, FirstRows(table->rows));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& [column, edges] = columns[i];
    const FeatureSchema &bins = schema->features(static_cast<int>(2 * i)),
                        &pieces = schema->features(static_cast<int>(2 * i + 1));
    EXPECT_EQ(bins.edges_size(), edges - 1) << column;
    EXPECT_EQ(bins.vocabulary_size(), static_cast<uint64_t>(edges) + 1)
        << column << ": a bin from each edge on, missing";
    EXPECT_EQ(pieces.edges_size(), edges) << column;
    EXPECT_EQ(pieces.vocabulary_size(), static_cast<uint64_t>(edges) - 1) << column;
  }
}

// Fields of this data set start with a blank; with it no value would ever match (it made all-zero labels elsewhere).
TEST(Census, LeadingBlanksDoNotHideAPositiveValue) {
  const std::string file = ::testing::TempDir() + "/blanks.csv";
  std::ofstream(file) << "age, marital\n 30, Never married\n 41, Divorced\n 22, Never married\n";
  constexpr char kConfig[] = R"(
    data_config { with_header: true label_configs { label_name: "never" column: "marital" positive_values: "Never married" } }
    feature_configs { raw_feature { feature_name: "age" } }
    model_config { omoe { task_towers { label_name: "never" } } })";
  const auto loaded = config::LoadPipelineFromText("test.config", kConfig);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  ThreadPool pool(1);
  const auto table =
      ReadTable(file, loaded->pipeline.data_config(), RequiredColumns(loaded->pipeline), pool, "off", nullptr);
  ASSERT_TRUE(table.ok()) << table.status().message();
  const StatusOr<Schema> trimmed = FitFeatures(*loaded, *table, FirstRows(table->rows));
  ASSERT_TRUE(trimmed.ok()) << trimmed.status().message();
  EXPECT_EQ(trimmed->labels(0).positives(), 2u);

  const Table untrimmed = TestTable(3)
                              .Category("marital", {" Never married", " Divorced", " Never married"})
                              .Number("age", {30, 41, 22})
                              .Build();
  const StatusOr<Schema> schema = FitFeatures(*loaded, untrimmed, FirstRows(3));
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(),
              ::testing::HasSubstr("positive value \"Never married\" is in no row of column \"marital\". Did you mean "
                                   "\" Never married\"?"));
}

}  // namespace
}  // namespace manygate::features
