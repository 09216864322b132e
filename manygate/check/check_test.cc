// SPDX-License-Identifier: Apache-2.0
// Every check on a table with its fault, and the same table without it.
#include "manygate/check/check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "manygate/check/check_testing.h"
#include "manygate/data/test_files.h"

namespace manygate::check {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(CheckTest, ACleanTableHasNoFinding) {
  EXPECT_THAT(Lines(CleanTable()), IsEmpty());
  EXPECT_THAT(Lines(CleanTable(), CleanTable(7)), IsEmpty());
}

TEST(CheckTest, AnAbsentColumnIsNamedWithTheNearest) {
  PlantedTable table = CleanTable();
  table.features += Raw("agee");
  EXPECT_THAT(Lines(table), ElementsAre(AllOf(StartsWith("error test.config:"),
                                              HasSubstr("feature \"agee\" needs column "
                                                        "\"agee\""),
                                              HasSubstr("Did you mean \"age\"?"))));
}

TEST(CheckTest, ALabelThatNoTowerPredictsAmongTheFeatures) {
  PlantedTable table = CleanTable();
  table.Add("spend", [](const Row& row) { return std::to_string(row.random / 23 % 50); });
  table.features += Raw("spend");
  EXPECT_THAT(Lines(table), IsEmpty());
  table.data_config = R"(label_fields: ["click", "buy", "spend"])";
  EXPECT_THAT(Lines(table), ElementsAre(AllOf(StartsWith("warning "),
                                              HasSubstr("feature \"spend\" reads the column of label \"spend\""))));
}

TEST(CheckTest, ANumberThatRanksTheRows) {
  PlantedTable table = CleanTable();
  table.Add("paid", [](const Row& row) { return std::to_string(row.click ? 50 + row.number % 40 : row.number % 50); });
  table.features += Raw("paid");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("error test.config:8:1: feature \"paid\" gives label \"click\" away: "
                                                  "ranked by this number alone, the rows have an AUC of 1.00000")));
}

TEST(CheckTest, ANumberThatRanksMostRowsIsNoLeak) {
  PlantedTable table = CleanTable();
  table.Add("paid", [](const Row& row) {
    return std::to_string(row.click && row.number % 10 > 0 ? 50 + row.number % 40 : row.number % 50);
  });
  table.features += Raw("paid");
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, ACategoryThatSplitsTheRows) {
  PlantedTable table = CleanTable();
  table.Add("state", [](const Row& row) {
    return row.click ? (row.number % 2 ? "opened" : "bought") : (row.number % 3 ? "sent" : "lost");
  });
  table.features += Id("state");
  EXPECT_THAT(Lines(table),
              ElementsAre(HasSubstr("error test.config:8:1: feature \"state\" gives label \"click\" away: the "
                                    "mean label of its values alone has an AUC of 1.00000 on other rows")));
}

// As in a file of a few searches: all rows without a click come from two of them, which have one price each.
TEST(CheckTest, AFewGroupsOfOneClassAreNoLeak) {
  PlantedTable table = CleanTable();
  table.Set("click", [](const Row& row) { return row.number % 3 ? "1" : "0"; });
  table.Add("price", [](const Row& row) {
    return row.number % 3 ? fmt::format("{}.25", row.number % 29) : row.number % 2 ? "7.5" : "11.5";
  });
  table.features += Raw("price");
  table.towers = R"(task_towers { label_name: "click" })";
  table.rows = 120;
  EXPECT_THAT(Lines(table), IsEmpty());
  table.rows = 1200;
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"price\" gives label \"click\" away: the mean label of")));
}

TEST(CheckTest, AnAmountTimesAConstant) {
  PlantedTable table = CleanTable();
  table.towers = R"(task_towers { label_name: "amount" losses { l2_loss {} } })";
  table.Add("amount", [](const Row& row) { return std::to_string(row.number % 5 == 0 ? row.number % 97 : 0); });
  table.Add("cents", [](const Row& row) { return std::to_string(100 * (row.number % 5 == 0 ? row.number % 97 : 0)); });
  table.features += Raw("cents");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("gives label \"amount\" away: it is 100 times the label")));
}

TEST(CheckTest, AClassByItsName) {
  PlantedTable table = CleanTable();
  table.towers = R"(task_towers { label_name: "kind" num_class: 3 losses { softmax_cross_entropy {} } })";
  table.Add("kind", [](const Row& row) { return std::to_string(row.number % 7 % 3); });
  table.Add("name", [](const Row& row) { return std::string(1, static_cast<char>('p' + row.number % 7 % 3)); });
  table.features += Id("name");
  EXPECT_THAT(Lines(table),
              ElementsAre(HasSubstr("gives label \"kind\" away: its value alone tells the class in 100.0 %")));
}

TEST(CheckTest, ALabelOfOneClass) {
  PlantedTable table = CleanTable();
  table.Set("buy", [](const Row&) { return "0"; });
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("label \"buy\" is 0 in all 800 training rows that have it")));
}

TEST(CheckTest, ALabelOfTexts) {
  PlantedTable table = CleanTable();
  table.Set("buy", [](const Row& row) { return row.buy ? "yes" : "no"; });
  EXPECT_THAT(Lines(table), ElementsAre(AllOf(HasSubstr("error test.config:"), HasSubstr("label \"buy\" holds \"no\" "),
                                              HasSubstr("positive_values: \"yes\""))));
}

TEST(CheckTest, ANumberThatNeverVaries) {
  PlantedTable table = CleanTable();
  table.towers = R"(task_towers { label_name: "amount" losses { l2_loss {} } })";
  table.Add("amount", [](const Row&) { return "3"; });
  EXPECT_THAT(Lines(table),
              ElementsAre(HasSubstr("error test.config:3:77: label \"amount\" is 3 in all 800 training rows")));
}

TEST(CheckTest, EvaluationRowsOfOneClass) {
  PlantedTable evaluation = CleanTable(7);
  evaluation.Set("buy", [](const Row&) { return "0"; });
  EXPECT_THAT(Lines(CleanTable(), evaluation),
              ElementsAre(AllOf(StartsWith("warning "), HasSubstr("label \"buy\" is 0 in all 1,000 evaluation rows"))));
}

TEST(CheckTest, PurchasesWithoutAClick) {
  PlantedTable table = CleanTable();
  table.model = "esmm";
  EXPECT_THAT(Lines(table), IsEmpty());
  table.Set("buy", [](const Row& row) { return row.number % 20 == 0 ? "1" : "0"; });
  EXPECT_THAT(Lines(table),
              ElementsAre(AllOf(StartsWith("error "), HasSubstr("although label \"click\", an earlier step of "
                                                                "the funnel, is 0 there"))));
  table.model = "shared_bottom";  // which asks for no order; the names do
  EXPECT_THAT(Lines(table), ElementsAre(AllOf(StartsWith("warning "), HasSubstr("although label \"click\", an earlier"),
                                              HasSubstr("By their names the one happens before the other"))));
}

TEST(CheckTest, AFewPurchasesWithoutAClickAreAWarning) {
  PlantedTable table = CleanTable();
  table.model = "esmm";
  table.Set("buy", [](const Row& row) { return row.buy || row.number == 500 || row.number == 510 ? "1" : "0"; });
  EXPECT_THAT(Lines(table), ElementsAre(StartsWith("warning ")));
}

TEST(CheckTest, ARowWeight) {
  PlantedTable table = CleanTable();
  table.Add("instance_weight", [](const Row& row) { return fmt::format("{}.25", 10 + row.number % 37); });
  EXPECT_THAT(Lines(table), IsEmpty());
  table.features += Raw("instance_weight");
  EXPECT_THAT(Lines(table), ElementsAre(AllOf(StartsWith("warning "), HasSubstr("looks by its name like the weight"))));
  table.data_config = R"(sample_weight_fields: "instance_weight")";
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("is a feature and a row weight (sample_weight_fields)")));
}

TEST(CheckTest, ARowWeightThatTrainingRefuses) {
  PlantedTable table = CleanTable();
  table.data_config = R"(sample_weight_fields: "importance")";
  table.Add("importance", [](const Row& row) { return row.number == 7 ? "-1" : "2"; });
  EXPECT_THAT(
      Lines(table),
      ElementsAre(AllOf(StartsWith("error test.config:2:"),
                        HasSubstr("row weight \"importance\" is missing in 0 and negative in 1 of 1,000 rows"))));
  table.Set("importance", [](const Row& row) { return row.number == 7 ? "high" : "2"; });
  EXPECT_THAT(Lines(table),
              ElementsAre(HasSubstr("row weight \"importance\" has 1 value that is no number: \"high\"")));
  table.Set("importance", [](const Row&) { return "2"; });
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, AConstant) {
  PlantedTable table = CleanTable();
  table.Add("country", [](const Row&) { return "CH"; });
  table.features += Id("country");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"country\" is \"CH\" in all 800 training rows")));
  table.Set("country", [](const Row& row) { return row.number % 4 ? "CH" : ""; });
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, AColumnThatIsMostlyMissing) {
  PlantedTable table = CleanTable();
  table.Add("fax", [](const Row& row) { return row.number == 5 ? "1" : ""; });
  table.features += Raw("fax");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"fax\" is missing in ")));
  table.Set("fax", [](const Row& row) { return row.number % 20 == 0 ? std::to_string(row.number % 3) : ""; });
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, IdsThatAreSeenOnce) {
  PlantedTable table = CleanTable();
  table.Add("session", [](const Row& row) { return fmt::format("s{}", row.number); });
  table.features += Id("session");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"session\" has 800 values in 800 training rows")));
  table.features = CleanTable().features + Id("session", "min_count: 2");
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, TextsOfSeveralValuesAreNotTheirIds) {
  PlantedTable table = CleanTable();
  table.Add("tags", [](const Row& row) { return fmt::format("a{}|b{}", row.random / 29 % 40, row.random / 31 % 50); });
  table.features += Id("tags");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"tags\" has ")));
  for (const char* more : {"separator: \"|\"", "separator: \"|\" hash_bucket_size: 100",
                           "separator: \"|\" vocab_list: [\"a1\", \"b1\"]"}) {
    table.features = CleanTable().features + Id("tags", more);
    EXPECT_THAT(Lines(table), IsEmpty()) << more;
  }
}

TEST(CheckTest, IdsReadAsNumbers) {
  PlantedTable table = CleanTable();
  table.Add("user_id", [](const Row& row) { return std::to_string(row.number * 7919 % 613); });
  table.features += Raw("user_id");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"user_id\" is read as a number, but looks like an id")));
}

TEST(CheckTest, AnAmountOfManyWholeNumbersIsNoId) {
  PlantedTable table = CleanTable();
  table.Add("bid", [](const Row& row) { return std::to_string(row.number * 7919 % 613); });
  table.features += Raw("bid");
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, ARowNumber) {
  PlantedTable table = CleanTable();
  table.Add("line", [](const Row& row) { return std::to_string(row.number + 1); });
  table.features += Raw("line");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"line\" counts the rows of the file")));
}

TEST(CheckTest, ExplodingRanges) {
  PlantedTable table = CleanTable();
  table.Add("price", [](const Row& row) { return row.number % 50 == 1 ? "9e9" : std::to_string(row.number % 31); });
  table.features += Raw("price", "");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"price\" reaches 9e+09 where the median size")));
  table.features = CleanTable().features + Raw("price", "transform { log1p: true }");
  EXPECT_THAT(Lines(table), IsEmpty());
}

TEST(CheckTest, ATimeInSeconds) {
  PlantedTable table = CleanTable();
  table.Add("time", [](const Row& row) { return std::to_string(1'700'000'000 + row.number * 7919 % 613 * 1000); });
  table.features += Raw("time", "");
  EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("feature \"time\" reaches 1.70061e+09")));
}

}  // namespace
}  // namespace manygate::check
