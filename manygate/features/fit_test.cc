// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kConfig[] = R"(data_config {
  sample_weight_fields: "weight"
  label_configs { label_name: "rich" column: "income" positive_values: "high" }
}
feature_configs { id_feature { feature_name: "job" expression: "user:work" one_hot: true } }
feature_configs { raw_feature { feature_name: "age" transform { missing_indicator: true } } }
feature_configs { id_feature { feature_name: "age_id" expression: "age" embedding_dim: 2 } }
feature_configs { raw_feature { feature_name: "hours" } }
model_config { shared_bottom {
  task_towers { label_name: "rich" }
  task_towers { label_name: "spend" losses { l2_loss {} } }
} }
)";

TestTable Rows() {
  return TestTable(4)
      .Category("work", {"a", "b", "a", "c"})
      .Category("age", {"30", "40", "", "50"})
      .Number("hours", {1, 2, 3, 4})
      .Category("income", {"low", "high", "low", "high"})
      .Number("spend", {0, 1, kNan, 5})
      .Number("weight", {1, 2, 0, 1});
}

TEST(Fit, RequiredColumnsOfTheConfiguration) {
  const auto loaded = config::LoadPipelineFromText("test.config", kConfig);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  // "age" is wanted as a number and as ids: a category then.
  EXPECT_THAT(RequiredColumns(loaded->pipeline),
              ElementsAre(ColumnRequest{"work", ColumnKind::kCategory}, ColumnRequest{"age", ColumnKind::kCategory},
                          ColumnRequest{"hours", ColumnKind::kNumber}, ColumnRequest{"income", ColumnKind::kCategory},
                          ColumnRequest{"spend", ColumnKind::kNumber}, ColumnRequest{"weight", ColumnKind::kNumber}));
}

TEST(Fit, SlotsOffsetsAndRequiredColumnsOfTheSchema) {
  const auto schema = FitText(kConfig, Rows().Build());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ASSERT_EQ(schema->features_size(), 4);
  EXPECT_EQ(schema->features(0).column(), "work");
  EXPECT_EQ(schema->features(0).id_slot(), 0u);
  EXPECT_EQ(schema->features(1).number_offset(), 0u);
  EXPECT_EQ(schema->features(1).width(), 2u);
  EXPECT_EQ(schema->features(1).fill(), 40.0f);
  EXPECT_EQ(schema->features(2).id_slot(), 1u);
  EXPECT_EQ(schema->features(2).vocabulary_size(), 5u);
  EXPECT_EQ(schema->features(3).number_offset(), 2u);
  EXPECT_EQ(schema->num_id_slots(), 2u);
  EXPECT_EQ(schema->number_width(), 3u);
  EXPECT_THAT(schema->weight_column(), ElementsAre("weight"));
  ASSERT_EQ(schema->labels_size(), 2);
  EXPECT_EQ(schema->labels(0).positives(), 2u);
  EXPECT_EQ(schema->labels(1).rows(), 3u);
  EXPECT_DOUBLE_EQ(schema->labels(1).mean(), 2.0);

  const auto loaded = config::LoadPipelineFromText("test.config", kConfig);
  EXPECT_EQ(RequiredColumns(*schema, {.labels = true, .weight = true}), RequiredColumns(loaded->pipeline));
  EXPECT_THAT(RequiredColumns(*schema, {.labels = false, .weight = false}),
              ElementsAre(ColumnRequest{"work", ColumnKind::kCategory}, ColumnRequest{"age", ColumnKind::kCategory},
                          ColumnRequest{"hours", ColumnKind::kNumber}));
}

TEST(Fit, AllProblemsAreReportedWithTheirPlaces) {
  const Table table = TestTable(4)
                          .Category("work", {"a", "b", "a", "c"})
                          .Category("age", {"30", "forty", "", "50"})
                          .Number("hour", {1, 2, 3, 4})
                          .Category("income", {"low", "High", "low", "High"})
                          .Number("spend", {kNan, kNan, kNan, kNan})
                          .Number("weight", {1, -2, kNan, 1})
                          .Build();
  const auto schema = FitText(kConfig, table);
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(
      schema.status().message(),
      "test.config:6:1: feature \"age\" (column \"age\") has 1 value that is no number: \"forty\"\n"
      "test.config:8:1: feature \"hours\" needs column \"hours\", which rows.csv does not have. Did you mean "
      "\"hour\"? Columns: work, age, hour, income, spend, weight\n"
      "test.config:3:3: label \"rich\" positive value \"high\" is in no row of column \"income\". Did you mean "
      "\"High\"? Values: low, High\n"
      "test.config:11:17: label \"spend\" has no value in any of the 4 training rows\n"
      "test.config:2:3: row weight \"weight\" is missing in 1 and negative in 1 of 4 rows, the first of them row 2; "
      "every row needs a number >= 0");
}

TEST(Fit, SeveralRowWeightsAndGroupsOfRows) {
  constexpr char kGroups[] = R"(
    data_config { sample_weight_fields: ["weight", "hours"] }
    feature_configs { id_feature { feature_name: "work" one_hot: true } }
    model_config { omoe {
      task_towers { label_name: "y" metrics { auc {} } metrics { grouped_auc { grouping_key: "age" } } }
      task_towers { tower_name: "z" label_name: "y" num_class: 2 losses { jrc_loss { session_name: "hours" } }
                    metrics { grouped_auc { grouping_key: "age" } } }
    } })";
  const TestTable rows = Rows().Category("y", {"0", "1", "1", "0"});
  const auto loaded = config::LoadPipelineFromText("test.config", kGroups);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_THAT(GroupColumns(loaded->pipeline), ElementsAre("age", "hours"));
  const auto schema = FitText(kGroups, TestTable(rows).Build());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->weight_column(), ElementsAre("weight", "hours"));
  EXPECT_THAT(schema->group_column(), ElementsAre("age", "hours"));
  const std::vector<ColumnRequest> requests = RequiredColumns(*schema, {});
  EXPECT_EQ(requests, RequiredColumns(loaded->pipeline));
  EXPECT_THAT(requests,
              ElementsAre(ColumnRequest{"work", ColumnKind::kCategory}, ColumnRequest{"y", ColumnKind::kCategory},
                          ColumnRequest{"weight", ColumnKind::kNumber}, ColumnRequest{"hours", ColumnKind::kCategory},
                          ColumnRequest{"age", ColumnKind::kCategory}));
  EXPECT_THAT(RequiredColumns(*schema, {.labels = false, .weight = false}),
              ElementsAre(ColumnRequest{"work", ColumnKind::kCategory}));
}

TEST(Fit, GroupColumnThatIsNotThereIsAnError) {
  const auto schema = FitText(R"(
    feature_configs { id_feature { feature_name: "work" one_hot: true } }
    model_config { omoe { task_towers { label_name: "y" metrics { grouped_auc { grouping_key: "ages" } } } } })",
                              Rows().Category("y", {"0", "1", "1", "0"}).Build());
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(), ::testing::AllOf(HasSubstr("test.config:3:"),
                                                          HasSubstr("tower \"y\" needs column \"ages\", which rows.csv "
                                                                    "does not have. Did you mean \"age\"?")));
}

TEST(Fit, WeightThatIsNegativeIsNamedAmongSeveral) {
  const auto schema = FitText(
      "data_config { sample_weight_fields: [\"weight\", \"debt\"] }\n"
      "feature_configs { id_feature { feature_name: \"work\" one_hot: true } }",
      Rows().Number("debt", {1, 2, -3, 1}).Build());
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(), HasSubstr("row weight \"debt\" is missing in 0 and negative in 1 of 4 rows"));
}

TEST(Fit, LabelThatTwoTowersWantDifferentlyIsAnError) {
  const auto schema = FitText(R"(feature_configs { id_feature { feature_name: "work" one_hot: true } }
    model_config { omoe {
      task_towers { label_name: "y" }
      task_towers { tower_name: "z" label_name: "y" losses { poisson_loss {} } }
    } })",
                              Rows().Category("y", {"0", "1", "1", "0"}).Build());
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().message(),
            "test.config:3:21: label \"y\" is 0 or 1 for tower \"y\" (binary_cross_entropy) but a number for tower "
            "\"z\" (poisson_loss). Make them agree, or give one a label of its own: data_config { label_configs { "
            "label_name: \"y_2\" column: \"y\" } }");
}

TEST(Fit, EmbeddingWithoutWidthIsAnError) {
  const auto schema = FitText("feature_configs { id_feature { feature_name: \"work\" } }", Rows().Build());
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().message(),
            "test.config:1:1: feature \"work\" needs an embedding_dim of at least 1, or one_hot: true");
}

TEST(Fit, TooManyIdsIsAnError) {
  const auto schema =
      FitText("feature_configs { id_feature { feature_name: \"work\" one_hot: true hash_bucket_size: 4294967296 } }",
              Rows().Build());
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(), HasSubstr("hash_bucket_size is 4294967296; expected 1 to 2147483646"));
}

TEST(Fit, NoTrainingRowsIsAnError) {
  const auto schema = FitText(kConfig, Rows().Build(), 0);
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().message(), "rows.csv: no training rows");
}

TEST(Fit, WeightsThatAreAllZeroAreAnError) {
  const Table table = TestTable(3).Category("work", {"a", "b", "b"}).Number("weight", {0, 0, 1}).Build();
  const auto schema = FitText(
      "data_config { sample_weight_fields: \"weight\" } feature_configs { id_feature { feature_name: \"work\" one_hot: "
      "true } }",
      table, 2);
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(), HasSubstr("row weight \"weight\" is 0 in all training rows"));
}

TEST(Fit, FeatureMadeFromALabelsColumnIsNoted) {
  std::vector<std::string> notes;
  const Table table = TestTable(3).Category("bought", {"0", "1", "1"}).Build();
  const auto schema = FitText(R"(
    feature_configs { id_feature { feature_name: "history" expression: "bought" one_hot: true } }
    model_config { omoe { task_towers { label_name: "bought" } } })",
                              table, -1, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(notes,
              ElementsAre("feature \"history\" reads column \"bought\", which label \"bought\" is made from: the "
                          "model sees the answer"));
}

// Lines "value id", or "value"; beside the configuration, or in asset_dir.
TEST(Fit, VocabularyFiles) {
  const std::string folder = ::testing::TempDir() + "/vocabularies";
  ASSERT_TRUE(MakeDirectories(folder + "/assets").ok());
  const auto fit = [&](const std::string& lines, const std::string& more) {
    MG_CHECK(WriteFileAtomic(folder + "/assets/jobs.txt", lines).ok(), "{}", folder);
    const std::string text =
        "feature_configs { id_feature { feature_name: 'work' embedding_dim: 2 vocab_file: 'jobs.txt' asset_dir: "
        "'assets' " +
        more + " } } model_config { mmoe { task_towers { label_name: 'spend' losses { l2_loss {} } } } }";
    const auto loaded = config::LoadPipelineFromText(folder + "/p.config", text);
    MG_CHECK(loaded.ok(), "{}", loaded.status().message());
    return FitFeatures(*loaded, Rows().Build(), std::vector<uint32_t>{0, 1, 2, 3}, nullptr);
  };
  const auto list = fit("b\na\n\n", "default_bucketize_value: 1");
  ASSERT_TRUE(list.ok()) << list.status().message();
  EXPECT_THAT(list->features(0).value(), ElementsAre("b", "a"));
  EXPECT_THAT(list->features(0).training_count(), ElementsAre(1, 2));
  EXPECT_EQ(list->features(0).vocabulary_size(), 3u);  // and missing: what is unknown has id 1
  EXPECT_EQ(list->features(0).unknown_count(), 1u);
  const auto ids = fit("a 4\nb 2\nc 4\n", "");
  ASSERT_TRUE(ids.ok()) << ids.status().message();
  EXPECT_THAT(ids->features(0).value_id(), ElementsAre(4, 2, 4));
  EXPECT_EQ(ids->features(0).vocabulary_size(), 7u);  // 0 .. 4, unknown, missing
  EXPECT_THAT(
      fit("a 4\nb\n", "").status().message(),
      HasSubstr("jobs.txt:2: \"b\" has no id where the lines before have one: all lines are \"value\", or all are"));
  EXPECT_THAT(fit("\n", "").status().message(), HasSubstr("feature \"work\" has an empty vocab_file"));
  ASSERT_EQ(std::remove((folder + "/assets/jobs.txt").c_str()), 0);
  const auto absent = config::LoadPipelineFromText(
      folder + "/p.config",
      "feature_configs { id_feature { feature_name: 'work' embedding_dim: 2 vocab_file: 'no.txt' } }");
  EXPECT_THAT(FitFeatures(*absent, Rows().Build(), std::vector<uint32_t>{0, 1}, nullptr).status().message(),
              ::testing::AllOf(HasSubstr("p.config:1:"), HasSubstr("cannot read its vocab_file"), HasSubstr("no.txt")));
}

}  // namespace
}  // namespace manygate::features
