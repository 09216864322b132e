// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/cache.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "manygate/data/source.h"
#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<ColumnRequest> kRequests = {
    {"city", ColumnKind::kCategory}, {"age", ColumnKind::kNumber}, {"id", ColumnKind::kCategory}};

// A source, its cache, and a reader that collects the notes.
class CacheTest : public ::testing::Test {
 protected:
  CacheTest() {
    std::string text = "city,age,id\n";
    for (int i = 0; i < 1000; ++i) {
      text += fmt::format("{},{},u{}\n", i % 3 == 0 ? "Rome" : i % 3 == 1 ? "Oslo" : "", i % 90, i % 700);
    }
    source_ = folder_.Write("t.csv", text);
    options_.with_header = true;
    MakeOld(source_);
  }

  // Times have a coarse grain on some systems: a file written just now must differ from one written next.
  static void MakeOld(const std::string& path) {
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) - std::chrono::hours(1));
  }

  Table Read() {
    notes_.clear();
    ThreadPool pool(1);
    StatusOr<Table> table = ReadTableFiles({&source_, 1}, options_, kRequests, pool, cache_dir_, &notes_);
    EXPECT_TRUE(table.ok()) << table.status().message();
    return *std::move(table);
  }

  CacheKey Key() const { return {{source_}, options_.Fingerprint(), kRequests}; }
  std::string File() const { return CachePath(cache_dir_, Key()); }
  CacheLookup Load() const { return LoadCache(cache_dir_, Key()); }

  static void ExpectExpected(const Table& table) {
    ASSERT_EQ(table.rows, 1000);
    ASSERT_EQ(table.columns.size(), 3u);
    EXPECT_THAT(table.columns[0].dictionary, ElementsAre("", "Rome", "Oslo"));
    EXPECT_EQ(table.columns[0].code_bytes, 1);
    EXPECT_EQ(table.columns[2].code_bytes, 2);
    EXPECT_EQ(table.columns[2].dictionary.size(), 701u);
    for (int64_t row = 0; row < 1000; ++row) {
      ASSERT_EQ(table.columns[0].Code(row), row % 3 == 2 ? 0u : static_cast<uint32_t>(row % 3 + 1));
      ASSERT_EQ(table.columns[1].numbers[row], static_cast<float>(row % 90));
      ASSERT_EQ(table.columns[2].dictionary[table.columns[2].Code(row)], fmt::format("u{}", row % 700));
    }
  }

  TestFolder folder_;
  const std::string cache_dir_ = folder_.Path("cache/below");
  std::string source_;
  SourceOptions options_;
  std::vector<std::string> notes_;
};

TEST_F(CacheTest, FirstReadWritesSecondLoads) {
  EXPECT_FALSE(Load().table.has_value());
  EXPECT_EQ(Load().note, "") << "no cache yet is nothing to speak of";
  ExpectExpected(Read());
  EXPECT_THAT(notes_, IsEmpty());
  const CacheLookup found = Load();
  EXPECT_EQ(found.note, "");
  ASSERT_TRUE(found.table.has_value());
  EXPECT_EQ(found.table->source, source_);
  ExpectExpected(*found.table);
  const auto written = std::filesystem::last_write_time(File());
  ExpectExpected(Read());
  EXPECT_THAT(notes_, IsEmpty());
  EXPECT_EQ(std::filesystem::last_write_time(File()), written) << "not written again";
}

TEST_F(CacheTest, OffWritesNothing) {
  ThreadPool pool(1);
  for (const std::string dir : {"", "off"}) {
    ASSERT_TRUE(ReadTableFiles({&source_, 1}, options_, kRequests, pool, dir, nullptr).ok());
  }
  EXPECT_FALSE(std::filesystem::exists("off"));
  EXPECT_FALSE(std::filesystem::exists(cache_dir_));
}

TEST_F(CacheTest, OtherOptionsAndColumnsHaveOtherFiles) {
  CacheKey other = Key();
  other.options += "x";
  EXPECT_NE(CachePath(cache_dir_, other), File());
  other = Key();
  other.requests[1].kind = ColumnKind::kCategory;
  EXPECT_NE(CachePath(cache_dir_, other), File());
  other = Key();
  other.files.push_back("more.csv");
  EXPECT_NE(CachePath(cache_dir_, other), File());
  EXPECT_THAT(File(), HasSubstr("/t.csv-"));
}

TEST_F(CacheTest, ChangedSourceIsReadAgain) {
  ExpectExpected(Read());
  folder_.Write("t.csv", "city,age,id\nBern,1,a\n");
  const Table table = Read();
  EXPECT_EQ(table.rows, 1);
  EXPECT_THAT(table.columns[0].dictionary, ElementsAre("", "Bern"));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_THAT(notes_[0], HasSubstr(fmt::format("The column cache {} is not used: {} has changed (", File(), source_)));
  EXPECT_THAT(notes_[0], HasSubstr("It is made anew."));
  EXPECT_EQ(Read().rows, 1);
  EXPECT_THAT(notes_, IsEmpty()) << "the new cache is in use";
}

TEST_F(CacheTest, ChangedSourceOfTheSameSizeIsReadAgain) {
  ExpectExpected(Read());
  std::string text = FileContent(source_);
  text.replace(text.find("Rome"), 4, "Bonn");
  folder_.Write("t.csv", text);
  EXPECT_EQ(Read().columns[0].dictionary[1], "Bonn");
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_THAT(notes_[0], HasSubstr("has changed (its time)"));
}

TEST_F(CacheTest, TouchedSourceIsReadAgain) {
  ExpectExpected(Read());
  std::filesystem::last_write_time(source_, std::filesystem::last_write_time(source_) + std::chrono::minutes(5));
  EXPECT_THAT(Load().note, HasSubstr("has changed (its time)"));
  ExpectExpected(Read());
  ExpectExpected(*Load().table);
}

TEST_F(CacheTest, EveryFlippedBitIsNoticed) {
  ExpectExpected(Read());
  const std::string sound = FileContent(File());
  int unused = 0;
  for (size_t at = 0; at < sound.size(); at += at < 600 ? 1 : 97) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    folder_.Write("cache/below/" + std::filesystem::path(File()).filename().string(), damaged);
    const CacheLookup found = Load();
    if (found.table.has_value()) {
      // Only the zeros between the description and the columns carry nothing.
      EXPECT_EQ(sound[at], '\0') << at;
      ExpectExpected(*found.table);
      ++unused;
    } else {
      EXPECT_THAT(found.note, HasSubstr("is not used: it "));
    }
  }
  EXPECT_LT(unused, 64);
}

TEST_F(CacheTest, DamagedIsRebuiltAndSaysSo) {
  ExpectExpected(Read());
  const std::string sound = FileContent(File());
  const auto write = [&](const std::string& content) {
    folder_.Write("cache/below/" + std::filesystem::path(File()).filename().string(), content);
  };
  std::string flipped = sound;
  flipped[flipped.size() - 200] = static_cast<char>(flipped[flipped.size() - 200] ^ 4);
  std::string newer = sound;
  newer[8] = 3;
  for (const auto& [content, reason] :
       std::vector<std::pair<std::string, std::string>>{{flipped, "it is damaged (columns)"},
                                                        {sound.substr(0, 100), "it has 100 bytes instead of"},
                                                        {sound.substr(0, 10), "it is cut off"},
                                                        {"", "it is cut off"},
                                                        {sound + "more", "bytes instead of"},
                                                        {std::string(200, 'x'), "it is not a cache file"},
                                                        {newer, "it has format 3, this program reads 2"}}) {
    write(content);
    ExpectExpected(Read());
    ASSERT_EQ(notes_.size(), 1u) << reason;
    EXPECT_THAT(notes_[0], HasSubstr(reason));
    EXPECT_EQ(FileContent(File()), sound) << "rebuilt";
  }
}

TEST_F(CacheTest, SourceThatIsGone) {
  ExpectExpected(Read());
  std::filesystem::remove(source_);
  EXPECT_THAT(Load().note, HasSubstr("is not there any more"));
  ThreadPool pool(1);
  EXPECT_THAT(ReadTableFiles({&source_, 1}, options_, kRequests, pool, cache_dir_, &notes_).status().message(),
              HasSubstr("cannot be opened"));
}

TEST_F(CacheTest, CacheThatCannotBeWrittenIsANote) {
  const std::string blocked = folder_.Write("file", "");
  notes_.clear();
  ThreadPool pool(1);
  const StatusOr<Table> table = ReadTableFiles({&source_, 1}, options_, kRequests, pool, blocked + "/cache", &notes_);
  ASSERT_TRUE(table.ok()) << table.status().message();
  ExpectExpected(*table);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_THAT(notes_[0], HasSubstr("The column cache could not be written: "));
}

TEST_F(CacheTest, CodesBeyondTheDictionaryAreRefused) {
  // A file with right checksums and a wrong content: a program that trusts it would read outside the dictionary.
  Table table = *ReadTableFiles({&source_, 1}, options_, kRequests, *std::make_unique<ThreadPool>(1), "", nullptr);
  table.columns[0].dictionary.pop_back();
  ASSERT_TRUE(StoreCache(cache_dir_, Key(), *ReadSourceStates({&source_, 1}), table).ok());
  EXPECT_THAT(Load().note, HasSubstr("it is damaged (columns)"));
}

TEST(ReadTable, GlobsAndConfiguration) {
  const TestFolder folder;
  folder.Write("part-1.csv", "1;x\n2;?\n");
  folder.Write("part-2.csv", "3;'y'\n");
  config::DataConfig config;
  config.set_delimiter(";");
  config.set_quote("'");
  config.add_missing_values("?");
  config.add_input_fields()->set_input_name("n");
  config.add_input_fields()->set_input_name("t");
  ThreadPool pool(2);
  const std::vector<ColumnRequest> requests = {{"t", ColumnKind::kCategory}, {"n", ColumnKind::kNumber}};
  const StatusOr<Table> table = ReadTable(folder.Path("part-*.csv"), config, requests, pool, "", nullptr);
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 3);
  EXPECT_THAT(table->columns[0].dictionary, ElementsAre("", "x", "y"));
  EXPECT_EQ(table->columns[0].Code(1), 0u);
  EXPECT_EQ(table->columns[1].numbers[2], 3.0f);
  EXPECT_EQ(ReadTable(folder.Path("absent-*.csv"), config, requests, pool, "", nullptr).status().code(),
            StatusCode::kInvalidInput);
}

TEST(SourceOptionsFromConfig, Comment) {
  config::DataConfig config;
  const std::string without = SourceOptionsFromConfig(config)->Fingerprint();
  config.set_comment("|1x3");
  EXPECT_EQ(SourceOptionsFromConfig(config)->comment, "|1x3");
  EXPECT_NE(SourceOptionsFromConfig(config)->Fingerprint(), without) << "a cache would hold the comments as rows";
  config.set_comment("#\n");
  EXPECT_EQ(SourceOptionsFromConfig(config).status().message(),
            "data_config.comment: found \"#\\n\", expected text that stands at the begin of one line, such as \"#\"");
}

TEST(SourceOptionsFromConfig, AllProblemsAtOnce) {
  config::DataConfig config;
  config.set_delimiter(",,");
  config.set_quote("''");
  config.add_input_fields()->set_input_name("a");
  config.add_input_fields();
  config.add_input_fields()->set_input_name("a");
  const Status status = SourceOptionsFromConfig(config).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_EQ(status.message(),
            "data_config.delimiter: found \",,\", expected one ASCII character such as \",\" or \"\\t\"\n"
            "data_config.quote: found \"''\", expected one ASCII character that is not a blank, or \"\" for none\n"
            "data_config.input_fields[1]: has no input_name\n"
            "data_config.input_fields[2]: the name \"a\" is used twice; column names must differ");
  config.Clear();
  config.set_delimiter("'");
  config.set_quote("'");
  EXPECT_THAT(SourceOptionsFromConfig(config).status().message(), HasSubstr("is the delimiter too"));
  config.Clear();
  config.set_delimiter("\\t");
  config.set_quote("");
  config.set_with_header(true);
  EXPECT_EQ(SourceOptionsFromConfig(config)->delimiter, '\t');
  EXPECT_EQ(SourceOptionsFromConfig(config)->quote, '\0');
  EXPECT_EQ(SourceOptionsFromConfig(config::DataConfig())->delimiter, ',');
}

}  // namespace
}  // namespace manygate
