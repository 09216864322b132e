// SPDX-License-Identifier: Apache-2.0
// Every way in which a text file can be wrong, and what the user is told.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/data/reader.h"
#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::HasSubstr;

struct BadFile {
  const char* what;
  std::string text;
  std::string message;  // FILE stands for the path
  SourceOptions options = {};
  const char* name = "t.csv";
};

SourceOptions Header() {
  SourceOptions options;
  options.with_header = true;
  return options;
}

SourceOptions NoQuotes() {
  SourceOptions options = Header();
  options.quote = '\0';
  return options;
}

SourceOptions Delimiter(char delimiter) {
  SourceOptions options = Header();
  options.delimiter = delimiter;
  return options;
}

SourceOptions Skip(uint64_t lines) {
  SourceOptions options = Header();
  options.skip_lines = lines;
  return options;
}

// The column "n" is read as a number and "t" as a text.
std::vector<BadFile> BadFiles() {
  const std::string nul(1, '\0');
  const std::string number_hint = "expected a number; if it means \"missing\", add it to data_config.missing_values";
  return {
      {"too many fields", "n,t\n1,a\n2,b,c\n",
       "FILE:3: found 3 fields, expected 2 (\"2\", \"b\", \"c\"); a value that holds "
       "the delimiter must stand in quotes (\")",
       Header()},
      {"too few fields", "n,t,u\n1,a,x\n2,b\n", "FILE:3: found 2 fields, expected 3 (\"2\", \"b\"); is the row cut off",
       Header()},
      {"wrong delimiter", "n,t\n1;a\n", "FILE:2: found 1 field, expected 2 (\"1;a\"); is the delimiter really \",\"?",
       Header()},
      {"wrong delimiter, tab", "n\tt\n1,a\n", "is the delimiter really \"\\t\"?", Delimiter('\t')},
      {"many fields, cut", "n,t\n1,2,3,4,5,6\n", "found 6 fields, expected 2 (\"1\", \"2\", \"3\", \"4\", ...)",
       Header()},
      {"long value, cut", "n,t\n1,2,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee\n",
       "\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...\")", Header()},
      {"line number behind quoted line ends", "n,t\n1,\"a\nb\nc\"\n2\n", "FILE:5: found 1 field", Header()},
      {"text in a number column", "n,t\n1,a\nabc,b\n",
       "FILE:3:1 (n): found \"abc\", " + number_hint +
           "; if the column holds texts or codes, declare it as an id_feature",
       Header()},
      {"number with unit", "n,t\n5 kg,a\n", "FILE:2:1 (n): found \"5 kg\", " + number_hint, Header()},
      {"number with group separators", "n,t\n\"1,000\",a\n", "FILE:2:1 (n): found \"1,000\", " + number_hint, Header()},
      {"decimal comma", "n;t\n0,5;a\n", "FILE:2:1 (n): found \"0,5\"", Delimiter(';')},
      {"infinity", "n,t\n1,a\ninf,b\n", "FILE:3:1 (n): found \"inf\", " + number_hint, Header()},
      {"not a number", "n,t\nnan,a\n", "FILE:2:1 (n): found \"nan\", " + number_hint, Header()},
      {"negative infinity", "n,t\n-Infinity,a\n", "found \"-Infinity\", " + number_hint, Header()},
      {"hexadecimal", "n,t\n0x1F,a\n", "found \"0x1F\", " + number_hint, Header()},
      {"two signs", "n,t\n+-1,a\n", "found \"+-1\", " + number_hint, Header()},
      {"half an exponent", "n,t\n1e,a\n", "found \"1e\", " + number_hint, Header()},
      {"a sign alone", "n,t\n-,a\n", "found \"-\", " + number_hint, Header()},
      {"a date", "n,t\n2024-01-31,a\n", "found \"2024-01-31\", " + number_hint, Header()},
      {"a percentage", "n,t\n12%,a\n", "found \"12%\", " + number_hint, Header()},
      {"too large", "n,t\n1e39,a\n", "FILE:2:1 (n): found \"1e39\", which is beyond the largest number", Header()},
      {"header taken for a row", "n,t\n1,a\n", "FILE:1:1 (n): found \"n\", " + number_hint,
       [] {
         SourceOptions o;
         o.names = {"n", "t"};
         return o;
       }()},
      {"open quote", "n,t\n1,a\n2,\"b\n3,c\n",
       "FILE:3:2 (t): a quote (\") is opened here and never closed; close it, or set "
       "data_config.quote to \"\"",
       Header()},
      {"open quote in the header", "n,\"t\n1,a\n", "FILE:1: a quote (\") in the header is never closed", Header()},
      {"text behind a quote", "n,t\n1,\"a\"b\n2,c\n",
       "FILE:2:2 (t): text stands behind the closing quote; a quote inside a "
       "quoted value must be doubled (\"\")",
       Header()},
      {"text behind a quote in the header", "\"n\"x,t\n",
       "FILE:1: the header has text behind the closing quote of name 1", Header()},
      {"NUL byte", "n,t\n1,a\n2,b" + nul + "c\n", "FILE:3: found a NUL byte, expected text", Header()},
      {"UTF-16, little endian",
       std::string("\xFF\xFE"
                   "n\0,\0t\0\n\0",
                   10),
       "FILE: expected text (CSV, TSV), plain, gzip or zstd; "
       "found UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8",
       Header()},
      {"UTF-16, big endian", std::string("\xFE\xFF\0n", 4), "found UTF-16 text", Header()},
      {"UTF-16 without mark", std::string("n\0,\0t\0\n\0001\0,\0a\0\n\0", 16),
       "FILE:1:1: the name holds a NUL byte; if the file is UTF-16, convert it", NoQuotes()},
      {"Latin-1 value", "n,t\n1,a\n2,caf\xE9\n",
       "FILE:3:2 (t): the value is not UTF-8 text; convert the file, for instance "
       "with: iconv -f LATIN1 -t UTF-8",
       Header()},
      {"Latin-1 name", "n,t,caf\xE9\n1,a,b\n", "FILE:1:3: the name is not UTF-8 text", Header()},
      {"zip archive", "PK\x03\x04rest", "found a zip archive (or a spreadsheet)", Header()},
      {"Parquet", "PAR1....", "found a Parquet file; data_config.dataset_type: ParquetDataset reads it", Header()},
      {"zstd", "\x28\xB5\x2F\xFD...", "FILE: the zstd data ends too early, after 7 bytes", Header()},
      {"xz",
       "\xFD"
       "7zXZ",
       "found xz data", Header()},
      {"bzip2", "BZh91AY", "found bzip2 data", Header()},
      {"empty file", "", "FILE: is empty", Header()},
      {"only a byte order mark", "\xEF\xBB\xBF", "FILE: ends before the header line", Header()},
      {"header only", "n,t\n", "FILE: has no rows", Header()},
      {"lines to skip run out", "n,t\n1,a\n", "FILE: ends within the 5 lines to skip (skip_lines)", Skip(5)},
      {"nothing behind the skipped lines", "n,t\n1,a\n", "FILE: ends before the header line", Skip(2)},
      {"name twice", "n,t,n\n1,a,2\n",
       "FILE:1:3: the header has the name \"n\" twice (column 1 too); names must differ", Header()},
      {"empty name", "n,t,\n1,a,\n",
       "FILE:1:3: the header has an empty name; every column needs one (an extra delimiter?)", Header()},
      {"both", "n,,n,t\n",
       "FILE:1:2: the header has an empty name; every column needs one (an extra delimiter?)\nFILE:1:3: "
       "the header has the name \"n\" twice",
       Header()},
      {"column not there", "nn,t\n1,a\n", "FILE: column \"n\" is not in the file. Did you mean \"nn\"? Columns: nn, t",
       Header()},
      {"both columns not there", "x,y\n1,a\n",
       "FILE: column \"n\" is not in the file. Columns: x, y\nFILE: column \"t\" is not "
       "in the file.",
       Header()},
      {"case of a name", "N,T\n1,a\n", "Did you mean \"N\"?", Header()},
      {"empty line between rows", "n,t\n1,a\n\n2,b\n", "FILE:3: an empty line between rows; remove it", Header()},
      {"empty line before the rows", "n,t\n\n1,a\n", "FILE:2: an empty line between rows", Header()},
      {"carriage returns only", "n,t\r1,a\r2,b\r", "FILE: lines end with a carriage return only; convert it with: tr",
       Header()},
      {"named .gz, is not", "n,t\n1,a\n",
       "FILE: is named .gz but does not hold gzip data; if it is plain text, rename it", Header(), "t.csv.gz"},
      {"named .zst, is not", "n,t\n1,a\n",
       "FILE: is named .zst but does not hold zstd data; if it is plain text, rename it", Header(), "t.csv.zst"},
      {"three problems in one file", "n,t\nx,a\n1\n2,b,c\n",
       "FILE:2:1 (n): found \"x\", " + number_hint +
           "; if the column holds texts or codes, declare it as an id_feature\nFILE:3: found 1 field, expected 2 "
           "(\"1\"); is the "
           "delimiter really \",\"?\nFILE:4: found 3 fields",
       Header()},
  };
}

std::string ReplaceAll(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

TEST(BadCsv, EveryMessageSaysWhereWhatAndWhy) {
  ASSERT_GE(BadFiles().size(), 30u);
  for (const BadFile& bad : BadFiles()) {
    SCOPED_TRACE(bad.what);
    const TestFolder folder;
    const std::string file = folder.Write(bad.name, bad.text);
    for (int threads : {1, 2}) {
      ThreadPool pool(threads);
      const StatusOr<Table> table =
          ReadFiles({&file, 1}, bad.options,
                    std::vector<ColumnRequest>{{"n", ColumnKind::kNumber}, {"t", ColumnKind::kCategory}}, pool);
      ASSERT_FALSE(table.ok());
      EXPECT_EQ(table.status().code(), StatusCode::kInvalidInput);
      EXPECT_THAT(table.status().message(), HasSubstr(ReplaceAll(bad.message, "FILE", file)));
    }
  }
}

std::string ReadMessage(const std::vector<std::string>& files, const SourceOptions& options) {
  ThreadPool pool(2);
  return ReadFiles(files, options, std::vector<ColumnRequest>{{"n", ColumnKind::kNumber}}, pool).status().message();
}

TEST(BadCsv, NoFilesNoFileAndAFolder) {
  const TestFolder folder;
  EXPECT_EQ(ReadMessage({}, Header()), "no input files; name at least one");
  EXPECT_EQ(ReadMessage({folder.Path("absent.csv")}, Header()),
            folder.Path("absent.csv") + ": cannot be opened: No such file or directory");
  EXPECT_THAT(ReadMessage({folder.path()}, Header()), HasSubstr(": is a folder; name its files, for instance \""));
}

TEST(BadCsv, DamagedGzip) {
  const TestFolder folder;
  std::string text = "n,t\n";
  for (int i = 0; i < 200000; ++i) text += fmt::format("{},{}\n", i, i * 7919 % 10007);
  const std::string whole = FileContent(folder.WriteGzip("whole.gz", text));
  const std::string cut = folder.Write("cut.gz", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(ReadMessage({cut}, Header()),
              HasSubstr(fmt::format("{}: the gzip data ends too early, after {} bytes; the file was cut off", cut,
                                    whole.size() / 2)));
  const std::string only_head = folder.Write("head.gz", whole.substr(0, 10));
  EXPECT_THAT(ReadMessage({only_head}, Header()), HasSubstr("ends too early"));
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
  EXPECT_THAT(ReadMessage({folder.Write("flipped.gz", flipped)}, Header()),
              HasSubstr("flipped.gz: the gzip data is damaged near byte"));
  std::string wrong_sum = whole;
  wrong_sum[whole.size() - 6] = static_cast<char>(wrong_sum[whole.size() - 6] ^ 1);
  EXPECT_THAT(ReadMessage({folder.Write("sum.gz", wrong_sum)}, Header()), HasSubstr("incorrect data check"));
  EXPECT_THAT(ReadMessage({folder.Write("behind.gz", whole + "garbage")}, Header()),
              HasSubstr("7 bytes behind the end of the gzip data"));
}

TEST(BadCsv, DamagedZstd) {
  const TestFolder folder;
  std::string text = "n,t\n";
  for (int i = 0; i < 200000; ++i) text += fmt::format("{},{}\n", i, i * 7919 % 10007);
  const std::string whole = FileContent(folder.WriteZstd("whole.zst", text));
  for (const size_t kept : {whole.size() / 2, whole.size() - 1, size_t{4}}) {
    const std::string cut = folder.Write("cut.zst", whole.substr(0, kept));
    EXPECT_EQ(ReadMessage({cut}, Header()),
              fmt::format("{}: the zstd data ends too early, after {} bytes; the file was cut off (copy it again)", cut,
                          kept));
  }
  const std::string second = folder.Write("second.zst", whole + whole.substr(0, 100));
  EXPECT_THAT(ReadMessage({second}, Header()), HasSubstr("second.zst: the zstd data ends too early"));
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
  EXPECT_THAT(ReadMessage({folder.Write("flipped.zst", flipped)}, Header()),
              HasSubstr("flipped.zst: the zstd data is damaged near byte"));
  std::string wrong_sum = whole;
  wrong_sum.back() = static_cast<char>(wrong_sum.back() ^ 1);
  EXPECT_THAT(ReadMessage({folder.Write("sum.zst", wrong_sum)}, Header()),
              HasSubstr("(Restored data doesn't match checksum); copy or unpack the file again"));
  EXPECT_THAT(
      ReadMessage({folder.Write("behind.zst", whole + "garbage")}, Header()),
      HasSubstr(fmt::format("behind.zst: damaged: 7 bytes behind the end of the zstd data, from byte {} on, are "
                            "not zstd",
                            whole.size())));
  EXPECT_THAT(ReadMessage({folder.Write("zeros.zst", whole + std::string(512, '\0'))}, Header()),
              HasSubstr("512 bytes behind the end of the zstd data"));
}

// Frames by hand (RFC 8878, 3.1.1): magic, descriptor, window, dictionary id, then one last raw block.
TEST(BadCsv, ZstdThatCannotBeUnpacked) {
  const TestFolder folder;
  const std::string magic = "\x28\xB5\x2F\xFD", block = std::string("\x21\0\0", 3) + "n\n1\n";
  const std::string plain = folder.Write("plain.zst", magic + std::string("\0\x88", 2) + block);  // 128 MiB
  ThreadPool pool(1);
  EXPECT_EQ(ReadFiles({&plain, 1}, Header(), std::vector<ColumnRequest>{{"n", ColumnKind::kNumber}}, pool)->rows, 1);
  const std::string window = folder.Write("window.zst", magic + std::string("\0\x90", 2) + block);  // 256 MiB
  EXPECT_EQ(ReadMessage({window}, Header()),
            window +
                ": the zstd data needs more than 128 MiB to be unpacked; compress the file again without zstd's "
                "--long");
  const std::string dictionary = folder.Write("dictionary.zst", magic + "\x01\x58\x07" + block);
  EXPECT_EQ(ReadMessage({dictionary}, Header()),
            dictionary + ": the zstd data was made with a dictionary; compress the file again without one");
}

TEST(BadCsv, FilesThatDoNotFitTogether) {
  const TestFolder folder;
  const std::string a = folder.Write("a.csv", "n,t\n1,a\n");
  EXPECT_EQ(
      ReadMessage({a, folder.Write("b.csv", "n,u\n1,a\n")}, Header()),
      fmt::format(
          "{}:1:2: found column \"u\", expected \"t\" as in {}; files read together must have the same columns in "
          "the same order",
          folder.Path("b.csv"), a));
  EXPECT_EQ(ReadMessage({a, folder.Write("c.csv", "n\n1\n")}, Header()),
            fmt::format("{}:1: found 1 columns, expected 2 as in {}; files read together must have the same columns",
                        folder.Path("c.csv"), a));
}

TEST(BadCsv, EmptyLinesAcrossBlocks) {
  const TestFolder folder;
  // The empty lines alone fill more than a block.
  const std::string gap(3 << 20, '\n');
  EXPECT_EQ(ReadMessage({folder.Write("end.csv", "n,t\n1,a\n" + gap)}, Header()), "");
  const std::string middle = folder.Write("middle.csv", "n,t\n1,a\n" + gap + "2,b\n");
  EXPECT_EQ(ReadMessage({middle}, Header()), middle + ":3: an empty line between rows; remove it");
}

TEST(BadCsv, RowsLongerThanABlock) {
  const TestFolder folder;
  const std::string value(5 << 20, 'x');
  EXPECT_EQ(ReadMessage({folder.Write("long.csv", "n,t\n1,\"" + value + "\n\"\n2,b\n")}, Header()), "");
  const std::string open = folder.Write("open.csv", "n,t\n1,a\n2,\"" + std::string(65 << 20, 'x'));
  EXPECT_EQ(ReadMessage({open}, Header()),
            open + ":3: the row is over 64 MiB; is a quote opened in it that is never closed?");
}

}  // namespace
}  // namespace manygate
