// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/findings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "manygate/base/file.h"
#include "manygate/data/test_records.h"

namespace manygate::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(ParseColumnNamesTest, NamesAreTrimmedAndDiffer) {
  EXPECT_THAT(*ParseColumnNames("age, capital gain ,y"), ElementsAre("age", "capital gain", "y"));
  EXPECT_EQ(ParseColumnNames("age,,y").status().message(), "--columns: name 2 is empty");
  EXPECT_EQ(ParseColumnNames("age,y,age").status().message(),
            "--columns: \"age\" is there twice, as name 1 and name 3");
}

TEST(ParseColumnNamesTest, RangesOfNames) {
  EXPECT_THAT(*ParseColumnNames("marital,f1..f3, C08 .. C11,x5..x5"),
              ElementsAre("marital", "f1", "f2", "f3", "C08", "C09", "C10", "C11", "x5"));
  EXPECT_THAT(*ParseColumnNames("0..2,a1_9..a1_10"), ElementsAre("0", "1", "2", "a1_9", "a1_10"));
  const StatusOr<std::vector<std::string>> paddle_rec = ParseColumnNames("marital,income,f1..f499");
  ASSERT_TRUE(paddle_rec.ok());
  EXPECT_EQ(paddle_rec->size(), 501u);
  EXPECT_EQ(paddle_rec->back(), "f499");
  EXPECT_EQ(ParseColumnNames("f1..f100000")->size(), 100000u);
}

TEST(ParseColumnNamesTest, WhatIsNoRange) {
  const auto why = [](const std::string& text) {
    const std::string message = ParseColumnNames(text).status().message();
    const std::string begin = "--columns: \"" + text + "\" is no range of names such as f1..f499: ";
    EXPECT_THAT(message, StartsWith(begin));
    return message.substr(std::min(begin.size(), message.size()));
  };
  EXPECT_EQ(why("f9..f1"), "the first number must not be above the last");
  EXPECT_EQ(why("f1..g9"), "both names must begin alike");
  EXPECT_EQ(why("a..b"), "both names must end in a number");
  EXPECT_EQ(why("f1.."), "both names must end in a number");
  EXPECT_EQ(why("..f9"), "both names must end in a number");
  EXPECT_EQ(why("f1..f2..f3"), "both names must begin alike");
  EXPECT_EQ(why("f01..f100"), "numbers with leading zeros must have as many digits");
  EXPECT_EQ(why("f1..f100001"), "it has 100,001 names, at most 100,000 are taken");
  EXPECT_EQ(why("f1..f10000000000"), "its numbers have at most 9 digits");
  EXPECT_EQ(ParseColumnNames("f1..f60000,g1..g60000").status().message(), "--columns: more than 100,000 names");
  EXPECT_EQ(ParseColumnNames("a,f1..f9,f3").status().message(),
            "--columns: \"f3\" is there twice, as name 4 and name 11");
}

class LookAtDataTest : public testing::Test {
 protected:
  ~LookAtDataTest() override { EXPECT_TRUE(RemoveTree(path_).ok()); }

  StatusOr<Findings> Look(const std::string& text, std::vector<std::string> labels,
                          std::vector<std::string> names = {}) {
    EXPECT_TRUE(WriteFileAtomic(path_, text).ok());
    return LookAtData({.paths = path_, .labels = std::move(labels), .names = std::move(names)}, pool_);
  }
  std::string Error(const std::string& text, std::vector<std::string> labels, std::vector<std::string> names = {}) {
    const auto found = Look(text, std::move(labels), std::move(names));
    EXPECT_FALSE(found.ok());
    EXPECT_EQ(found.status().code(), StatusCode::kInvalidInput);
    return found.status().message();
  }

  std::string path_ = fmt::format("{}/findings_test_{}.csv", testing::TempDir(), getpid());
  ThreadPool pool_{1};
};

const InferredColumn& ColumnOf(const Findings& findings, const std::string& name) {
  return *std::find_if(findings.schema.columns.begin(), findings.schema.columns.end(),
                       [&](const InferredColumn& column) { return column.name == name; });
}

constexpr char kRows[] = "39, Private, 1\n50, Private, 0\n38, State, 1\n53, ?, 0\n";

TEST_F(LookAtDataTest, GivenNamesAreTheColumns) {
  const auto found = Look(kRows, {"rich"}, {"age", "class", "rich"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_FALSE(found->options.with_header);
  EXPECT_THAT(found->options.names, ElementsAre("age", "class", "rich"));
  EXPECT_EQ(found->schema.rows, 4);
  EXPECT_THAT(found->doubts, IsEmpty());
  EXPECT_TRUE(IsFeature(*found, "age"));
  EXPECT_FALSE(IsFeature(*found, "rich"));
  EXPECT_EQ(ColumnNote(ColumnOf(*found, "class"), 4), "text, 2 different values, 25.00 % missing");
  EXPECT_EQ(ColumnNote(ColumnOf(*found, "age"), 4), "whole numbers, 4 different values, 38 to 53");
  EXPECT_EQ(DataNote(*found), "4 rows, 3 columns separated by \",\", without a line of names");
}

constexpr char kLists[] =
    "17,0,1,101:88,109_14:5,109_14:9\n18,1,0,101:3,7:2\n19,1,1,109_14:5,101:3\n20,0,0,101:88,7:1\n";

TEST_F(LookAtDataTest, ListsOfFieldsHaveNamesInFront) {
  const auto found = Look(kLists, {"click", "buy"}, {"id", "click", "buy"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->options.dataset_type, config::FieldListDataset);
  std::vector<std::string> columns;
  for (const InferredColumn& column : found->schema.columns) columns.push_back(column.name);
  EXPECT_THAT(columns, ElementsAre("id", "click", "buy", "7", "101", "109_14"));
  EXPECT_EQ(DataNote(*found), "4 rows, 6 columns of lists of fields separated by \",\"");
  EXPECT_EQ(found->labels.size(), 2u);
  EXPECT_THAT(DescribeFindings(*found, "f")[0], "f: 4 rows, 6 columns of lists of fields separated by \",\"");
  EXPECT_THAT(
      Error(kLists, {"click"}),
      AllOf(HasSubstr("--label click: \"click\" is not a column of the data. "),
            HasSubstr(" holds lists of fields, and its first row has 3 values before them: 17, 0, 1. Give their "
                      "names in order: --columns a,b,c,...; without them they are called column_0 to column_2")));
  EXPECT_THAT(Error(kLists, {"click"}, {"id", "click"}),
              AllOf(HasSubstr("--columns gives 2 names, but the first line of "),
                    HasSubstr(" has 3 values before its fields: 17, 0, 1")));
  const auto nameless = Look(kLists, {"column_1"});
  ASSERT_TRUE(nameless.ok()) << nameless.status().message();
  EXPECT_EQ(nameless->schema.columns[2].name, "column_2");
}

TEST_F(LookAtDataTest, RecordsNameTheirColumns) {
  std::string records;
  for (int i = 0; i < 4; ++i)
    records += Record(Example({{"x", Floats({0.5f * static_cast<float>(i)})}, {"click", Integers({i % 2})}}));
  const auto found = Look(records, {"click"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->options.dataset_type, config::TFRecordDataset);
  EXPECT_EQ(DataNote(*found), "4 rows, 2 columns of TFRecord");
  EXPECT_EQ(ColumnNote(ColumnOf(*found, "x"), 4), "numbers, 4 different values, 0 to 1.5");
  EXPECT_THAT(Error(records, {"click"}, {"a", "b"}),
              HasSubstr("--columns is for text without a line of names; columns of TFRecord have names"));
}

TEST_F(LookAtDataTest, AWrongNumberOfNamesShowsBothAndTheFirstLine) {
  EXPECT_THAT(
      Error(kRows, {"rich"}, {"age", "rich"}),
      AllOf(HasSubstr("--columns gives 2 names, but the first line of "), HasSubstr(" has 3 fields: 39, Private, 1")));
}

TEST_F(LookAtDataTest, NamesForAFileThatHasThemAlready) {
  EXPECT_THAT(Error("Age,class,rich\n39,Private,1\n50,State,0\n", {"rich"}, {"age", "work", "label"}),
              HasSubstr("the first line names the columns already: Age, class, rich"));
  EXPECT_THAT(Error("a,b\na,c\n", {"a"}, {"a", "b"}), HasSubstr("the first line names the columns already: a, b"));
}

TEST_F(LookAtDataTest, TheUsersNamesCountMoreThanAGuess) {
  const auto found = Look("none,red,1\n3,blue,0\n4,red,1\n", {"y"}, {"size", "colour", "y"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(found->schema.rows, 3);
  const auto other = Look("unknown,red,1\n3,blue,0\n4,red,1\n", {"y"}, {"size", "colour", "y"});
  ASSERT_TRUE(other.ok()) << other.status().message();
  EXPECT_EQ(other->schema.rows, 3);
  EXPECT_THAT(other->doubts, ElementsAre(HasSubstr("looks like names (unknown, red, 1), but is read as a row")));
  EXPECT_THAT(DescribeFindings(*other, "f"), Contains(other->doubts[0]));
}

TEST_F(LookAtDataTest, ALabelThatAFileWithoutNamesCannotHave) {
  const std::string error = Error(kRows, {"rich:binary"});
  EXPECT_THAT(error, HasSubstr("--label rich:binary: \"rich\" is not a column of the data. The first line of "));
  EXPECT_THAT(error, HasSubstr("looks like a row, not like names: 39, Private, 1. Give the names of its 3 columns in "
                               "order: --columns a,b,c,...; without them they are called column_0 to column_2"));
  const auto numbered = Look(kRows, {"column_2"});
  ASSERT_TRUE(numbered.ok()) << numbered.status().message();
  EXPECT_THAT(DescribeFindings(*numbered, "f"),
              Contains("the columns are called column_0 to column_2; --columns a,b,c,... names them"));
}

TEST_F(LookAtDataTest, WeightsOfRowsAreNoFeatures) {
  std::string text = "fnlwgt,instance_weight,Sample Weight,weight,weight_code,y\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{0},{0}.5,{1},{0}.25,{1},{2}\n", 70 + i, i % 7, i % 2);
  const auto found = Look(text, {"y"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  for (const char* name : {"fnlwgt", "instance_weight", "Sample Weight"}) {
    ASSERT_TRUE(found->left_out.contains(name)) << name;
    EXPECT_THAT(found->left_out.at(name), HasSubstr("by its name it says how much a row counts"));
  }
  EXPECT_TRUE(IsFeature(*found, "weight"));  // of a body, perhaps
  EXPECT_TRUE(IsFeature(*found, "weight_code"));
}

TEST_F(LookAtDataTest, OutcomesAreCounted) {
  const auto found = Look("a,b,c,d\n1,x,0,p\n0,y,2.5,q\n1,,0,p\n1,z,7.5,p\n", {"a", "b", "c", "d"});
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(LabelNote(found->labels[0], 4), "binary, 1 in 75.00 % of the rows");
  EXPECT_EQ(LabelNote(found->labels[1], 4),
            "multi-class, 3 classes: \"x\" 33.33 %, \"y\" 33.33 %, \"z\" 33.33 %; without a value in 25.00 %");
  EXPECT_EQ(LabelNote(found->labels[2], 4), "regression, mean 2.5, 0 in 50.00 % of the rows");
  EXPECT_EQ(LabelNote(found->labels[3], 4), "binary, 1 where it is \"q\", in 25.00 % of the rows");
}

}  // namespace
}  // namespace manygate::cli
