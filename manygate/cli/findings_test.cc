// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/findings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "manygate/base/file.h"

namespace manygate::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ParseColumnNamesTest, NamesAreTrimmedAndDiffer) {
  EXPECT_THAT(*ParseColumnNames("age, capital gain ,y"), ElementsAre("age", "capital gain", "y"));
  EXPECT_EQ(ParseColumnNames("age,,y").status().message(), "--columns: name 2 is empty");
  EXPECT_EQ(ParseColumnNames("age,y,age").status().message(),
            "--columns: \"age\" is there twice, as name 1 and name 3");
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
