// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "manygate/data/reader.h"
#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kHeader = {"t", "x"};

TEST(CsvWriter, PlainText) {
  const TestFolder folder;
  CsvWriter out;
  ASSERT_TRUE(out.Open(folder.Path("t.csv"), kHeader).ok());
  out.Text("a");
  out.Number(0.1f);
  ASSERT_TRUE(out.EndRow().ok());
  out.Integer(-5);
  out.Fixed(2.0 / 3, 4);
  ASSERT_TRUE(out.EndRow().ok());
  out.Missing();
  out.Number(std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(out.EndRow().ok());
  ASSERT_TRUE(out.RawRows("b,1\n").ok());
  EXPECT_FALSE(std::filesystem::exists(folder.Path("t.csv"))) << "not before Close";
  ASSERT_TRUE(out.Close().ok());
  EXPECT_EQ(FileContent(folder.Path("t.csv")), "t,x\na,0.1\n-5,0.6667\n,\nb,1\n");
}

TEST(CsvWriter, QuotesWhereTheReaderNeedsThem) {
  const auto written = [](std::string_view text, char delimiter) {
    std::string out;
    AppendCsvText(text, delimiter, &out);
    return out;
  };
  EXPECT_EQ(written("plain text", ','), "plain text");
  EXPECT_EQ(written("a,b", ','), "\"a,b\"");
  EXPECT_EQ(written("a,b", ';'), "a,b");
  EXPECT_EQ(written("say \"hi\"", ','), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(written(" blank", ','), "\" blank\"");
  EXPECT_EQ(written("blank\t", ','), "\"blank\t\"");
  EXPECT_EQ(written("two\nlines", ','), "\"two\nlines\"");
  EXPECT_EQ(written("", ','), "");
}

TEST(CsvWriter, ComesBackValueForValue) {
  const TestFolder folder;
  const std::vector<std::string> texts = {"x",     "a,b",       "\"",   "\"\"",     " y ",
                                          "\ttab", "line\nend", "cr\r", "5\" disk", "é"};
  const std::vector<float> numbers = {0.1f,  -1e-45f, 3.4028235e38f, 16777217.0f, 1.0f / 3,
                                      -0.0f, 1e10f,   123456.789f,   5e-5f,       2};
  for (const char* name : {"t.csv", "t.csv.gz", "t.csv.zst"}) {
    CsvWriter out;
    ASSERT_TRUE(out.Open(folder.Path(name), std::vector<std::string>{"a name, with comma", "x"}).ok());
    for (int repeat = 0; repeat < 20000; ++repeat) {
      for (size_t i = 0; i < texts.size(); ++i) {
        out.Text(texts[i]);
        out.Number(numbers[i]);
        ASSERT_TRUE(out.EndRow().ok());
      }
    }
    ASSERT_TRUE(out.Close().ok());
    SourceOptions options;
    options.with_header = true;
    ThreadPool pool(2);
    const std::string path = folder.Path(name);
    const StatusOr<Table> table = ReadFiles(
        {&path, 1}, options,
        std::vector<ColumnRequest>{{"a name, with comma", ColumnKind::kCategory}, {"x", ColumnKind::kNumber}}, pool);
    ASSERT_TRUE(table.ok()) << table.status().message();
    ASSERT_EQ(table->rows, 200000);
    for (int64_t row = 0; row < table->rows; row += 1009) {
      const size_t i = static_cast<size_t>(row) % texts.size();
      EXPECT_EQ(table->columns[0].dictionary[table->columns[0].Code(row)], texts[i]);
      EXPECT_EQ(table->columns[1].numbers[row], numbers[i]);
    }
  }
  EXPECT_EQ(FileContent(folder.Path("t.csv.gz")).substr(0, 2), "\x1F\x8B");
  EXPECT_EQ(FileContent(folder.Path("t.csv.zst")).substr(0, 4), "\x28\xB5\x2F\xFD");
  for (const char* name : {"t.csv.gz", "t.csv.zst"})
    EXPECT_LT(std::filesystem::file_size(folder.Path(name)), std::filesystem::file_size(folder.Path("t.csv")) / 4);
}

TEST(CsvWriter, OneEmptyValueIsNoEmptyLine) {
  const TestFolder folder;
  CsvWriter out;
  ASSERT_TRUE(out.Open(folder.Path("t.csv"), std::vector<std::string>{"t"}).ok());
  out.Missing();
  ASSERT_TRUE(out.EndRow().ok());
  out.Text("a");
  ASSERT_TRUE(out.EndRow().ok());
  ASSERT_TRUE(out.Close().ok());
  EXPECT_EQ(FileContent(folder.Path("t.csv")), "t\n\"\"\na\n");
}

TEST(CsvWriter, NothingIsLeftWithoutClose) {
  const TestFolder folder;
  {
    CsvWriter out;
    ASSERT_TRUE(out.Open(folder.Path("t.csv"), kHeader).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  CsvWriter out;
  EXPECT_THAT(out.Open(folder.Path("absent/t.csv"), kHeader).message(), HasSubstr("absent/t.csv"));
}

TEST(CsvWriterDeathTest, WrongNumberOfValues) {
  const TestFolder folder;
  CsvWriter out;
  ASSERT_TRUE(out.Open(folder.Path("t.csv"), kHeader).ok());
  out.Text("a");
  EXPECT_DEATH((void)out.EndRow(), "1 values, 2 columns");
}

}  // namespace
}  // namespace manygate
