// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Pipeline Parse(const std::string& text) {
  auto loaded = config::LoadPipelineFromText("test.config", text);
  MG_CHECK(loaded.ok(), "{}", loaded.status().message());
  return loaded->pipeline;
}

FitMessages Fit(const Table& table, LabelSchema* label, int64_t training_rows = -1) {
  FitMessages messages;
  FitLabel(table.columns[0], table.rows, FirstRows(training_rows < 0 ? table.rows : training_rows), label, &messages);
  return messages;
}

LabelSchema Binary(const std::vector<std::string>& positive_values = {}) {
  LabelSchema label;
  label.set_name("bought");
  label.set_column("y");
  label.set_kind(LabelSchema::BINARY);
  for (const std::string& value : positive_values) label.add_positive_values(value);
  return label;
}

TEST(Labels, ComeFromFieldsAndTowersInOrder) {
  const std::vector<LabelSchema> labels = LabelsOf(Parse(R"(
    data_config {
      label_fields: "spend"
      label_configs { label_name: "income" column: "class" positive_values: "50000+." }
    }
    model_config { mmoe {
      task_towers { label_name: "income" }
      task_towers { label_name: "spend" losses { l2_loss {} } }
      task_towers { label_name: "click" losses { binary_cross_entropy {} } }
    } })"));
  ASSERT_EQ(labels.size(), 3u);
  EXPECT_EQ(labels[0].name(), "spend");
  EXPECT_EQ(labels[0].column(), "spend");
  EXPECT_EQ(labels[0].kind(), LabelSchema::NUMBER);
  EXPECT_EQ(labels[1].name(), "income");
  EXPECT_EQ(labels[1].column(), "class");
  EXPECT_EQ(labels[1].kind(), LabelSchema::BINARY);
  EXPECT_THAT(labels[1].positive_values(), ElementsAre("50000+."));
  EXPECT_EQ(labels[2].name(), "click");
  EXPECT_EQ(labels[2].kind(), LabelSchema::BINARY);
}

TEST(Labels, StatisticsOfTrainingRowsOnly) {
  // Training rows: 1, missing, 0, 0; the last two validate.
  const Table table = TestTable(6).Category("y", {"1", "", "0", "0.0", "1", "1"}).Build();
  LabelSchema label = Binary();
  EXPECT_THAT(Fit(table, &label, 4).problems, IsEmpty());
  EXPECT_EQ(label.rows(), 3u);
  EXPECT_EQ(label.positives(), 1u);
  EXPECT_DOUBLE_EQ(label.mean(), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(label.deviation(), std::sqrt(2.0) / 3.0);
}

TEST(Labels, NumberLabel) {
  const Table table = TestTable(4).Number("spend", {2, kNan, 4, 9}).Build();
  LabelSchema label;
  label.set_name("spend");
  label.set_column("spend");
  label.set_kind(LabelSchema::NUMBER);
  EXPECT_THAT(Fit(table, &label).problems, IsEmpty());
  EXPECT_EQ(label.rows(), 3u);
  EXPECT_DOUBLE_EQ(label.mean(), 5.0);
  EXPECT_DOUBLE_EQ(label.deviation(), std::sqrt(26.0 / 3.0));
  EXPECT_FALSE(label.has_positives());
  const auto values = LabelColumn::Of(label, table.columns[0], table.rows);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->Value(2), 4.0f);
  EXPECT_TRUE(std::isnan(values->Value(1)));
}

TEST(Labels, PositiveValuesMakeOnes) {
  const Table table = TestTable(4).Category("y", {"- 50000.", "50000+.", "", "more"}).Build();
  LabelSchema label = Binary({"50000+.", "more"});
  EXPECT_THAT(Fit(table, &label).problems, IsEmpty());
  EXPECT_EQ(label.positives(), 2u);
  const auto values = LabelColumn::Of(label, table.columns[0], table.rows);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->Value(0), 0.0f);
  EXPECT_EQ(values->Value(1), 1.0f);
  EXPECT_TRUE(std::isnan(values->Value(2)));
  EXPECT_EQ(values->Value(3), 1.0f);
}

TEST(Labels, UnseenPositiveValueNamesTheNearest) {
  const Table table = TestTable(2).Category("y", {"- 50000.", "50000+."}).Build();
  LabelSchema label = Binary({"50000+"});
  EXPECT_THAT(Fit(table, &label).problems,
              ElementsAre("positive value \"50000+\" is in no row of column \"y\". Did you mean \"50000+.\"? Values: "
                          "- 50000., 50000+."));
  label = Binary({""});
  EXPECT_THAT(Fit(table, &label).problems, ElementsAre(HasSubstr("the empty text cannot be a positive value")));
}

TEST(Labels, OtherSpellingOfAPositiveValueIsANote) {
  const Table table = TestTable(2).Category("y", {"<=50K", ">50K"}).Build();
  LabelSchema label = Binary({">50K", ">50K."});
  const FitMessages messages = Fit(table, &label);
  EXPECT_THAT(messages.problems, IsEmpty());
  EXPECT_THAT(messages.notes, ElementsAre("positive value \">50K.\" is in no row of column \"y\". Did you mean "
                                          "\">50K\"? Values: <=50K, >50K"));
  EXPECT_EQ(label.positives(), 1u);
}

TEST(Labels, TextsOfABinaryLabelAreListedWithCountsAndWhatToWrite) {
  const Table table = TestTable(6).Category("y", {"no", "yes", "no", "", "no", "yes"}).Build();
  LabelSchema label = Binary();
  EXPECT_THAT(
      Fit(table, &label).problems,
      ElementsAre(
          "holds \"no\" (3 rows), \"yes\" (2 rows), but a binary task needs 0 and 1. Say which texts mean 1: "
          "data_config { label_configs { label_name: \"bought\" column: \"y\" positive_values: \"yes\" } }; for a "
          "number as target give the tower losses { l2_loss {} }"));
}

TEST(Labels, NumbersOfABinaryLabelAreListedToo) {
  for (const bool as_category : {true, false}) {
    const Table table = as_category ? TestTable(5).Category("y", {"1", "2", "2", "", "2"}).Build()
                                    : TestTable(5).Number("y", {1, 2, 2, kNan, 2}).Build();
    LabelSchema label = Binary();
    EXPECT_THAT(
        Fit(table, &label).problems,
        ElementsAre(::testing::AllOf(HasSubstr("holds \"2\" (3 rows), \"1\" (1 row), but a binary task needs 0"),
                                     HasSubstr("positive_values: \"1\""))));
  }
}

TEST(Labels, OneClassInTrainingIsAnError) {
  const Table table = TestTable(4).Category("y", {"0", "0", "", "1"}).Build();
  LabelSchema label = Binary();
  EXPECT_THAT(Fit(table, &label, 3).problems,
              ElementsAre("is 0 in all 2 training rows that have it; a binary task needs both classes"));
}

TEST(Labels, NoValueInTrainingIsAnError) {
  const Table table = TestTable(3).Category("y", {"", "", "1"}).Build();
  LabelSchema label = Binary();
  EXPECT_THAT(Fit(table, &label, 2).problems, ElementsAre("has no value in any of the 2 training rows"));
}

}  // namespace
}  // namespace manygate::features
