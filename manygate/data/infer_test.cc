// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/infer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

InferredSchema Infer(const std::string& text, const SourceOptions& options = {.with_header = true}, int threads = 1) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", text);
  ThreadPool pool(threads);
  StatusOr<InferredSchema> schema = InferColumns({&file, 1}, options, pool);
  EXPECT_TRUE(schema.ok()) << schema.status().message();
  return schema.ok() ? *std::move(schema) : InferredSchema();
}

TEST(InferColumns, KindsRangesAndCounts) {
  const InferredSchema schema =
      Infer("whole,number,text,none,date\n1,0.5,a,,2024-01-01\n-3,,b,,2024-01-02\n1,2e3,a,,2024-01-03\n,7,,,\n");
  EXPECT_EQ(schema.rows, 4);
  ASSERT_EQ(schema.columns.size(), 5u);
  const InferredColumn& whole = schema.columns[0];
  EXPECT_EQ(whole.name, "whole");
  EXPECT_EQ(whole.kind, InferredKind::kInteger);
  EXPECT_EQ(whole.distinct, 2);
  EXPECT_FALSE(whole.distinct_capped);
  EXPECT_EQ(whole.missing, 1);
  EXPECT_EQ(whole.minimum, -3);
  EXPECT_EQ(whole.maximum, 1);
  EXPECT_THAT(whole.examples, ElementsAre("1", "-3"));
  const InferredColumn& number = schema.columns[1];
  EXPECT_EQ(number.kind, InferredKind::kNumber);
  EXPECT_EQ(number.minimum, 0.5);
  EXPECT_EQ(number.maximum, 2000);
  EXPECT_EQ(number.distinct, 3);
  EXPECT_EQ(schema.columns[2].kind, InferredKind::kText);
  EXPECT_EQ(schema.columns[2].missing, 1);
  EXPECT_EQ(schema.columns[3].kind, InferredKind::kEmpty);
  EXPECT_EQ(schema.columns[3].missing, 4);
  EXPECT_EQ(schema.columns[4].kind, InferredKind::kDate);
  EXPECT_EQ(schema.columns[4].minimum, 0);
}

TEST(InferColumns, DatesAreNoFeatures) {
  std::string text = "iso,day_number,code,when,date,timestamp,seconds,millis_ts,day,time\n";
  for (int i = 0; i < 40; ++i)
    text += fmt::format(
        "2024-01-{0:02} 10:{0:02}:00,202401{0:02},202401{0:02},{0}/1/2024,{0}.1.2024,{1},{1},{1}123,{0},{2}\n",
        1 + i % 28, 1706704380 + i % 30 * 3600, i % 3 * 20);
  const InferredSchema schema = Infer(text);
  std::vector<std::string> kinds;
  for (const InferredColumn& column : schema.columns) kinds.push_back(InferredKindName(column.kind));
  // In other ways than ISO 8601 only where the name says so: a code may look like a day.
  EXPECT_THAT(kinds,
              ElementsAre("date", "date", "integer", "text", "date", "date", "integer", "date", "integer", "integer"));
  EXPECT_EQ(schema.columns[0].suggestion, FeatureSuggestion::kSkip);
  EXPECT_THAT(schema.columns[0].reason, HasSubstr("dates, like \"2024-01-01 10:01:00\": days to come are unknown"));
}

TEST(InferColumns, OneValueThatIsNoDateMakesTexts) {
  EXPECT_EQ(Infer("date\n2024-01-01\n2024-01-02\nnever\n").columns[0].kind, InferredKind::kText);
  EXPECT_EQ(Infer("date\n2024-01-01\n2024-02-30\n").columns[0].kind, InferredKind::kText);
  EXPECT_EQ(Infer("date\n20240101\n20240199\n").columns[0].kind, InferredKind::kInteger);
}

TEST(InferColumns, TextsOfSeveralValues) {
  const std::vector<std::string> genres = {"action", "comedy", "crime", "drama", "horror", "war"};
  std::string text = "genres,history,city\n";
  for (int i = 0; i < 200; ++i) {
    std::string list, history;
    for (int g = 0; g < 6; ++g)
      if ((1 + i % 63) >> g & 1) list += (list.empty() ? "" : "|") + genres[static_cast<size_t>(g)];
    for (int item = 0; item <= i % 5; ++item)
      history += (item > 0 ? " " : "") + std::to_string(100 + (i * 7 + item * 31) % 40);
    text += fmt::format("{},{},Town {}\n", list, history, i % 30);
  }
  const InferredSchema schema = Infer(text);
  EXPECT_EQ(schema.columns[0].separator, "|");
  EXPECT_EQ(schema.columns[0].values, 6);
  EXPECT_EQ(schema.columns[0].suggestion, FeatureSuggestion::kId);
  EXPECT_EQ(schema.columns[0].reason, "texts of several values between \"|\", 6 different ones");
  EXPECT_EQ(schema.columns[1].separator, " ");
  EXPECT_EQ(schema.columns[1].values, 40);
  EXPECT_EQ(schema.columns[2].separator, "");
}

// Nowhere in the real data are several values in one text.
TEST(InferColumns, RealFilesHaveNeitherListsNorDates) {
  if (RealDataFile("README.md").empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  ThreadPool pool(2);
  for (const char* name :
       {"census-income/census-income.test.gz", "adult/adult.data.gz", "bank-marketing/bank-full.csv.gz",
        "bank-marketing/bank-additional-full.csv.gz", "hillstrom/hillstrom.csv.gz",
        "ali-ccp-sample/ali_ccp_train_sample.csv", "ali-ccp-sample/aitm/train/train.csv",
        "aliexpress-sample/aliexpress_train_sample.csv", "taobao-ad-sample/alimama_sampled_train.txt.gz"}) {
    const std::string file = RealDataFile(name);
    const StatusOr<InferredSchema> schema = InferColumns({&file, 1}, *DetectDialect(file, SourceOptions()), pool);
    ASSERT_TRUE(schema.ok()) << schema.status().message();
    for (const InferredColumn& column : schema->columns) {
      EXPECT_EQ(column.separator, "") << name << " " << column.name;
      EXPECT_NE(column.kind, InferredKind::kDate) << name << " " << column.name;
    }
  }
}

TEST(InferColumns, MissingValuesAreNoTexts) {
  SourceOptions options{.with_header = true, .missing_values = {"?"}};
  EXPECT_EQ(Infer("x\n1\n?\n3\n").columns[0].kind, InferredKind::kText);
  const InferredColumn x = Infer("x\n1\n?\n3\n", options).columns[0];
  EXPECT_EQ(x.kind, InferredKind::kInteger);
  EXPECT_EQ(x.missing, 1);
  EXPECT_EQ(x.distinct, 2);
}

TEST(InferColumns, NumbersBeyondFloatAreText) {
  EXPECT_EQ(Infer("x\n1e300\n2\n").columns[0].kind, InferredKind::kText);
}

TEST(InferColumns, Suggestions) {
  std::string text = "row_id,user_id,age,zip,userType,price,city,constant,free_text,middle\n";
  for (int i = 0; i < 40; ++i)
    text += fmt::format("{},{},{},{},{},{}.5,c{},7,text {},{}\n", i, i % 9, 20 + i % 5, 8000 + i % 4, i % 3, i, i % 6,
                        i, i % 2);
  const InferredSchema schema = Infer(text);
  std::vector<std::string> suggestions;
  for (const InferredColumn& column : schema.columns) suggestions.push_back(FeatureSuggestionName(column.suggestion));
  EXPECT_THAT(suggestions, ElementsAre("skip", "id", "number", "id", "id", "number", "id", "skip", "skip", "number"));
  EXPECT_EQ(schema.columns[1].reason, "whole numbers; the name says id");
  EXPECT_EQ(schema.columns[4].reason, "whole numbers; the name says type");
  EXPECT_EQ(schema.columns[7].reason, "the same value in every row");
  EXPECT_EQ(schema.columns[8].reason, "a different text in every row");
}

TEST(InferColumns, DistinctIsCappedAndThreadsDoNotMatter) {
  std::string text = "id,x\n";
  for (int i = 0; i < 150000; ++i) text += fmt::format("user number {},{}\n", i, i % 70000);
  for (int threads : {1, 2, 4}) {
    const InferredSchema schema = Infer(text, {.with_header = true}, threads);
    EXPECT_EQ(schema.rows, 150000);
    EXPECT_EQ(schema.columns[0].distinct, kDistinctCap);
    EXPECT_TRUE(schema.columns[0].distinct_capped);
    EXPECT_EQ(schema.columns[1].distinct, kDistinctCap);
    EXPECT_EQ(schema.columns[1].maximum, 69999) << "the range goes on behind the cap";
    EXPECT_EQ(schema.columns[1].kind, InferredKind::kInteger);
  }
}

TEST(InferColumns, ErrorsAreThoseOfTheReader) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "a,b\n1\n");
  ThreadPool pool(1);
  EXPECT_THAT(InferColumns({&file, 1}, {.with_header = true}, pool).status().message(),
              HasSubstr("t.csv:2: found 1 field, expected 2"));
  EXPECT_EQ(InferColumns({}, {}, pool).status().code(), StatusCode::kInvalidInput);
}

struct Dialect {
  std::string text;
  char delimiter;
  bool with_header;
  uint64_t skip_lines = 0;
};

TEST(DetectDialect, DelimiterHeaderAndTitle) {
  const std::vector<Dialect> cases = {
      {"a,b\n1,x\n2,y\n", ',', true},
      {"a;b\n1;x\n2;y\n", ';', true},
      {"a\tb\n1\tx y\n2\ty, z\n", '\t', true},
      {"a|b|c\n1|x|2\n", '|', true},
      {"1,x\n2,y\n", ',', false},
      {"a,b\nc,d\ne,f\n", ',', true},             // texts only, and the first row never comes again
      {"a,b\nc,b\na,f\n", ',', false},            // ... but here it does
      {"price;name\n0,5;x\n1,5;y\n", ';', true},  // decimal commas
      {"\"a,x\";\"b\"\n\"1;2\";3\n", ';', true},  // delimiters in quotes
      {"|1x3 Cross validator\n25, a, 3\n38, b, 4\n28, c, 5\n", ',', false, 1},
      {"Report of 2024\na,b\n1,2\n3,4\n", ',', true, 1},
      {"a,a\n1,2\n", ',', false},                    // a header has different names
      {"click,101,121\n0,5,6\n1,7,8\n", ',', true},  // some names are numbers
      {"NA,101,121\n0,5,6\n1,7,8\n", ',', false},    // ... but a missing value is no name
      {"value\n1\n2\n", ',', true},
      {"1\n2\n", ',', false},
  };
  for (const Dialect& expected : cases) {
    SCOPED_TRACE(expected.text);
    const TestFolder folder;
    const StatusOr<SourceOptions> found = DetectDialect(folder.Write("t.csv", expected.text), SourceOptions());
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_EQ(found->delimiter, expected.delimiter);
    EXPECT_EQ(found->with_header, expected.with_header);
    EXPECT_EQ(found->skip_lines, expected.skip_lines);
  }
}

TEST(DetectDialect, KeepsWhatItIsGiven) {
  const TestFolder folder;
  SourceOptions options{.names = {"p", "q"}, .trim_blanks = false, .missing_values = {"?"}};
  const StatusOr<SourceOptions> found = DetectDialect(folder.Write("t.csv", "1;?\n2;3\n"), options);
  EXPECT_EQ(found->delimiter, ';');
  EXPECT_FALSE(found->trim_blanks);
  EXPECT_THAT(found->missing_values, ElementsAre("?"));
  EXPECT_THAT(found->names, ElementsAre("p", "q"));
  EXPECT_THAT(DetectDialect(folder.Path("absent.csv"), options).status().message(), HasSubstr("cannot be opened"));
  EXPECT_THAT(DetectDialect(folder.Write("e.csv", "\n\n"), options).status().message(), HasSubstr("has no rows"));
}

TEST(DetectDialect, RealFiles) {
  if (RealDataFile("README.md").empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  for (const auto& [name, delimiter, header, skip] :
       {std::tuple{"census-income/census-income.data.noweight.gz", ',', false, 0u},
        {"adult/adult.data.gz", ',', false, 0u},
        {"adult/adult.test.gz", ',', false, 1u},
        {"bank-marketing/bank-full.csv.gz", ';', true, 0u},
        {"bank-marketing/bank-additional-full.csv.gz", ';', true, 0u},
        {"hillstrom/hillstrom.csv.gz", ',', true, 0u},
        {"ali-ccp-sample/ali_ccp_train_sample.csv", ',', true, 0u},
        {"ali-ccp-sample/aitm/train/train.csv", ',', true, 0u},
        {"ali-ccp-sample/aitm/test/test.csv", ',', false, 0u},
        {"aliexpress-sample/aliexpress_train_sample.csv", ',', true, 0u},
        {"taobao-ad-sample/alimama_sampled_train.txt.gz", ',', false, 0u}}) {
    SCOPED_TRACE(name);
    const StatusOr<SourceOptions> found = DetectDialect(RealDataFile(name), SourceOptions());
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_EQ(found->delimiter, delimiter);
    EXPECT_EQ(found->with_header, header);
    EXPECT_EQ(found->skip_lines, skip);
  }
}

TEST(InferColumns, HillstromIsUnderstoodAsDescribed) {
  const std::string file = RealDataFile("hillstrom/hillstrom.csv.gz");
  if (file.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  ThreadPool pool(2);
  const StatusOr<InferredSchema> schema = InferColumns({&file, 1}, *DetectDialect(file, SourceOptions()), pool);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->rows, 64000);
  const InferredColumn& recency = schema->columns[0];
  EXPECT_EQ(recency.kind, InferredKind::kInteger);
  EXPECT_EQ(recency.minimum, 1);
  EXPECT_EQ(recency.maximum, 12);
  EXPECT_EQ(schema->columns[1].distinct, 7);
  EXPECT_EQ(schema->columns[1].kind, InferredKind::kText);
  const InferredColumn& history = schema->columns[2];
  EXPECT_EQ(history.kind, InferredKind::kNumber);
  EXPECT_EQ(history.minimum, 29.99);
  EXPECT_EQ(history.maximum, 3345.93);
  EXPECT_EQ(schema->columns[11].name, "spend");
  EXPECT_EQ(schema->columns[11].maximum, 499);
}

TEST(FirstLine, ValuesOfARowOrNames) {
  const TestFolder folder;
  const std::string rows = folder.Write("rows.csv", " 39, Private,,x\n1,2,3,4\n");
  EXPECT_THAT(*FirstLine(rows, SourceOptions()), ElementsAre("39", "Private", "", "x"));
  const std::string titled = folder.Write("titled.csv", "a title\nn;t\n1;2\n");
  EXPECT_THAT(*FirstLine(titled, {.delimiter = ';', .with_header = true, .skip_lines = 1}), ElementsAre("n", "t"));
  EXPECT_FALSE(FirstLine(folder.Write("empty.csv", ""), SourceOptions()).ok());
}

}  // namespace
}  // namespace manygate
