// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/memory_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "manygate/data/arrow_testing.h"
#include "manygate/data/format.h"
#include "manygate/data/infer.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/paths.h"
#include "manygate/data/source.h"
#include "manygate/data/test_files.h"
#include "manygate/data/test_tables.h"

namespace manygate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MemoryReader : public testing::Test {
 protected:
  // The made columns must outlive the test's use of the table.
  std::shared_ptr<MemoryTable> Make(const std::vector<std::vector<ArrowMade*>>& streams) {
    auto table = MemoryTable::Make("people");
    for (const std::vector<ArrowMade*>& batches : streams) {
      streams_.push_back(std::make_unique<ArrowMadeStream>(batches));
      const Status status = table->Add(&streams_.back()->stream);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    return table;
  }
  StatusOr<Table> Read(const std::vector<std::string>& paths, std::span<const ColumnRequest> requests,
                       const SourceOptions& options = {.with_header = true, .missing_values = {"?"}}) {
    return ReadFiles(paths, options, requests, pool_);
  }

  std::vector<std::unique_ptr<ArrowMadeStream>> streams_;
  ThreadPool pool_{2};
};

const std::vector<ColumnRequest> kCityAge = {{"city", ColumnKind::kCategory}, {"age", ColumnKind::kNumber}};

// Six rows as a text file has them; " Rome" and "Rome" are one value there, "?" is missing.
const std::vector<std::string> kCities = {" Rome", "Oslo\t", "", "?", "Rome", "a city of a long name"};
constexpr char kCsv[] =
    "city,age,visits\n Rome,31,3\nOslo\t,0.5,-4\n,,\n?,-1,9000000000\nRome,31,3\na city of a long name,7,0\n";

// The same rows with texts of one layout: `offset` more in front of each column, a batch of the first `cut` rows, and one
// of the others.
class SixRows {
 public:
  template <typename Fill>
  SixRows(const char* format, int64_t offset, int64_t cut, const Fill& fill)
      : city_(format, 6, offset), first_("+s", cut), second_("+s", 6 - cut, cut) {
    fill(&city_, offset);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> ages(static_cast<size_t>(offset), 99);
    ages.insert(ages.end(), {31, 0.5, nan, -1, 31, 7});
    std::vector<int64_t> visits(static_cast<size_t>(offset), 99);
    visits.insert(visits.end(), {3, -4, 77, 9000000000, 3, 0});
    city_.Name("city");
    age_.array.offset = visits_.array.offset = offset;
    age_.Name("age").Values(ages);
    visits_.Name("visits").Values(visits).Valid(std::string(static_cast<size_t>(offset), '1') + "110111");
    for (ArrowMade* rows : {&first_, &second_}) rows->Child(city_).Child(age_).Child(visits_);
  }
  std::vector<ArrowMade*> batches() { return {&first_, &second_}; }

 private:
  ArrowMade city_, age_{"g", 6}, visits_{"l", 6}, first_, second_;
};

std::vector<std::string> Behind(int64_t offset, const std::vector<std::string>& texts) {
  std::vector<std::string> all(static_cast<size_t>(offset), "in front");
  all.insert(all.end(), texts.begin(), texts.end());
  return all;
}

// Codes of kCities in a dictionary that has more entries, one of them null; row 2 is null itself or has that entry.
template <typename Code>
void FillCodes(ArrowMade* city, int64_t offset, ArrowMade* dictionary) {
  std::vector<Code> codes(static_cast<size_t>(offset), 0);
  codes.insert(codes.end(), {2, 1, 5, 3, 4, 6});
  city->Values(codes).Dictionary(*dictionary);
}

TEST_F(MemoryReader, EveryLayoutOfTextIsReadAsTheTextFile) {
  const TestFolder folder;
  const std::vector<ColumnRequest> requests = {
      {"visits", ColumnKind::kCategory}, {"city", ColumnKind::kCategory}, {"age", ColumnKind::kNumber}};
  const StatusOr<Table> twin = Read({folder.Write("rows.csv", kCsv)}, requests);
  ASSERT_EQ(TableText(twin), "3,Rome,31|-4,Oslo,0.5|,,nan|9000000000,,-1|3,Rome,31|0,a city of a long name,7");
  ArrowMade dictionary("u", 7, /*offset=*/1);
  dictionary.Texts<int32_t>({"in front", "unused", "Oslo\t", " Rome", "?", "Rome", "null", "a city of a long name"})
      .Valid("11111101");
  int compared = 0;
  const auto compare = [&](const char* format, const auto& fill) {
    for (const int64_t offset : {0, 3}) {
      for (const int64_t cut : {0, 2, 6}) {
        SixRows rows(format, offset, cut, fill);
        const auto table = Make({rows.batches()});
        const StatusOr<Table> read = Read({table->path()}, requests);
        ASSERT_TRUE(read.ok()) << read.status().message();
        EXPECT_TRUE(SameContent(*read, *twin)) << format << " " << offset << " " << cut << ": " << TableText(read);
        EXPECT_EQ(read->source, table->path());
        ++compared;
      }
    }
  };
  const auto small = [](ArrowMade* city, int64_t offset) { city->Texts<int32_t>(Behind(offset, kCities)); };
  const auto large = [](ArrowMade* city, int64_t offset) { city->Texts<int64_t>(Behind(offset, kCities)); };
  const auto views = [](ArrowMade* city, int64_t offset) { city->Views(Behind(offset, kCities)); };
  compare("u", small);
  compare("z", small);
  compare("U", large);
  compare("Z", large);
  compare("vu", views);
  compare("vz", views);
  compare("c", [&](ArrowMade* city, int64_t offset) { FillCodes<int8_t>(city, offset, &dictionary); });
  compare("C", [&](ArrowMade* city, int64_t offset) { FillCodes<uint8_t>(city, offset, &dictionary); });
  compare("s", [&](ArrowMade* city, int64_t offset) { FillCodes<int16_t>(city, offset, &dictionary); });
  compare("S", [&](ArrowMade* city, int64_t offset) { FillCodes<uint16_t>(city, offset, &dictionary); });
  compare("i", [&](ArrowMade* city, int64_t offset) { FillCodes<int32_t>(city, offset, &dictionary); });
  compare("I", [&](ArrowMade* city, int64_t offset) { FillCodes<uint32_t>(city, offset, &dictionary); });
  compare("l", [&](ArrowMade* city, int64_t offset) { FillCodes<int64_t>(city, offset, &dictionary); });
  compare("L", [&](ArrowMade* city, int64_t offset) { FillCodes<uint64_t>(city, offset, &dictionary); });
  EXPECT_EQ(compared, 14 * 6);
}

TEST_F(MemoryReader, BlanksCountWhereTheFilesOfTheModelAreNoText) {
  ArrowMade city("u", 3), rows("+s", 3);
  const auto table = Make({{&rows.Child(city.Name("city").Texts<int32_t>({" a", "a\t", "?"}))}});
  const std::vector<ColumnRequest> requests = {{"city", ColumnKind::kCategory}};
  EXPECT_EQ(TableText(Read({table->path()}, requests)), "a|a|");
  EXPECT_EQ(TableText(Read({table->path()}, requests, {.trim_blanks = false})), " a|a\t|?");
  EXPECT_EQ(TableText(Read({table->path()}, requests, {.dataset_type = config::ParquetDataset})), " a|a\t|?");
  EXPECT_EQ(TableText(Read({table->path()}, requests, {.dataset_type = config::FieldListDataset})), "a|a|?");
}

TEST_F(MemoryReader, StreamsAreColumnsAndTablesAreRows) {
  ArrowMade city("u", 2), age("l", 2), cities("+s", 2), ages("+s", 2);
  cities.Child(city.Name("city").Texts<int32_t>({"a", "b"}));
  ages.Child(age.Name("age").Values<int64_t>({1, 2}));
  ArrowMade more_age("f", 1), more_city("C", 1), values("u", 1), more("+s", 1);  // in another order, of other types
  more.Child(more_age.Name("age").Values<float>({2.5}));
  more.Child(more_city.Name("city").Values<uint8_t>({0}).Dictionary(values.Texts<int32_t>({"b"})));
  const auto first = Make({{&cities}, {&ages}}), second = Make({{&more}});
  EXPECT_EQ(TableText(Read({first->path(), second->path()}, kCityAge)), "a,1|b,2|b,2.5");

  ArrowMade text("u", 1), other("+s", 1);
  other.Child(text.Name("age").Texts<int32_t>({"1"})).Child(more_city);
  const auto texts = Make({{&other}}), ages_only = Make({{&ages}});
  EXPECT_EQ(TableText(Read({first->path(), texts->path()}, kCityAge)),
            texts->path() + ": column \"age\" holds values of type text, expected int64 as in " + first->path());
  EXPECT_THAT(TableText(Read({first->path(), ages_only->path()}, kCityAge)),
              HasSubstr("has no column \"city\", which " + first->path() + " has"));
  EXPECT_THAT(TableText(Read({ages_only->path(), first->path()}, kCityAge)),
              HasSubstr("has a column \"city\", which " + ages_only->path() + " has not"));
}

TEST_F(MemoryReader, ProblemsAreNamedByTableRowAndColumn) {
  ArrowMade first("u", 2), second("u", 2), batch("+s", 2), next("+s", 2);
  batch.Child(first.Name("age").Texts<int32_t>({"1", "old"}));
  next.Child(second.Name("age").Texts<int32_t>({"?", "1e99"}));
  const auto table = Make({{&batch, &next}});
  const std::vector<ColumnRequest> age = {{"age", ColumnKind::kNumber}};
  const std::string problems = TableText(Read({table->path()}, age));
  EXPECT_THAT(problems, AllOf(StartsWith(table->path() + ": row 2 (age): found \"old\", expected a number"),
                              HasSubstr("\n" + table->path() + ": row 4 (age): found \"1e99\", which is beyond")));
  const std::vector<ColumnRequest> unknown = {{"agee", ColumnKind::kNumber}, {"town", ColumnKind::kCategory}};
  EXPECT_THAT(TableText(Read({table->path()}, unknown)),
              AllOf(StartsWith(table->path() + ": column \"agee\" is not there. Did you mean \"age\"?"),
                    HasSubstr("\n" + table->path() + ": column \"town\" is not there.")));
}

TEST_F(MemoryReader, TablesThatAreGoneFilesBetweenThemAndNoRows) {
  const std::string gone = "memory:0/x";
  EXPECT_THAT(TableText(Read({gone}, kCityAge)), StartsWith(gone + ": the rows are not there any more"));
  EXPECT_THAT(TableText(Read({gone, "rows.csv"}, kCityAge)),
              StartsWith("rows.csv: cannot be read as one with memory:0/x, rows.csv; give either tables in memory"));
  ArrowMade city("u", 0), age("l", 0), rows("+s", 0);
  rows.Child(city.Name("city").Texts<int32_t>({})).Child(age.Name("age").Values<int64_t>({}));
  const auto table = Make({{&rows}});
  EXPECT_EQ(TableText(Read({table->path()}, kCityAge)), table->path() + ": has no rows");
}

TEST_F(MemoryReader, NoPathIsOpenedAsAFileOrCached) {
  ArrowMade city("u", 2), age("l", 2), odd("+s", 2), rows("+s", 2);
  rows.Child(city.Name("city").Texts<int32_t>({"a", "b"})).Child(age.Name("age").Values<int64_t>({1, 2}));
  rows.Child(odd.Name("odd").Child(age));
  const auto table = Make({{&rows}});
  const auto files = ExpandSources("a.csv, " + table->path() + "," + table->path());
  EXPECT_FALSE(files.ok());  // of a.csv, which is not there
  const auto paths = ExpandSources(" " + table->path() + "," + table->path());
  ASSERT_TRUE(paths.ok()) << paths.status().message();
  EXPECT_THAT(*paths, ElementsAre(table->path()));

  EXPECT_EQ(DetectFormat(table->path()).value(), config::CsvDataset);
  const auto options = DetectDialect(table->path(), {.delimiter = ';', .missing_values = {"?"}});
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->delimiter, ',');
  EXPECT_TRUE(options->with_header);
  EXPECT_THAT(options->missing_values, ElementsAre("?"));
  EXPECT_THAT(FirstLine(table->path(), *options).value(), ElementsAre("city", "age", "odd"));
  EXPECT_THAT(ReadColumns(*paths, *options, false)->names, ElementsAre("city", "age", "odd"));
  EXPECT_THAT(ReadColumns(*paths, *options, true)->names, ElementsAre("city", "age"));  // without what cannot be read
  const auto schema = InferColumns(*paths, *options, pool_);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->rows, 2);
  EXPECT_EQ(schema->columns[0].kind, InferredKind::kText);
  EXPECT_EQ(schema->columns[1].kind, InferredKind::kInteger);

  const TestFolder folder;
  std::vector<std::string> notes;
  const auto read = ReadTableFiles(*paths, *options, kCityAge, pool_, folder.Path("cache"), &notes);
  EXPECT_EQ(TableText(read), "a,1|b,2");
  EXPECT_THAT(notes, ElementsAre());
  EXPECT_FALSE(std::filesystem::exists(folder.Path("cache")));
}

}  // namespace
}  // namespace manygate
