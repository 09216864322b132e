// SPDX-License-Identifier: Apache-2.0
// Texts, and evaluation rows beside training rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "manygate/check/check_testing.h"

namespace manygate::check {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(CheckTextsTest, BlanksAroundValues) {
  PlantedTable table = CleanTable();
  table.Set("device", [](const Row& row) { return row.random / 11 % 2 ? " phone" : " desk"; });
  EXPECT_THAT(Lines(table), IsEmpty());
  table.data_config = "trim_blanks: false";
  EXPECT_THAT(
      Lines(table),
      ElementsAre(AllOf(
          StartsWith("warning test.config:2:"),
          HasSubstr(
              "trim_blanks is false, and 1 of the columns have blanks around values: device (\" desk\", \" phone\")"),
          HasSubstr("Set data_config.trim_blanks to true"))));
}

TEST(CheckTextsTest, BlanksAroundNumbers) {
  PlantedTable table = CleanTable();
  table.Set("age", [](const Row& row) { return " " + std::to_string(18 + row.random / 13 % 60); });
  table.data_config = "trim_blanks: false";
  EXPECT_THAT(Lines(table),
              ElementsAre(AllOf(StartsWith("error "), HasSubstr("around values: age (\" 18\", \" 19\", "))));
}

TEST(CheckTextsTest, OneValueInTwoSpellings) {
  PlantedTable table = CleanTable();
  table.Set("device", [](const Row& row) { return row.random / 11 % 2 ? row.number % 2 ? "Phone" : "phone" : "desk"; });
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("differ only by case, blanks or \".0\": \"Phone\" and \"phone\"")));
  table.Set("device", [](const Row& row) { return row.random / 11 % 2 ? row.number % 2 ? "3" : "3.0" : "4"; });
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("\"3\" and \"3.0\"")));
}

TEST(CheckTextsTest, LettersThatAreCodesMayDifferByCase) {
  PlantedTable table = CleanTable();
  table.Set("device", [](const Row& row) { return row.random / 11 % 2 ? row.number % 2 ? "P" : "p" : "desk"; });
  EXPECT_THAT(Lines(table), IsEmpty());
  table.Set("device", [](const Row& row) { return row.random / 11 % 2 ? row.number % 2 ? "007" : "7" : "3.05"; });
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTextsTest, TextsWhereNumbersAreRead) {
  PlantedTable table = CleanTable();
  table.Set("age",
            [](const Row& row) { return row.number % 100 ? "3" + std::to_string(row.random / 13 % 9) : "unknown"; });
  EXPECT_THAT(Lines(table),
              ElementsAre(AllOf(StartsWith("error "), HasSubstr("feature \"age\" reads numbers, but these are "
                                                                "none: \"unknown\""))));
  table.data_config = "missing_values: \"unknown\"";
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckEvaluationTest, ValuesThatTrainingNeverSaw) {
  PlantedTable evaluation = CleanTable(7);
  evaluation.Set("city", [](const Row& row) {
    return (row.number % 10 ? "city " : "town ") + std::to_string(row.random / 7 % 20);
  });
  EXPECT_THAT(
      Lines(CleanTable(), evaluation),
      ElementsAre(AllOf(StartsWith("warning "), HasSubstr("feature \"city\" has a value that no training row has in "
                                                          "100 of 1,000 evaluation rows (10.0 %)"))));
  evaluation.Set("city", [](const Row& row) {
    return (row.number % 25 ? "city " : "town ") + std::to_string(row.random / 7 % 20);
  });
  EXPECT_THAT(Lines(CleanTable(), evaluation), IsEmpty());
}

TEST(CheckEvaluationTest, ColumnsShiftedByOne) {
  PlantedTable evaluation = CleanTable(7);
  for (const int i : {0, 1, 2}) std::swap(evaluation.columns[i].second, evaluation.columns[i + 1].second);
  // city, device, age, height hold device, age, height, city.
  EXPECT_THAT(
      Lines(CleanTable(), evaluation),
      ElementsAre(
          AllOf(StartsWith("error test.config:1:"),
                HasSubstr("the evaluation file has columns that are shifted or exchanged: \"city\" holds the values of "
                          "\"device\", \"device\" holds the values of \"age\""))));
}

TEST(CheckEvaluationTest, NewIdsBesideOtherIdsAreNotShifted) {
  PlantedTable table = CleanTable(), evaluation = CleanTable(7);
  table.Add("user", [](const Row& row) { return std::to_string(row.random / 7 % 50); });
  table.Add("item", [](const Row& row) { return std::to_string(row.random / 5 % 100); });
  evaluation.Add("user", [](const Row& row) { return std::to_string(50 + row.random / 7 % 50); });
  evaluation.Add("item", [](const Row& row) { return std::to_string(row.random / 5 % 100); });
  table.features += Id("user") + Id("item");
  EXPECT_THAT(Lines(table, evaluation),
              ElementsAre(HasSubstr("feature \"user\" has a value that no training row has in "
                                    "1,000 of 1,000 evaluation rows (100.0 %)")));
}

TEST(CheckEvaluationTest, ColumnsExchanged) {
  PlantedTable evaluation = CleanTable(7);
  std::swap(evaluation.columns[0].second, evaluation.columns[1].second);
  EXPECT_THAT(Lines(CleanTable(), evaluation),
              ElementsAre(HasSubstr("\"city\" holds the values of \"device\", \"device\" "
                                    "holds the values of \"city\"")));
}

TEST(CheckEvaluationTest, RowsOfTheTrainingFile) {
  EXPECT_THAT(Lines(CleanTable(), CleanTable()),
              ElementsAre(AllOf(StartsWith("error test.config:1:"), HasSubstr("1,000 of its 1,000 rows (100.0 %) "
                                                                              "equal one"))));
}

TEST(CheckEvaluationTest, RowsThatCoincideByChanceAreNoFinding) {
  PlantedTable table = CleanTable();
  table.features = Id("device");  // two devices, three pairs of labels: every row has many like it
  EXPECT_THAT(Lines(table), IsEmpty());
}

// The examples have nothing wrong with them; Bank Marketing's rows are in order of time.
TEST(CheckExamplesTest, RealDataAreCleanButForTheirQuirks) {
  const std::string adult = RealDataFile("adult/adult.data.gz");
  if (adult.empty()) GTEST_SKIP() << "the real data sets are not there: set MANYGATE_DATA";
  const std::string folder = std::filesystem::path(adult).parent_path().parent_path();
  ThreadPool pool(2);
  const std::vector<std::string> in_order = {"label \"y\" is 1 in 3.0 % of the first tenth of the training file",
                                             "label \"housing\" is 1 in 89.6 % of the first tenth"};
  for (const auto& [example, train, evaluation, quirks] :
       {std::tuple("adult/mmoe.config", "adult/adult.data*", "adult/adult.test*", std::vector<std::string>()),
        std::tuple("bank_marketing/mmoe.config", "bank-marketing/bank-full.csv*", "", in_order),
        std::tuple("hillstrom/esmm.config", "hillstrom/hillstrom.csv*", "", std::vector<std::string>()),
        std::tuple("census_income/mmoe.config", "census-income/census-income.data*.gz",
                   "census-income/census-income.test.gz", std::vector<std::string>())}) {
    SCOPED_TRACE(example);
    if (RealDataFile(std::string(train).substr(0, std::string(train).find('/'))).empty()) continue;
    std::vector<std::string> overrides = {fmt::format("train_input_path={}/{}", folder, train)};
    if (*evaluation != 0) overrides.push_back(fmt::format("eval_input_path={}/{}", folder, evaluation));
    auto loaded = config::LoadPipeline(std::string(MANYGATE_SOURCE_DIR) + "/examples/" + example, overrides);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    config::ResolveDefaults(&loaded->pipeline);
    const auto findings = CheckData(*loaded, pool, "");
    ASSERT_TRUE(findings.ok()) << findings.status().message();
    std::vector<std::string> lines;
    for (const Finding& finding : *findings) lines.push_back(finding.where + " " + finding.what);
    ASSERT_EQ(lines.size(), quirks.size()) << testing::PrintToString(lines);
    for (size_t i = 0; i < lines.size(); ++i) EXPECT_THAT(lines[i], HasSubstr(quirks[i]));
  }
}

}  // namespace
}  // namespace manygate::check
