// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/field_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/data/test_files.h"
#include "manygate/data/test_tables.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr ColumnKind kText = ColumnKind::kCategory;
constexpr ColumnKind kNumber = ColumnKind::kNumber;

SourceOptions Options(std::vector<std::string> names = {"id", "click", "buy"}, char delimiter = ',') {
  SourceOptions options;
  options.dataset_type = config::FieldListDataset;
  options.names = std::move(names);
  options.delimiter = delimiter;
  return options;
}

// Reads one file of this text; messages without the folder of the test.
StatusOr<Table> Read(const std::string& text, const std::vector<ColumnRequest>& requests,
                     const SourceOptions& options = Options()) {
  const TestFolder folder;
  ThreadPool pool(1);
  const std::vector<std::string> files = {folder.Write("t", text)};
  StatusOr<Table> table = ReadFiles(files, options, requests, pool);
  if (table.ok()) return table;
  std::string message = table.status().message();
  for (size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;)
    message.erase(at, folder.path().size() + 1);
  return InvalidInput(message);
}

TEST(FieldListReader, LeadingValuesAndFieldsInAnyOrder) {
  const std::string text =
      "17,0,1,101:88,109_14:5,109_14:9\n"
      "18,1,0,109_14:5,7:x,101:90,109_14:6\n"
      "19,1,,\n";
  EXPECT_EQ(TableText(Read(text, {{"109_14", kText}, {"101", kText}, {"id", kText}, {"buy", kNumber}, {"7", kText}})),
            "5+9,88,17,1,|5+6,90,18,0,x|,,19,nan,");
  EXPECT_EQ(TableText(Read(text, {{"101", kNumber}, {"click", kNumber}})), "88,0|90,1|nan,1");
}

TEST(FieldListReader, DelimitersBlanksAndLineEnds) {
  const std::vector<ColumnRequest> requests = {{"id", kText}, {"a", kText}, {"b", kText}};
  EXPECT_EQ(TableText(Read("1\t0\t1\ta:5\tb:x y\t\n2\t0\t0\tb:7", requests, Options({"id", "c", "d"}, '\t'))),
            "1,5,x y|2,,7");
  EXPECT_EQ(TableText(Read("  1 0  1 a:5   b:6 \r\n2 0 0 b:7\r\n\r\n", requests, Options({"id", "c", "d"}, ' '))),
            "1,5,6|2,,7");
  EXPECT_EQ(TableText(Read("1 , a:5 ,b: , b:8,\n", requests, Options({"id"}))), "1,5,8");
  SourceOptions comments = Options({"id"});
  comments.comment = "#";
  comments.skip_lines = 1;
  comments.missing_values = {"-1", "5"};
  EXPECT_EQ(TableText(Read("title\n# comment\n1,a:5,b:7\n#1,a:6\n-1,a:6\n", requests, comments)), "1,,7|,6,");
}

TEST(FieldListReader, ColumnsAreTheLeadingValuesAndThenAllFieldsInOrder) {
  const TestFolder folder;
  std::string many = "1,0,7:1,10:2\n";
  while (many.size() < kTextBlockBytes) many += "1,0,7:1,10:2,9_14:1,9_2:1\n";
  const std::string file = folder.Write("a", many + "2,1,1000:1\n"), other = folder.WriteGzip("b.gz", "2,1,8:1\n");
  const StatusOr<Columns> first = ReadColumns({{file, other}}, Options({}), false);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_TRUE(first->open);
  EXPECT_THAT(first->names, ElementsAre("column_0", "column_1", "7", "8", "9_2", "9_14", "10"));
  EXPECT_THAT(ReadColumns({{file, other}}, Options({"id", "y"}), true)->names,
              ElementsAre("id", "y", "7", "8", "9_2", "9_14", "10", "1000"));
}

TEST(FieldListReader, RowsThatAreNoListsOfFields) {
  const std::string text =
      "1,0,1,a:5\n"
      "2,0,a:5\n"
      "3,0\n"
      "4,0,0,1,a:5\n"
      "5,0,0,a:5:0.3\n"
      "6,0,0,a:5,:7\n"
      "7,0,0,buy:1\n"
      "8,0,0,a:1,b:x,a:2\n";
  EXPECT_EQ(
      Read(text, {{"buy", kNumber}, {"a", kText}, {"b", kNumber}}).status().message(),
      "t:2:3: found 2 values before the first field (\"a:5\"), expected 3 (id, click, buy)\n"
      "t:3: found only 2 values, expected 3 (id, click, buy) before the fields; is the row cut off?\n"
      "t:4:4: found \"1\", expected field:id behind 3 values before the fields\n"
      "t:5:4: found \"a:5:0.3\", expected field:id; weights behind a second colon are not read\n"
      "t:6:5: found \":7\", which names no field; expected field:id\n"
      "t:7:4: the field \"buy\" has the name of a value before the fields; name that otherwise in "
      "data_config.input_fields\n"
      "t:8:5 (b): found \"x\", expected a number; if it means \"missing\", add it to data_config.missing_values; if "
      "the column holds texts or codes, declare it as an id_feature");
  EXPECT_EQ(Read("8,0,0,a:1,b:x,a:2\n", {{"a", kNumber}}).status().message(),
            "t:1:4 (a): found 2 values, expected one number; declare the column as an id_feature");
}

TEST(FieldListReader, ReadColumnsReportsWhatIsWrongToo) {
  const TestFolder folder;
  const std::string file = folder.Write("t", "1,0,1,a:5\n2,0,a:5\n3,0,0,id:5\n4,0,0,\xff:5\n");
  EXPECT_EQ(ReadColumns({{file}}, Options(), false).status().message(),
            file + ":2:3: found 2 values before the first field (\"a:5\"), expected 3 (id, click, buy)\n" + file +
                ":3:4: the field \"id\" has the name of a value before the fields; name that otherwise in "
                "data_config.input_fields\n" +
                file + ":4:4: the field's name is not UTF-8 text");
}

TEST(FieldListReader, EmptyLinesAreAnErrorOnlyBetweenRows) {
  const std::vector<ColumnRequest> requests = {{"id", kText}};
  EXPECT_EQ(TableText(Read("1,0,1,a:5\n\n\n", requests)), "1");
  EXPECT_EQ(Read("1,0,1,a:5\n\n\n2,0,1,a:5\n\n3,0,1,a:5\n", requests).status().message(),
            "t:2: an empty line between rows; remove it\nt:5: an empty line between rows; remove it");
}

TEST(FieldListReader, OtherErrors) {
  EXPECT_EQ(Read("1,0,1,101:5\n", {{"102", kText}}).status().message(),
            "t: no row has the column \"102\". Did you mean \"101\"? Columns: id, click, buy, 101");
  SourceOptions header = Options();
  header.with_header = true;
  EXPECT_THAT(Read("1,0,1,101:5\n", {{"101", kText}}, header).status().message(),
              HasSubstr("data_config.with_header: lists of fields have no line of names"));
  EXPECT_EQ(Read("1,0,1,a:\xff\n", {{"a", kText}}).status().message(),
            "t:1:4 (a): the value is not UTF-8 text, which is all that a column can hold");
  EXPECT_EQ(Read(std::string("1,0,1,a:5\n2,0,1,a:\0\n", 21), {{"a", kText}}).status().message(),
            "t:2: found a NUL byte, expected text");
  std::string many;
  for (int i = 0; i < 30; ++i) many += "1,0\n";
  const std::string message = Read(many, {{"id", kText}}).status().message();
  EXPECT_THAT(message, HasSubstr("t:10: found only 2 values"));
  EXPECT_THAT(message, HasSubstr("\nt: 10 problems, stopped looking"));
  EXPECT_THAT(message, Not(HasSubstr("t:11:")));
}

TEST(FieldListReader, EqualsCsvForAnyBlocksAndThreads) {
  const TestFolder folder;
  std::string csv = "id,click,buy,f7,f10\n", lists;
  for (int i = 0; i < 5000; ++i) {
    const std::string f7 = i % 3 == 0 ? "" : std::to_string(i * 7 % 300);
    const std::string f10 = i % 4 == 0 ? "" : std::string(static_cast<size_t>(i % 40), 'b') + "c";
    csv += fmt::format("{},{},{},{},{}\n", i, i % 2, i % 10 == 0, f7, f10);
    lists += fmt::format("{},{},{}", i, i % 2, i % 10 == 0);
    const std::string seven = f7.empty() ? "" : ",f7:" + f7, ten = f10.empty() ? "" : ",f10:" + f10;
    lists += (i % 5 == 0 ? ten + seven : seven + ten) + ",other:1\n";
  }
  const std::vector<ColumnRequest> requests = {
      {"f10", kText}, {"click", kNumber}, {"id", kText}, {"f7", kNumber}, {"buy", kText}};
  SourceOptions csv_options;
  csv_options.with_header = true;
  ThreadPool pool(3);
  const StatusOr<Table> expected = ReadFiles({{folder.Write("t.csv", csv)}}, csv_options, requests, pool);
  ASSERT_TRUE(expected.ok()) << expected.status().message();
  for (const std::string& file : {folder.Write("t", lists), folder.WriteZstd("t.zst", lists)}) {
    const StatusOr<Table> table = ReadFiles({{file}}, Options(), requests, pool);
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_TRUE(SameContent(*table, *expected)) << file;
  }
  const SourceOptions options = Options();
  for (const size_t block_bytes : {size_t{16}, size_t{1000}}) {
    int64_t rows = 0;
    const Status status =
        MakeFieldListReader({{folder.Path("t")}}, options, block_bytes)->ReadRows(requests, pool, [&](RowBlock& block) {
          for (int64_t row = 0; row < block.rows; ++row, ++rows) {
            const RowBlock::Column& id = block.columns[2];
            ASSERT_EQ(id.dictionary.text(id.codes[static_cast<size_t>(row)]), std::to_string(rows));
          }
        });
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(rows, 5000);
  }
}

TEST(FieldListReader, PlacesDoNotDependOnTheBlocks) {
  const TestFolder folder;
  std::string text;
  for (int i = 1; i <= 300; ++i) text += i == 250 ? "\n" : i == 270 ? "1,0\n" : "1,0,1,a:5\n";
  const std::string file = folder.Write("t", text);
  const std::vector<ColumnRequest> requests = {{"a", kText}};
  const SourceOptions options = Options();
  for (const size_t block_bytes : {size_t{12}, size_t{100}, kTextBlockBytes}) {
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      EXPECT_EQ(
          MakeFieldListReader({{file}}, options, block_bytes)->ReadRows(requests, pool, [](RowBlock&) {}).message(),
          file + ":250: an empty line between rows; remove it\n" + file +
              ":270: found only 2 values, expected 3 (id, click, buy) before the fields; is the row cut off?");
    }
  }
}

TEST(FieldListReader, AliCcpSample) {
  const std::string file = RealDataFile("ali-ccp-sample/esmm/train/small.txt.gz");
  if (file.empty()) GTEST_SKIP() << "no ali-ccp-sample";
  const SourceOptions options = Options({"sample_id", "click", "purchase"});
  const StatusOr<Columns> columns = ReadColumns({{file}}, options, true);
  ASSERT_TRUE(columns.ok()) << columns.status().message();
  EXPECT_THAT(columns->names, ElementsAre("sample_id", "click", "purchase", "101", "109_14", "110_14", "121", "122",
                                          "124", "125", "127", "127_14", "128", "129", "150_14", "205", "206", "207",
                                          "210", "216", "301", "508", "509", "702", "853"));
  ThreadPool pool(2);
  const std::vector<ColumnRequest> requests = {
      {"click", kNumber}, {"purchase", kNumber}, {"210", kText}, {"702", kText}};
  const StatusOr<Table> table = ReadFiles({{file}}, options, requests, pool);
  EXPECT_EQ(TableText(table).substr(0, 60), "1,1,1+2+3,|0,0,877+878+879+880+881,|1,0,886+887+896+897+898+");
  EXPECT_EQ(table->rows, 10);
}

}  // namespace
}  // namespace manygate
