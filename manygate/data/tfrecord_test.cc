// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/tfrecord.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/crc32c.h"
#include "manygate/data/number_text.h"
#include "manygate/data/test_files.h"
#include "manygate/data/test_records.h"
#include "manygate/data/test_tables.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr ColumnKind kText = ColumnKind::kCategory;
constexpr ColumnKind kNumber = ColumnKind::kNumber;

SourceOptions Options(std::vector<std::string> missing_values = {}) {
  SourceOptions options;
  options.dataset_type = config::TFRecordDataset;
  options.missing_values = std::move(missing_values);
  return options;
}

StatusOr<Table> Read(const std::vector<std::string>& files, const std::vector<ColumnRequest>& requests,
                     const SourceOptions& options = Options(), int threads = 1) {
  ThreadPool pool(threads);
  return ReadFiles(files, options, requests, pool);
}

// Of one record after the other.
StatusOr<Table> ReadExamples(const std::vector<std::string>& examples, const std::vector<ColumnRequest>& requests,
                             const SourceOptions& options = Options()) {
  const TestFolder folder;
  std::string content;
  for (const std::string& example : examples) content += Record(example);
  StatusOr<Table> table = Read({folder.Write("t", content)}, requests, options);
  if (table.ok()) return table;
  std::string message = table.status().message();  // without the folder of the test
  for (size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;)
    message.erase(at, folder.path().size() + 1);
  return InvalidInput(message);
}

TEST(TfRecordReader, EachKindOfListAsTextAndAsNumber) {
  const std::vector<std::string> examples = {
      Example({{"t", Texts({"35"})}, {"i", Integers({-7})}, {"f", Floats({0.1f})}}),
      Example({{"f", Floats({3})}, {"i", Integers({9007199254740993})}, {"t", Texts({"1e3"})}}),
      Example({{"t", Texts({})}, {"i", Integers({})}, {"f", Floats({NAN})}}),
      Example({{"t", ""}, {"i", Integers({16777217})}}),
  };
  EXPECT_EQ(TableText(ReadExamples(examples, {{"t", kText}, {"i", kText}, {"f", kText}})),
            "35,-7,0.1|1e3,9007199254740993,3|,,|,16777217,");
  EXPECT_EQ(TableText(ReadExamples(examples, {{"f", kNumber}, {"t", kNumber}, {"i", kNumber}})),
            "0.1,35,-7|3,1000,9007199000000000|nan,nan,nan|nan,nan,16777216");
}

TEST(TfRecordReader, SeveralValuesStandInOneText) {
  const std::vector<std::string> examples = {
      Example({{"t", Texts({"a", "", "b"})}, {"i", Integers({1, -2})}, {"f", Floats({0.5, 2})}}),
      Example({{"t", Texts({"a"})}, {"i", Integers({3})}, {"f", Floats({1})}}),
  };
  EXPECT_EQ(TableText(ReadExamples(examples, {{"t", kText}, {"i", kText}, {"f", kText}})), "a++b,1+-2,0.5+2|a,3,1");
  EXPECT_EQ(ReadExamples(examples, {{"i", kNumber}, {"f", kNumber}}).status().message(),
            "t: record 1 (byte 0): feature \"i\": found 2 values, expected one number; declare the column as an "
            "id_feature\n"
            "t: record 1 (byte 0): feature \"f\": found 2 values, expected one number; declare the column as an "
            "id_feature");
}

TEST(TfRecordReader, MissingValuesCountInAllLists) {
  const std::vector<std::string> examples = {
      Example({{"t", Texts({"?"})}, {"i", Integers({-1})}, {"f", Floats({-1})}}),
      Example({{"t", Texts({"7"})}, {"i", Integers({1})}, {"f", Floats({1})}}),
  };
  EXPECT_EQ(TableText(ReadExamples(examples, {{"t", kText}, {"i", kText}, {"f", kText}}, Options({"?", "-1"}))),
            ",,|7,1,1");
  EXPECT_EQ(TableText(ReadExamples(examples, {{"t", kNumber}, {"i", kNumber}, {"f", kNumber}}, Options({"?", "-1"}))),
            "nan,nan,nan|7,1,1");
}

// Texts of no byte, before any other text of the block.
TEST(TfRecordReader, NanAlone) {
  const std::vector<std::string> examples = {Example({{"f", Floats({NAN})}}), Example({{"f", Floats({NAN, NAN})}})};
  EXPECT_EQ(TableText(ReadExamples(examples, {{"f", kText}})), "|+");
  EXPECT_EQ(TableText(ReadExamples({examples[0]}, {{"f", kNumber}}, Options({"-1"}))), "nan");
}

TEST(TfRecordReader, OfANameThatIsThereTwiceTheLastOneCounts) {
  // As in every map of protocol buffers; and lists that are not packed.
  const std::string unpacked = Message(3, Varint(8) + Varint(4) + Varint(8) + Varint(5));
  const std::string floats = Message(2, Varint(13) + std::string("\0\0\xc0\x3f", 4));
  EXPECT_EQ(TableText(ReadExamples({Example({{"a", Texts({"x", "y"})}, {"a", unpacked}, {"b", floats}})},
                                   {{"a", kText}, {"b", kText}})),
            "4+5,1.5");
  // Lists of one kind are one list, of another kind begin anew.
  EXPECT_EQ(TableText(ReadExamples({Example({{"a", Texts({"x"}) + Integers({1}) + Integers({2})}})}, {{"a", kText}})),
            "1+2");
}

TEST(TfRecordReader, ColumnsAreOrderedByNameWithNumbersInOrder) {
  const TestFolder folder;
  std::string many;
  for (int i = 0; i < 20000; ++i)
    many += Record(Example({{"f10", Integers({i})}, {"f2", Texts({"some text to fill"})}}));
  const std::string file = folder.Write("a", many + Record(Example({{"z", Texts({})}})));
  const std::string other = folder.Write("b", Record(Example({{"B", Texts({})}, {"f2", ""}})));
  const StatusOr<Columns> first = ReadColumns({{file, other}}, Options(), false);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_THAT(first->names, ElementsAre("B", "f2", "f10"));
  EXPECT_TRUE(first->open);
  EXPECT_THAT(ReadColumns({{file, other}}, Options(), true)->names, ElementsAre("B", "f2", "f10", "z"));
}

TEST(TfRecordReader, ARequestedColumnThatNoRecordHas) {
  const std::vector<std::string> examples = {Example({{"click", Integers({1})}, {"city", Texts({"Rome"})}})};
  EXPECT_EQ(ReadExamples(examples, {{"clik", kNumber}}).status().message(),
            "t: no record has the column \"clik\". Did you mean \"click\"? Columns: city, click");
  const auto beside = ReadExamples(examples, {{"clik", kNumber}, {"city", kText}});
  ASSERT_TRUE(beside.ok()) << "one column may be missing in every record: " << beside.status().message();
  EXPECT_TRUE(std::isnan(beside->columns[0].numbers[0]));
  EXPECT_EQ(ReadExamples({}, {{"x", kText}}).status().message(), "t: is empty");
}

TEST(TfRecordReader, ValuesThatTheColumnCannotHold) {
  const std::vector<std::string> examples = {
      Example({{"t", Texts({"abc"})}, {"f", Floats({1})}}),
      Example({{"t", Texts({"\xff\xfe"})}, {"f", Floats({std::numeric_limits<float>::infinity()})}}),
  };
  EXPECT_EQ(ReadExamples(examples, {{"t", kText}}).status().message(),
            fmt::format("t: record 2 (byte {}): feature \"t\": the value is not UTF-8 text, which is all that a column "
                        "can hold",
                        Record(examples[0]).size()));
  const std::string numbers = ReadExamples(examples, {{"t", kNumber}, {"f", kNumber}}).status().message();
  EXPECT_THAT(numbers,
              StartsWith("t: record 1 (byte 0): feature \"t\": found \"abc\", expected a number; if it means"));
  EXPECT_THAT(numbers, HasSubstr("feature \"t\": found \"bytes that are not UTF-8\", expected a number"));
  EXPECT_THAT(numbers, HasSubstr("feature \"f\": found inf, expected a finite number"));
}

TEST(TfRecordReader, RecordsThatAreNoExamples) {
  const std::string good = Example({{"a", Texts({"x"})}});
  const auto problem = [&](const std::string& bad) {
    return ReadExamples({good, bad}, {{"a", kText}}).status().message();
  };
  const std::string place = fmt::format("t: record 2 (byte {}): is not a tf.Example: ", Record(good).size());
  EXPECT_EQ(problem("some text"), place + "it holds a field that no tf.Example has");
  EXPECT_EQ(problem(good.substr(0, good.size() - 1)), place + "it ends within a field");
  EXPECT_EQ(problem(good + Message(2, "")),
            place + "it is a tf.SequenceExample, whose features are sequences of lists");
  EXPECT_EQ(problem(Example({{"a", Message(4, "")}})), place + "it holds a field that no tf.Example has");
  EXPECT_EQ(problem(Example({{"a", Message(2, Message(1, "abc"))}})), place + "it ends within a field");
  EXPECT_EQ(problem(Example({{"a", Message(3, Message(1, "\xff"))}})), place + "it ends within a field");
}

TEST(TfRecordReader, DamagedFiles) {
  const std::string one = Record(Example({{"a", Texts({"x"})}}));
  const TestFolder folder;
  const auto problem = [&](const std::string& content) {
    const std::string file = folder.Write("t", content);
    std::string message = Read({file}, {{"a", kText}}).status().message();
    EXPECT_THAT(message, StartsWith(file + ": "));
    return message.substr(file.size() + 2);
  };
  std::string bad_content = one + one + one;
  bad_content[one.size() + kRecordHeadBytes] ^= 1;
  EXPECT_EQ(problem(bad_content), fmt::format("record 2 (byte {}): the checksum of its content is wrong: the file is "
                                              "damaged",
                                              one.size()));
  std::string bad_length = one + one;
  bad_length[one.size()] ^= 1;
  EXPECT_EQ(problem(bad_length), fmt::format("record 2 (byte {}): the checksum of its length is wrong: the file is "
                                             "damaged",
                                             one.size()));
  EXPECT_EQ(
      problem(one + one.substr(0, 20)),
      fmt::format("record 2 (byte {}): the file ends 20 bytes into it; it was cut off (copy it again)", one.size()));
  EXPECT_EQ(
      problem(one + "abc"),
      fmt::format("record 2 (byte {}): the file ends 3 bytes into it; it was cut off (copy it again)", one.size()));
  EXPECT_EQ(
      problem("a,b\n1,2\n3,4\n5,6\n"),
      "is not a file of TFRecords: the checksum of the first length is wrong. Is data_config.dataset_type right?");
  const uint64_t huge = uint64_t{1} << 40;
  std::string head(reinterpret_cast<const char*>(&huge), sizeof(huge));
  const uint32_t crc = MaskCrc(Crc32c(&huge, sizeof(huge)));
  head.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  EXPECT_EQ(problem(head), "record 1 (byte 0): its length is 1.0 TiB, at most 64 MiB are read");
}

TEST(TfRecordReader, TenProblemsAFile) {
  const TestFolder folder;
  std::string content;
  for (int i = 0; i < 30; ++i) content += Record("not an example");
  const std::string file = folder.Write("t", content);
  const std::string message = Read({file, file}, {{"a", kText}}).status().message();
  EXPECT_THAT(message, HasSubstr("record 10 (byte 270): "));
  EXPECT_THAT(message, testing::Not(HasSubstr("record 11 ")));
  EXPECT_THAT(message, HasSubstr(file + ": 10 problems, stopped looking\n" + file + ": record 1 (byte 0): "));
}

TEST(TfRecordReader, NamesThatAreNoColumns) {
  const TestFolder folder;
  const auto problem = [&](const std::string& name) {
    const std::string file = folder.Write("t", Record(Example({{name, Texts({"x"})}})));
    return ReadColumns({{file}}, Options(), false).status().message().substr(file.size());
  };
  EXPECT_EQ(problem(""), ": record 1 (byte 0): has a feature without a name; every column needs one");
  EXPECT_EQ(problem("\xff"), ": record 1 (byte 0): has a feature whose name is not UTF-8 text");
}

TEST(TfRecordReader, AFeatureWithoutAnyNameIsNoRequestedColumn) {
  const std::string nameless = Message(1, Message(1, Message(2, Texts({"y"}))));
  EXPECT_EQ(TableText(ReadExamples({Example({{"a", Texts({"x"})}}), nameless}, {{"a", kText}})), "x|");
}

// The length of the first record looks like the beginning of another kind of file.
TEST(TfRecordReader, LengthsThatLookLikeOtherFiles) {
  const TestFolder folder;
  for (const size_t size : {size_t{0x8B1F}, size_t{0x088B1F}, size_t{0xFEFF}, size_t{0xFFFE}}) {
    const size_t frame = Example({{"a", Texts({std::string(size - 30, 'x')})}}).size() - (size - 30);
    const std::string example = Example({{"a", Texts({std::string(size - frame, 'x')})}});
    ASSERT_EQ(example.size(), size);
    const StatusOr<Table> table = Read({folder.Write("t", Record(example))}, {{"a", kText}});
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table->columns[0].dictionary[1].size(), size - frame);
  }
}

// Rows enough for several blocks, with a text of every size up to 40 and missing values.
TEST(TfRecordReader, EqualsCsvForAnyBlocksThreadsAndCompression) {
  const TestFolder folder;
  std::string csv = "city,age,x\n", records;
  for (int i = 0; i < 3000; ++i) {
    const std::string city = i % 7 == 0 ? "" : std::string(static_cast<size_t>(i % 41), 'a') + std::to_string(i % 400);
    const float x = 0.1f * static_cast<float>(i);
    csv += fmt::format("{},{},{}\n", city, i % 5 == 0 ? "" : std::to_string(i - 1500), NumberText(x));
    std::vector<std::pair<std::string, std::string>> features = {{"x", Floats({x})}};
    if (i % 7 != 0) features.insert(features.begin() + i % 2, {"city", Texts({city})});
    features.emplace_back("age", i % 5 == 0 ? Integers({}) : Integers({i - 1500}));
    records += Record(Example(features));
  }
  SourceOptions csv_options;
  csv_options.with_header = true;
  const std::vector<ColumnRequest> requests = {{"age", kNumber}, {"city", kText}, {"x", kText}};
  const StatusOr<Table> expected = Read({folder.Write("t.csv", csv)}, requests, csv_options);
  ASSERT_TRUE(expected.ok()) << expected.status().message();
  const std::string plain = folder.Write("t", records);
  for (const std::string& file : {plain, folder.WriteGzip("t.gz", records), folder.WriteZstd("t.zst", records)}) {
    const StatusOr<Table> table = Read({file}, requests, Options(), 3);
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_TRUE(SameContent(*table, *expected)) << file;
  }
  ThreadPool pool(2);
  const SourceOptions options = Options();
  for (const size_t block_bytes : {size_t{1}, size_t{100}, size_t{5000}}) {
    int64_t rows = 0;
    MG_CHECK(MakeTfRecordReader({{plain}}, options, block_bytes)
                 ->ReadRows(requests, pool,
                            [&](RowBlock& block) {
                              for (int64_t row = 0; row < block.rows; ++row, ++rows) {
                                const RowBlock::Column& city = block.columns[1];
                                const Column& all = expected->columns[1];
                                ASSERT_EQ(city.dictionary.text(city.codes[static_cast<size_t>(row)]),
                                          all.dictionary[all.Code(rows)]);
                              }
                            })
                 .ok(),
             "block_bytes {}", block_bytes);
    EXPECT_EQ(rows, 3000);
  }
}

}  // namespace
}  // namespace manygate
