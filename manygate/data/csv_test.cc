// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "manygate/data/reader.h"
#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ColumnKind kText = ColumnKind::kCategory;
constexpr ColumnKind kNumber = ColumnKind::kNumber;

SourceOptions WithHeader() {
  SourceOptions options;
  options.with_header = true;
  return options;
}

StatusOr<Table> Read(const std::vector<std::string>& files, const SourceOptions& options,
                     const std::vector<ColumnRequest>& requests, int threads = 1) {
  ThreadPool pool(threads);
  return ReadFiles(files, options, requests, pool);
}

// All columns of a text with a header, as texts: rows joined by "|", values by ",".
std::string Values(const std::string& text, const SourceOptions& options, const std::vector<std::string>& columns) {
  const TestFolder folder;
  std::vector<ColumnRequest> requests;
  for (const std::string& column : columns) requests.push_back({column, kText});
  const StatusOr<Table> table = Read({folder.Write("t.csv", text)}, options, requests);
  if (!table.ok()) return table.status().message();
  std::string values;
  for (int64_t row = 0; row < table->rows; ++row) {
    if (row > 0) values += "|";
    for (size_t i = 0; i < columns.size(); ++i) {
      const Column& column = table->columns[i];
      values += (i > 0 ? "," : "") + column.dictionary[column.Code(row)];
    }
  }
  return values;
}

TEST(ReadFiles, CategoriesAndNumbers) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "city,age,x\nRome,31,0.5\n Oslo ,,-2e3\nRome,7, +1 \n,8,1e-50\n");
  const StatusOr<Table> table = Read({file}, WithHeader(), {{"x", kNumber}, {"city", kText}, {"age", kNumber}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 4);
  EXPECT_EQ(table->source, file);
  ASSERT_EQ(table->columns.size(), 3u);
  const Column& x = table->columns[0];
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.kind, kNumber);
  EXPECT_THAT(std::vector<float>(x.numbers, x.numbers + 4), ElementsAre(0.5f, -2000.0f, 1.0f, 0.0f));
  const Column& city = table->columns[1];
  EXPECT_THAT(city.dictionary, ElementsAre("", "Rome", "Oslo"));
  EXPECT_EQ(city.code_bytes, 1);
  EXPECT_EQ(city.Code(0), 1u);
  EXPECT_EQ(city.Code(1), 2u);
  EXPECT_EQ(city.Code(2), 1u);
  EXPECT_EQ(city.Code(3), 0u);
  const Column& age = table->columns[2];
  EXPECT_EQ(age.numbers[0], 31.0f);
  EXPECT_TRUE(std::isnan(age.numbers[1]));
}

TEST(ReadFiles, NumbersAreTheNearestFloats) {
  const TestFolder folder;
  const std::vector<std::pair<std::string, float>> cases = {{"0", 0.0f},
                                                            {"-0", -0.0f},
                                                            {"7", 7.0f},
                                                            {"16777216", 16777216.0f},
                                                            {"16777217", 16777216.0f},
                                                            {"123456789012", 123456789012.0f},
                                                            {"0.1", 0.1f},
                                                            {".5", 0.5f},
                                                            {"5.", 5.0f},
                                                            {"1e3", 1000.0f},
                                                            {"1E+3", 1000.0f},
                                                            {"3.4028235e38", 3.4028235e38f},
                                                            {"0.0440399999999999", 0.0440399999999999f},
                                                            {"007", 7.0f},
                                                            {"-12.75", -12.75f}};
  std::string text = "x\n";
  for (const auto& [written, value] : cases) text += written + "\n";
  const StatusOr<Table> table = Read({folder.Write("t.csv", text)}, WithHeader(), {{"x", kNumber}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  ASSERT_EQ(table->rows, static_cast<int64_t>(cases.size()));
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(memcmp(&table->columns[0].numbers[i], &cases[i].second, 4), 0) << cases[i].first;
  }
}

TEST(ReadFiles, Dialects) {
  const SourceOptions plain = WithHeader();
  const std::string expected = "1,x|2,y";
  EXPECT_EQ(Values("a,b\n1,x\n2,y\n", plain, {"a", "b"}), expected);
  EXPECT_EQ(Values("a,b\n1,x\n2,y", plain, {"a", "b"}), expected) << "no line end after the last row";
  EXPECT_EQ(Values("a,b\r\n1,x\r\n2,y\r\n", plain, {"a", "b"}), expected) << "CRLF";
  EXPECT_EQ(Values("a,b\r\n1,x\r\n2,y", plain, {"a", "b"}), expected) << "CRLF, last row open";
  EXPECT_EQ(Values("\xEF\xBB\xBF"
                   "a,b\n1,x\n2,y\n",
                   plain, {"a", "b"}),
            expected)
      << "byte order mark";
  EXPECT_EQ(Values("\xEF\xBB\xBF\"a\",b\n1,x\n2,y\n", plain, {"a", "b"}), expected) << "byte order mark, quoted name";
  EXPECT_EQ(Values("a,b\n1,x\n2,y\n\n\r\n \n", plain, {"a", "b"}), expected) << "empty lines at the end";
  EXPECT_EQ(Values("a , b\n 1,\tx\n2 ,y \n", plain, {"a", "b"}), expected) << "blanks";
  EXPECT_EQ(Values("\"a\",\"b\"\n\"1\",\"x\"\n\"2\",y\n", plain, {"a", "b"}), expected) << "quotes";
  EXPECT_EQ(Values("a,b\n \"1\" ,\"x\"\t\n\"2\", \"y\"\r\n", plain, {"a", "b"}), expected) << "blanks around quotes";
  SourceOptions semicolon = plain;
  semicolon.delimiter = ';';
  EXPECT_EQ(Values("a;b\n1;x\n2;y\n", semicolon, {"a", "b"}), expected);
  SourceOptions tab = plain;
  tab.delimiter = '\t';
  EXPECT_EQ(Values("a\tb\n1\tx\n 2 \ty\n", tab, {"a", "b"}), expected);
  EXPECT_EQ(Values("a\tb\n\tx\n2\t\n", tab, {"a", "b"}), ",x|2,") << "a tab is a delimiter and no blank";
  SourceOptions space = plain;
  space.delimiter = ' ';
  EXPECT_EQ(Values("a b\n1 x\n2 \ty\n", space, {"a", "b"}), expected);
  SourceOptions skip = plain;
  skip.skip_lines = 2;
  EXPECT_EQ(Values("a title, with \"one quote\n\na,b\n1,x\n2,y\n", skip, {"a", "b"}), expected);
  SourceOptions named;
  named.names = {"a", "b"};
  EXPECT_EQ(Values("1,x\n2,y\n", named, {"a", "b"}), expected);
  EXPECT_EQ(Values("1,x\n2,y\n", SourceOptions(), {"column_0", "column_1"}), expected);
}

TEST(ReadFiles, QuotedValues) {
  const SourceOptions options = WithHeader();
  EXPECT_EQ(Values("a,b\n\"1,5\",x\n", options, {"a", "b"}), "1,5,x") << "delimiter inside";
  EXPECT_EQ(Values("a,b\n\"1\n5\",x\n", options, {"a", "b"}), "1\n5,x") << "line end inside";
  EXPECT_EQ(Values("a,b\n\"say \"\"hi\"\"\",x\n", options, {"a", "b"}), "say \"hi\",x") << "doubled quotes";
  EXPECT_EQ(Values("a,b\n\"\"\"\",\"\"\n", options, {"a", "b"}), "\",") << "one quote; the empty text";
  EXPECT_EQ(Values("a,b\n\" 1 \",x\n", options, {"a", "b"}), " 1 ,x") << "blanks inside stay";
  EXPECT_EQ(Values("a,b\n5\" disk,x\"\n", options, {"a", "b"}), "5\" disk,x\"") << "quotes within a value are text";
  EXPECT_EQ(Values("a\n\"x\n\ny\"\n", options, {"a"}), "x\n\ny") << "an empty line inside";
  SourceOptions no_quotes = options;
  no_quotes.quote = '\0';
  EXPECT_EQ(Values("a,b\n\"1,x\"\n", no_quotes, {"a", "b"}), "\"1,x\"");
  SourceOptions single = options;
  single.quote = '\'';
  EXPECT_EQ(Values("a,b\n'1,5',\"x\"\n", single, {"a", "b"}), "1,5,\"x\"");
  SourceOptions untrimmed = options;
  untrimmed.trim_blanks = false;
  EXPECT_EQ(Values("a,b\n 1, \"x\"\n\"2\",y \n", untrimmed, {"a", "b"}), " 1, \"x\"|2,y ") << "a quote must come first";
}

TEST(ReadFiles, MissingValues) {
  SourceOptions options = WithHeader();
  options.missing_values = {"?", "NA", "-1"};
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "n,t\n?,?\n-1, NA \n\"NA\",\"\"\n-1.0,-1\n3,NAN\n");
  const StatusOr<Table> table = Read({file}, options, {{"n", kNumber}, {"t", kText}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  for (int row : {0, 1, 2}) EXPECT_TRUE(std::isnan(table->columns[0].numbers[row])) << row;
  EXPECT_EQ(table->columns[0].numbers[3], -1.0f) << "texts are compared, not numbers";
  EXPECT_EQ(table->columns[0].numbers[4], 3.0f);
  for (int row : {0, 1, 2, 3}) EXPECT_EQ(table->columns[1].Code(row), 0u) << row;
  EXPECT_THAT(table->columns[1].dictionary, ElementsAre("", "NAN"));
}

TEST(ReadFiles, CommentsAreLeftOut) {
  SourceOptions options = WithHeader();
  options.comment = "#";
  // Before the names, between and behind rows, with quotes and delimiters in them, the last one without a line end.
  EXPECT_EQ(Values("# it's \"1, a\n#\na,b\n#1,\"\n1,\"x\n#y\"\n#,,,\n2,z\n# end", options, {"a", "b"}), "1,x\n#y|2,z");
  // Only where the line starts with all of it; a blank before it makes it a value.
  EXPECT_EQ(Values("a,b\n #1,x\n1#,#\n", options, {"a", "b"}), "#1,x|1#,#");
  options.comment = "|1x3";
  EXPECT_EQ(Values("|1x3 Cross validator\na,b\n|1x2,2\n|1\t,3\n", options, {"a", "b"}), "|1x2,2||1,3");
  options.comment = "";
  EXPECT_EQ(Values("a,b\n#1,x\n", options, {"a", "b"}), "#1,x");
}

TEST(ReadFiles, LinesAreCountedAcrossComments) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "# one\nn,t\n# three\n1,a\n# five\nx,b\n");
  SourceOptions options = WithHeader();
  options.comment = "#";
  EXPECT_EQ(Read({file}, options, {{"n", kNumber}}).status().message().substr(0, file.size() + 17),
            file + ":6:1 (n): found \"");
}

// More comments than fit into one block, so that blocks of nothing else are read.
TEST(ReadFiles, BlocksOfComments) {
  const TestFolder folder;
  std::string comments;
  for (int i = 0; i < 150000; ++i) comments += fmt::format("# \"line {}\n", i);
  ASSERT_GT(comments.size(), 2u << 20);
  const std::string file = folder.Write("t.csv", comments + "n\n" + comments + "1\n" + comments + "2\n" + comments);
  SourceOptions options = WithHeader();
  options.comment = "#";
  for (const char quote : {'"', '\0'}) {
    options.quote = quote;
    const StatusOr<Table> table = Read({file}, options, {{"n", kNumber}}, 2);
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_THAT(std::vector<float>(table->columns[0].numbers, table->columns[0].numbers + table->rows),
                ElementsAre(1, 2));
  }
  const std::string only = folder.Write("only.csv", comments);
  EXPECT_EQ(Read({only}, options, {{"n", kNumber}}).status().message(), only + ": ends before the header line");
}

TEST(ReadFiles, OnlyRequestedColumnsAreParsed) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "a,b,c\nx,1,\xFF\ny,2,\xFF\n");
  const StatusOr<Table> table = Read({file}, WithHeader(), {{"b", kNumber}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  ASSERT_EQ(table->columns.size(), 1u);
  EXPECT_EQ(table->columns[0].numbers[1], 2.0f);
  EXPECT_EQ(table->Find("a"), -1);
}

TEST(ReadFiles, CodesGrowFromOneToTwoToFourBytes) {
  const TestFolder folder;
  std::string text = "id,other\n";
  for (int i = 0; i < 70000; ++i) text += fmt::format("u{},{}\n", i, i % 300);
  for (int i = 0; i < 70000; i += 1000) text += fmt::format("u{},0\n", i);
  const StatusOr<Table> table = Read({folder.Write("t.csv", text)}, WithHeader(), {{"id", kText}, {"other", kText}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  const Column& id = table->columns[0];
  EXPECT_EQ(id.code_bytes, 4);
  EXPECT_EQ(id.dictionary.size(), 70001u);
  for (int64_t row : {0, 254, 255, 256, 65534, 65535, 65536, 69999}) {
    EXPECT_EQ(id.dictionary[id.Code(row)], fmt::format("u{}", row));
  }
  EXPECT_EQ(id.Code(70069), 69001u);
  EXPECT_EQ(table->columns[1].code_bytes, 2);
  EXPECT_EQ(table->columns[1].dictionary[table->columns[1].Code(69999)], "99");
}

// Values of every length, many equal in the first and last bytes.
TEST(ReadFiles, LongValuesAreToldApart) {
  const TestFolder folder;
  std::string text = "t\n";
  std::vector<std::string> values;
  for (size_t length = 1; length <= 80; ++length) {
    for (size_t change = 0; change < length; change += 3) {
      std::string value(length, 'x');
      value[change] = 'y';
      values.push_back(value);
      text += value + "\n";
    }
  }
  const StatusOr<Table> table = Read({folder.Write("t.csv", text)}, WithHeader(), {{"t", kText}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->columns[0].dictionary.size(), values.size() + 1);
  for (size_t row = 0; row < values.size(); ++row) {
    EXPECT_EQ(table->columns[0].dictionary[table->columns[0].Code(static_cast<int64_t>(row))], values[row]);
  }
}

TEST(ReadFiles, SeveralFilesAreOneTable) {
  const TestFolder folder;
  const std::vector<std::string> files = {folder.WriteZstd("a.csv.zst", "x,t\n1,p\n2,q\n"),
                                          folder.Write("b.csv", "x,t\n"),
                                          folder.WriteGzip("c.csv.gz", "x,t\n3,r\n4,p")};
  const StatusOr<Table> table = Read(files, WithHeader(), {{"x", kNumber}, {"t", kText}}, 2);
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_THAT(std::vector<float>(table->columns[0].numbers, table->columns[0].numbers + 4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(table->columns[1].dictionary, ElementsAre("", "p", "q", "r"));
  EXPECT_EQ(table->columns[1].Code(3), 1u);
  EXPECT_EQ(table->source, files[0] + ", " + files[1] + ", " + files[2]);
}

TEST(ReadFiles, GzipMembersEndToEndAndZerosBehind) {
  const TestFolder folder;
  folder.WriteGzip("a.gz", "x\n1\n");
  folder.WriteGzip("b.gz", "2\n3\n");
  const std::string joined =
      FileContent(folder.Path("a.gz")) + FileContent(folder.Path("b.gz")) + std::string(512, '\0');
  const StatusOr<Table> table = Read({folder.Write("c.csv.gz", joined)}, WithHeader(), {{"x", kNumber}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 3);
}

TEST(ReadFiles, ZstdFramesEndToEndAndFramesToSkip) {
  const TestFolder folder;
  const std::string a = FileContent(folder.WriteZstd("a.zst", "x\n1\n"));
  const std::string b = FileContent(folder.WriteZstd("b.zst", "2\n3\n"));
  const std::string skip = std::string("\x5A\x2A\x4D\x18\x03\0\0\0", 8) + "abc";  // RFC 8878, 3.1.2
  for (const std::string& content : {a + b, a + skip + b, skip + a + b + skip}) {
    // The name does not matter: what a file is is seen by its first bytes.
    for (const char* name : {"c.csv.zst", "c.csv"}) {
      const StatusOr<Table> table = Read({folder.Write(name, content)}, WithHeader(), {{"x", kNumber}});
      ASSERT_TRUE(table.ok()) << table.status().message();
      ASSERT_EQ(table->rows, 3);
      EXPECT_EQ(table->columns[0].numbers[2], 3);
    }
  }
}

// About 6 MiB, so several blocks, with everything that could be cut in the wrong place.
std::string LargeText(int rows) {
  std::string text = "id,quoted,number,city\r\n";
  for (int i = 0; i < rows; ++i) {
    const uint32_t mixed = static_cast<uint32_t>(i) * 2654435761u;
    text += fmt::format("user_{},", mixed % 50000);
    if (mixed % 7 == 0) {
      text += fmt::format("\"a \"\"{}\"\"\nb, {}\",", mixed % 90, i % 11);
    } else {
      text += fmt::format("plain {},", mixed % 1000);
    }
    text += mixed % 13 == 0 ? std::string("?,") : fmt::format("{}.{:03},", i % 977, mixed % 1000);
    text += fmt::format("city number {} with a rather long name\r\n", (mixed >> 8) % 60);
  }
  return text;
}

TEST(ReadFiles, DoesNotDependOnTheNumberOfThreads) {
  const TestFolder folder;
  const std::string text = LargeText(80000);
  const std::string plain = folder.Write("t.csv", text);
  const std::string gzip = folder.WriteGzip("t.csv.gz", text), zstd = folder.WriteZstd("t.csv.zst", text);
  SourceOptions options = WithHeader();
  options.missing_values = {"?"};
  const std::vector<ColumnRequest> requests = {{"id", kText}, {"quoted", kText}, {"number", kNumber}, {"city", kText}};
  const StatusOr<Table> one = Read({plain}, options, requests, 1);
  ASSERT_TRUE(one.ok()) << one.status().message();
  ASSERT_EQ(one->rows, 80000);
  for (int64_t row : {0, 1, 39999, 79999}) {
    const uint32_t mixed = static_cast<uint32_t>(row) * 2654435761u;
    EXPECT_EQ(one->columns[0].dictionary[one->columns[0].Code(row)], fmt::format("user_{}", mixed % 50000));
  }
  for (const std::string& file : {plain, gzip, zstd}) {
    for (int threads : {1, 2, 4}) {
      const StatusOr<Table> other = Read({file}, options, requests, threads);
      ASSERT_TRUE(other.ok()) << other.status().message();
      ASSERT_EQ(other->rows, one->rows);
      for (size_t i = 0; i < requests.size(); ++i) {
        const Column& a = one->columns[i];
        const Column& b = other->columns[i];
        EXPECT_EQ(a.dictionary, b.dictionary);
        ASSERT_EQ(a.code_bytes, b.code_bytes);
        if (a.kind == kNumber) {
          EXPECT_EQ(memcmp(a.numbers, b.numbers, static_cast<size_t>(one->rows) * 4), 0);
        } else {
          EXPECT_EQ(memcmp(a.codes, b.codes, static_cast<size_t>(one->rows) * static_cast<size_t>(a.code_bytes)), 0);
        }
      }
    }
  }
}

TEST(ReadFiles, ProblemsDoNotDependOnTheNumberOfThreads) {
  const TestFolder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 400000; ++i)
    text += i % 150000 == 149999 ? "x,y\n" : i % 170000 == 169999 ? "1\n" : "1,abcdefgh\n";
  const std::string file = folder.Write("t.csv", text);
  std::vector<std::string> messages;
  for (int threads : {1, 2, 4}) {
    messages.push_back(Read({file}, WithHeader(), {{"a", kNumber}}, threads).status().message());
  }
  EXPECT_EQ(messages[0], messages[1]);
  EXPECT_EQ(messages[0], messages[2]);
  EXPECT_THAT(messages[0], HasSubstr(file + ":150001:1 (a): found \"x\", expected a number"));
  EXPECT_THAT(messages[0], HasSubstr(file + ":170001: found 1 field, expected 2"));
  EXPECT_THAT(messages[0], HasSubstr(file + ":300001:1 (a): found \"x\""));
}

TEST(ReadFiles, StopsAfterTenProblemsPerFile) {
  const TestFolder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 50; ++i) text += "x,y\n";
  const std::vector<std::string> files = {folder.Write("a.csv", text), folder.Write("b.csv", "a,b\n1,2,3\n")};
  const StatusOr<Table> table = Read(files, WithHeader(), {{"a", kNumber}, {"b", kNumber}});
  EXPECT_EQ(table.status().code(), StatusCode::kInvalidInput);
  const std::string& message = table.status().message();
  EXPECT_THAT(message, HasSubstr("a.csv:2:1 (a): found \"x\""));
  EXPECT_THAT(message, HasSubstr("a.csv:2:2 (b): found \"y\""));
  EXPECT_THAT(message, HasSubstr("a.csv:6:2 (b): found \"y\""));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("a.csv:7")));
  EXPECT_THAT(message, HasSubstr("a.csv: 10 problems, stopped looking"));
  EXPECT_THAT(message, HasSubstr("b.csv:2: found 3 fields, expected 2 (\"1\", \"2\", \"3\")"));
}

TEST(ReadColumns, FromHeaderGivenOrMadeUp) {
  const TestFolder folder;
  const std::string file = folder.Write("t.csv", "id,\"last, first\"\n1,x\n");
  EXPECT_THAT(ReadColumns({&file, 1}, WithHeader(), false)->names, ElementsAre("id", "last, first"));
  EXPECT_THAT(ReadColumns({&file, 1}, SourceOptions(), false)->names, ElementsAre("column_0", "column_1"));
  SourceOptions named;
  named.names = {"p", "q"};
  EXPECT_THAT(ReadColumns({&file, 1}, named, false)->names, ElementsAre("p", "q"));
}

// ------------------------------------------------------------------------------------------------ real files
TEST(RealFiles, Hillstrom) {
  const std::string file = RealDataFile("hillstrom/hillstrom.csv.gz");
  if (file.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  const StatusOr<Table> table = Read(
      {file}, WithHeader(),
      {{"history_segment", kText}, {"segment", kText}, {"visit", kNumber}, {"conversion", kNumber}, {"spend", kNumber}},
      2);
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 64000);
  EXPECT_EQ(table->columns[0].dictionary.size(), 8u);
  EXPECT_THAT(table->columns[0].dictionary, ::testing::Contains("6) $750 - $1,000"));
  EXPECT_EQ(table->columns[1].dictionary.size(), 4u);
  int visits = 0, conversions = 0, spenders = 0;
  for (int64_t row = 0; row < table->rows; ++row) {
    visits += table->columns[2].numbers[row] == 1;
    conversions += table->columns[3].numbers[row] == 1;
    spenders += table->columns[4].numbers[row] > 0;
  }
  EXPECT_EQ(visits, 9394);
  EXPECT_EQ(conversions, 578);
  EXPECT_EQ(spenders, 578);
}

TEST(RealFiles, BankMarketing) {
  SourceOptions options = WithHeader();
  options.delimiter = ';';
  options.missing_values = {"unknown"};
  for (const auto& [name, rows, positives] : {std::tuple{"bank-full", 45211, 5289},
                                              {"bank", 4521, 521},
                                              {"bank-additional-full", 41188, 4640},
                                              {"bank-additional", 4119, 451}}) {
    const std::string file = RealDataFile(fmt::format("bank-marketing/{}.csv.gz", name));
    if (file.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
    const StatusOr<Table> table = Read({file}, options, {{"y", kText}, {"job", kText}, {"pdays", kNumber}});
    ASSERT_TRUE(table.ok()) << table.status().message();
    EXPECT_EQ(table->rows, rows);
    const Column& y = table->columns[0];
    int yes = 0;
    for (int64_t row = 0; row < table->rows; ++row) yes += y.dictionary[y.Code(row)] == "yes";
    EXPECT_EQ(yes, positives) << name;
    EXPECT_EQ(table->columns[1].dictionary.size(), 12u) << "eleven jobs; unknown is missing";
  }
}

TEST(RealFiles, Adult) {
  const std::string train = RealDataFile("adult/adult.data.gz"), test = RealDataFile("adult/adult.test.gz");
  if (train.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  SourceOptions options;
  options.missing_values = {"?"};
  const StatusOr<Table> table =
      Read({train}, options, {{"column_1", kText}, {"column_13", kText}, {"column_14", kText}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 32561);
  EXPECT_EQ(table->columns[0].dictionary.size(), 9u);
  EXPECT_EQ(table->columns[1].dictionary.size(), 42u);
  int missing = 0, positive = 0;
  for (int64_t row = 0; row < table->rows; ++row) {
    missing += table->columns[0].Code(row) == 0;
    positive += table->columns[2].dictionary[table->columns[2].Code(row)] == ">50K";
  }
  EXPECT_EQ(missing, 1836);
  EXPECT_EQ(positive, 7841);
  options.comment = "|";
  const StatusOr<Table> same = Read({train}, options, {{"column_1", kText}});
  ASSERT_TRUE(same.ok()) << same.status().message();
  EXPECT_EQ(same->rows, 32561);
  const StatusOr<Table> held_out = Read({test}, options, {{"column_14", kText}});
  ASSERT_TRUE(held_out.ok()) << held_out.status().message();
  EXPECT_EQ(held_out->rows, 16281);
  EXPECT_THAT(held_out->columns[0].dictionary, ElementsAre("", "<=50K.", ">50K."));
}

TEST(RealFiles, Census) {
  const std::string file = RealDataFile("census-income/census-income.data.noweight.gz");
  if (file.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  std::vector<ColumnRequest> requests;
  for (int i = 0; i < 42; ++i) {
    const bool number = i == 0 || i == 5 || (i >= 16 && i <= 18) || i == 24 || i == 30 || i == 39;
    requests.push_back({fmt::format("column_{}", i), number ? kNumber : kText});
  }
  SourceOptions options;
  const StatusOr<Table> table = Read({file}, options, requests, 2);
  // Without "?" as a missing value the lost weight column is no number column.
  EXPECT_THAT(table.status().message(), HasSubstr(":1:25 (column_24): found \"?\", expected a number"));
  options.missing_values = {"?"};
  const StatusOr<Table> read = Read({file}, options, requests, 2);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->rows, 199523);
  // Distinct values as the data set's description counts them, less "?" (missing) and plus the missing text.
  for (const auto& [column, distinct] :
       {std::pair{1, 9}, {2, 52}, {3, 47}, {4, 17}, {7, 7}, {21, 50}, {32, 42}, {41, 2}}) {
    EXPECT_EQ(read->columns[static_cast<size_t>(column)].dictionary.size(), static_cast<size_t>(distinct + 1))
        << column;
  }
  const Column& income = read->columns[41];
  const Column& marital = read->columns[7];
  const Column& father = read->columns[32];
  int rich = 0, single = 0, unknown = 0;
  double age = 0;
  for (int64_t row = 0; row < read->rows; ++row) {
    rich += income.dictionary[income.Code(row)] == "50000+.";
    single += marital.dictionary[marital.Code(row)] == "Never married";
    unknown += father.Code(row) == 0;
    age = std::max(age, static_cast<double>(read->columns[0].numbers[row]));
  }
  EXPECT_EQ(rich, 12382);
  EXPECT_EQ(single, 86485);
  EXPECT_EQ(unknown, 6713);
  EXPECT_EQ(age, 90);
  EXPECT_THAT(read->columns[35].dictionary, ::testing::Contains("Foreign born- Not a citizen of U S"));
}

TEST(RealFiles, TaobaoWithoutHeader) {
  const std::string file = RealDataFile("taobao-ad-sample/alimama_sampled_train.txt.gz");
  if (file.empty()) GTEST_SKIP() << "no real data (MANYGATE_DATA)";
  const StatusOr<Table> table = Read({file}, SourceOptions(), {{"column_264", kNumber}, {"column_266", kNumber}});
  ASSERT_TRUE(table.ok()) << table.status().message();
  EXPECT_EQ(table->rows, 500);
  int clicks = 0;
  for (int row = 0; row < 500; ++row) clicks += table->columns[1].numbers[row] == 1;
  EXPECT_EQ(clicks, 210);
}

}  // namespace
}  // namespace manygate
