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

// Kind and number of classes of the label "y" whose towers are given.
std::string KindOfY(const std::string& towers, const std::string& data_config = "") {
  const config::Pipeline pipeline =
      Parse("data_config { label_fields: \"y\" " + data_config + " } model_config { omoe { " + towers + " } }");
  EXPECT_EQ(LabelConflict(pipeline, "y"), "");
  const LabelSchema label = LabelsOf(pipeline)[0];
  return LabelSchema::Kind_Name(label.kind()) + (label.has_num_class() ? std::to_string(label.num_class()) : "") +
         (label.non_negative() ? " >= 0" : "");
}

std::string Tower(const std::string& losses, const std::string& name = "a") {
  return "task_towers { tower_name: \"" + name + "\" label_name: \"y\" " + losses + " } ";
}

TEST(Labels, TheLossesDecideTheKind) {
  EXPECT_EQ(KindOfY(""), "NUMBER");
  EXPECT_EQ(KindOfY(Tower("")), "BINARY");
  for (const std::string loss : {"binary_cross_entropy", "binary_focal_loss", "pairwise_loss", "jrc_loss"})
    EXPECT_EQ(KindOfY(Tower("losses { " + loss + " {} }")), "BINARY") << loss;
  for (const std::string loss : {"l2_loss", "huber_loss"})
    EXPECT_EQ(KindOfY(Tower("losses { " + loss + " {} }")), "NUMBER") << loss;
  for (const std::string loss : {"poisson_loss", "ziln_loss"})
    EXPECT_EQ(KindOfY(Tower("losses { " + loss + " {} }")), "NUMBER >= 0") << loss;
  EXPECT_EQ(KindOfY(Tower("num_class: 4 losses { softmax_cross_entropy {} }")), "CLASSES4");
  EXPECT_EQ(KindOfY(Tower("losses { l2_loss {} } losses { pairwise_loss {} }")), "NUMBER");
  EXPECT_EQ(KindOfY(Tower("losses { pairwise_loss {} } losses { l2_loss {} }")), "NUMBER");
  EXPECT_EQ(KindOfY(Tower("losses { pairwise_loss {} } losses { binary_cross_entropy {} }")), "BINARY");
  EXPECT_EQ(KindOfY(Tower("losses { binary_cross_entropy {} } losses { l2_loss {} }")), "BINARY");
  EXPECT_EQ(KindOfY(Tower("losses { pairwise_loss {} }") + Tower("losses { ziln_loss {} }", "b")), "NUMBER >= 0");
  EXPECT_EQ(KindOfY(Tower("losses { l2_loss {} }"), "label_configs { label_name: \"y\" positive_values: \"1\" }"),
            "BINARY");
  EXPECT_EQ(KindOfY("", "label_configs { label_name: \"y\" class_values: [\"a\", \"b\", \"c\"] }"), "CLASSES3");
}

TEST(Labels, TowersThatWantDifferentLabelsAreBothNamed) {
  const auto conflict = [](const std::string& towers, const std::string& label_configs = "") {
    return LabelConflict(Parse("data_config { label_configs { label_name: \"y\" column: \"class\" " + label_configs +
                               " } } model_config { omoe { " + towers + " } }"),
                         "y");
  };
  EXPECT_EQ(conflict(Tower("losses { l2_loss {} }") + Tower("", "b")),
            "is a number for tower \"a\" (l2_loss) but 0 or 1 for tower \"b\" (binary_cross_entropy). Make them agree, "
            "or give one a label of its own: data_config { label_configs { label_name: \"y_2\" column: \"class\" } }");
  EXPECT_THAT(
      conflict(Tower("num_class: 3 losses { softmax_cross_entropy {} }") +
               Tower("num_class: 4 losses { softmax_cross_entropy {} }", "b")),
      HasSubstr("is one of 3 classes for tower \"a\" (softmax_cross_entropy) but one of 4 classes for tower \"b\""));
  EXPECT_THAT(conflict(Tower(""), "class_values: [\"a\", \"b\"]"),
              HasSubstr("is one of 2 classes for its 2 class_values but 0 or 1 for tower \"a\""));
  EXPECT_THAT(conflict(Tower("num_class: 3 losses { softmax_cross_entropy {} }"), "positive_values: \"a\""),
              HasSubstr("is 0 or 1 for its positive_values but one of 3 classes for tower \"a\""));
}

TEST(Labels, ATaskSpaceIsALabelToo) {
  const std::vector<LabelSchema> labels = LabelsOf(Parse(R"(
    model_config { esmm {
      task_towers { label_name: "buy" task_space_indicator_label: "click" }
      task_towers { label_name: "spend" losses { ziln_loss {} } task_space_indicator_label: "stay" }
      task_towers { label_name: "click" }
    } })"));
  ASSERT_EQ(labels.size(), 4u);
  EXPECT_EQ(labels[2].name(), "click");
  EXPECT_EQ(labels[2].kind(), LabelSchema::BINARY);
  EXPECT_EQ(labels[3].name(), "stay");
  EXPECT_EQ(labels[3].kind(), LabelSchema::NUMBER);
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
  EXPECT_DOUBLE_EQ(label.positive_share(), 1);
  EXPECT_DOUBLE_EQ(label.minimum(), 2);
  const auto values = LabelColumn::Of(label, table.columns[0], table.rows);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->Value(2), 4.0f);
  EXPECT_TRUE(std::isnan(values->Value(1)));
}

LabelSchema NumberLabel(bool non_negative) {
  LabelSchema label;
  label.set_name("spend");
  label.set_column("spend");
  label.set_kind(LabelSchema::NUMBER);
  label.set_non_negative(non_negative);
  return label;
}

TEST(Labels, StatisticsOfAmounts) {
  // Logs of 1, e² and e⁴: 0, 2, 4.
  const float e2 = static_cast<float>(std::exp(2.0)), e4 = static_cast<float>(std::exp(4.0));
  const Table table = TestTable(7).Number("spend", {0, 1, e2, 0, e4, kNan, 0}).Build();
  LabelSchema label = NumberLabel(true);
  EXPECT_THAT(Fit(table, &label).problems, IsEmpty());
  EXPECT_EQ(label.rows(), 6u);
  EXPECT_DOUBLE_EQ(label.positive_share(), 0.5);
  EXPECT_NEAR(label.log_mean(), 2, 1e-6);
  EXPECT_NEAR(label.log_deviation(), std::sqrt(8.0 / 3.0), 1e-6);
  EXPECT_EQ(label.minimum(), 0);
}

TEST(Labels, NegativeAmountsAreNamed) {
  for (const bool as_category : {false, true}) {
    const Table table = as_category ? TestTable(5).Category("spend", {"1", "-2", "-2", "", "-0.5"}).Build()
                                    : TestTable(5).Number("spend", {1, -2, -2, kNan, -0.5f}).Build();
    LabelSchema label = NumberLabel(true);
    EXPECT_THAT(Fit(table, &label).problems,
                ElementsAre("is negative in 3 of 5 rows: \"-2\" (2 rows), \"-0.5\" (1 row); poisson_loss and ziln_loss "
                            "take numbers >= 0"));
    label = NumberLabel(false);
    EXPECT_THAT(Fit(table, &label).problems, IsEmpty());
    EXPECT_EQ(label.minimum(), -2);
    EXPECT_NEAR(label.positive_share(), 0.25, 1e-12);
  }
}

TEST(Labels, ANumberThatNeverChangesIsNoted) {
  const Table table = TestTable(4).Number("spend", {0, 0, kNan, 5}).Build();
  LabelSchema label = NumberLabel(true);
  const FitMessages messages = Fit(table, &label, 3);
  EXPECT_THAT(messages.problems, IsEmpty());
  EXPECT_THAT(messages.notes, ElementsAre("is 0 in all 2 training rows that have it, so there is nothing to learn"));
  EXPECT_FALSE(label.has_log_mean());
}

LabelSchema Classes(uint32_t num_class, const std::vector<std::string>& class_values = {}) {
  LabelSchema label;
  label.set_name("brand");
  label.set_column("y");
  label.set_kind(LabelSchema::CLASSES);
  label.set_num_class(num_class);
  for (const std::string& value : class_values) label.add_class_values(value);
  return label;
}

TEST(Labels, ClassesByNumber) {
  for (const bool as_category : {false, true}) {
    const Table table = as_category ? TestTable(6).Category("y", {"2", "0", "", "2.0", "nan", "1"}).Build()
                                    : TestTable(6).Number("y", {2, 0, kNan, 2, kNan, 1}).Build();
    LabelSchema label = Classes(4);
    const FitMessages messages = Fit(table, &label, 5);
    EXPECT_THAT(messages.problems, IsEmpty());
    EXPECT_THAT(messages.notes, ElementsAre("has 2 of 4 classes in no training row: 1, 3"));
    EXPECT_EQ(label.rows(), 3u);
    EXPECT_THAT(label.class_count(), ElementsAre(1, 0, 2, 0));
    const auto values = LabelColumn::Of(label, table.columns[0], table.rows);
    ASSERT_TRUE(values.ok());
    EXPECT_EQ(values->Value(3), 2.0f);
    EXPECT_TRUE(std::isnan(values->Value(2)));
    EXPECT_TRUE(std::isnan(values->Value(4)));
  }
}

TEST(Labels, ClassesByText) {
  const Table table = TestTable(5).Category("y", {"ford", "bmw", "", "ford", "audi"}).Build();
  LabelSchema label = Classes(3, {"bmw", "ford", "audi"});
  EXPECT_THAT(Fit(table, &label, 4).notes, ElementsAre("has 1 of 3 classes in no training row: 2 (\"audi\")"));
  EXPECT_THAT(label.class_count(), ElementsAre(1, 2, 0));
  const auto values = LabelColumn::Of(label, table.columns[0], table.rows);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->Value(0), 1.0f);
  EXPECT_EQ(values->Value(1), 0.0f);
  EXPECT_TRUE(std::isnan(values->Value(2)));
  EXPECT_EQ(values->Value(4), 2.0f);
}

TEST(Labels, ValuesThatAreNoClassAreListedWithWhatToWrite) {
  const Table texts = TestTable(5).Category("y", {"ford", "bmw", "", "ford", "audi"}).Build();
  LabelSchema label = Classes(2);
  EXPECT_THAT(
      Fit(texts, &label).problems,
      ElementsAre("holds \"ford\" (2 rows), \"bmw\" (1 row), \"audi\" (1 row), where classes 0 to 1 are expected "
                  "(num_class: 2). Number its values: data_config { label_configs { label_name: \"brand\" column: "
                  "\"y\" class_values: [\"audi\", \"bmw\", \"ford\"] } } and num_class: 3 in the tower"));
  label = Classes(3, {"bmw", "ford", "audy"});
  EXPECT_THAT(
      Fit(texts, &label).problems,
      ElementsAre("holds \"audi\" (1 row), which class_values do not list. Did you mean \"audy\"? class_values: "
                  "bmw, ford, audy. A text that means \"missing\" belongs into data_config.missing_values"));
  for (const bool as_category : {false, true}) {
    const Table numbers = as_category ? TestTable(5).Category("y", {"1", "10", "2", "2", "10"}).Build()
                                      : TestTable(5).Number("y", {1, 10, 2, 2, 10}).Build();
    label = Classes(3);
    EXPECT_THAT(Fit(numbers, &label).problems,
                ElementsAre(::testing::AllOf(HasSubstr("holds \"10\" (2 rows), where classes 0 to 2 are expected"),
                                             HasSubstr("class_values: [\"1\", \"2\", \"10\"] } }"),
                                             ::testing::Not(HasSubstr("and num_class")))));
  }
  for (const std::string wrong : {"1.5", "-1"}) {
    const Table table = TestTable(2).Category("y", {"0", wrong}).Build();
    label = Classes(3);
    EXPECT_THAT(Fit(table, &label).problems, ElementsAre(HasSubstr("holds \"" + wrong + "\" (1 row), where classes")));
  }
}

TEST(Labels, OneClassOfSeveralInTrainingIsAnError) {
  const Table table = TestTable(3).Category("y", {"1", "", "0"}).Build();
  LabelSchema label = Classes(2);
  EXPECT_THAT(Fit(table, &label, 2).problems, ElementsAre("is class 1 in all 1 training rows that have it"));
}

TEST(Labels, NanIsAMissingLabelUnlessItIsAValue) {
  const Table table = TestTable(3).Category("y", {"NaN", "yes", "no"}).Build();
  for (const bool listed : {false, true}) {
    LabelSchema label = listed ? Binary({"yes", "NaN"}) : Binary({"yes"});
    EXPECT_THAT(Fit(table, &label).problems, IsEmpty());
    EXPECT_EQ(label.rows(), listed ? 3u : 2u);
    EXPECT_EQ(label.positives(), listed ? 2u : 1u);
  }
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
