// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/base/text.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kText[] =
    "{\"rows_name\": \"test rows of a \\\"b\\\".csv\", \"seeds\": [1, 18446744073709551615], \"tasks\": [{\"tower\": "
    "\"income\", \"metric\": \"auc\", \"higher_is_better\": true, \"rows\": 9, \"cells\": [{\"model\": \"alone\", "
    "\"values\": [0.75, 0.5], \"mean\": 0.625, \"difference\": 0, \"low\": 0, \"high\": 0, \"verdict\": \"no "
    "difference\"}, {\"model\": \"mmoe\", \"values\": [0.875, null], \"mean\": null, \"difference\": -0.25, \"low\": "
    "-0.5, \"high\": -0.125, \"verdict\": \"loses\"}]}]}";

TransferTable Example() {
  TransferTable table{.rows_name = "test rows of a \"b\".csv", .seeds = {1, UINT64_MAX}};
  TransferTask task{.tower = "income", .metric = "auc", .rows = 9};
  task.cells.push_back({.model = "alone", .values = {0.75, 0.5}, .mean = 0.625});
  task.cells.push_back({.model = "mmoe",
                        .values = {0.875, NAN},
                        .mean = NAN,
                        .difference = -0.25,
                        .low = -0.5,
                        .high = -0.125,
                        .verdict = Verdict::kLoses});
  table.tasks.push_back(task);
  return table;
}

TEST(TransferTest, WritesOneLine) { EXPECT_EQ(ToJson(Example()), kText); }

TEST(TransferTest, ReadsWhatItWrites) {
  const auto table = TransferFromJson(kText, "transfer.json");
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(ToJson(*table), kText);
  EXPECT_THAT(table->seeds, ElementsAre(1, UINT64_MAX));
  ASSERT_EQ(table->tasks.size(), 1u);
  EXPECT_TRUE(table->tasks[0].higher_is_better);
  EXPECT_EQ(table->tasks[0].rows, 9);
  EXPECT_EQ(table->tasks[0].cells[1].verdict, Verdict::kLoses);
  EXPECT_EQ(table->tasks[0].cells[1].low, -0.5);
  EXPECT_TRUE(std::isnan(table->tasks[0].cells[1].mean));
}

std::string ProblemWith(const std::string& from, const std::string& to) {
  std::string text = kText;
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  text.replace(place, from.size(), to);
  const auto table = TransferFromJson(text, "out/transfer.json");
  return table.ok() ? "" : table.status().message();
}

TEST(TransferTest, DamageIsNamed) {
  EXPECT_THAT(ProblemWith("{\"rows", "[\"rows"), HasSubstr("out/transfer.json: it is no JSON"));
  EXPECT_THAT(ProblemWith("\"seeds\"", "\"sedes\""), HasSubstr("\"seeds\" is missing"));
  EXPECT_THAT(ProblemWith("[1, ", "[\"one\", "), HasSubstr("\"seeds\" holds something else than whole numbers"));
  EXPECT_THAT(ProblemWith("\"loses\"", "\"wins\""),
              HasSubstr("tasks[0].cells[1]: \"verdict\" is \"wins\", expected gains, no difference or loses"));
  EXPECT_THAT(ProblemWith("-0.125", "\"low\""), HasSubstr("tasks[0].cells[1]: \"high\" is not a number"));
  EXPECT_THAT(ProblemWith("true", "1"), HasSubstr("tasks[0]: \"higher_is_better\" is neither true nor false"));
  EXPECT_THAT(ProblemWith("9,", "9.5,"), HasSubstr("tasks[0]: \"rows\" is not a whole number"));
  EXPECT_THAT(ProblemWith("\"income\"", "7"), HasSubstr("tasks[0]: \"tower\" is not a text"));
  EXPECT_THAT(TransferFromJson("[]", "t.json").status().message(), HasSubstr("t.json: \"rows_name\" is missing"));
  EXPECT_THAT(TransferFromJson("", "t.json").status().message(), HasSubstr("t.json: it is no JSON"));
}

TEST(TransferTest, TheVerdictIsByTheInterval) {
  EXPECT_EQ(VerdictOf(0.001, 0.2), Verdict::kGains);
  EXPECT_EQ(VerdictOf(-0.001, 0.2), Verdict::kNoDifference);
  EXPECT_EQ(VerdictOf(0, 0), Verdict::kNoDifference);
  EXPECT_EQ(VerdictOf(-0.2, -0.001), Verdict::kLoses);
  EXPECT_EQ(VerdictOf(NAN, NAN), Verdict::kNoDifference);
  EXPECT_STREQ(VerdictName(Verdict::kGains), "gains");
  EXPECT_STREQ(VerdictName(Verdict::kNoDifference), "no difference");
}

}  // namespace
}  // namespace manygate
