// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "manygate/data/test_files.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string Write(const TestFolder& folder, const std::string& name) {
  std::filesystem::create_directories(std::filesystem::path(folder.Path(name)).parent_path());
  return folder.Write(name, "x\n");
}

std::string ErrorOf(const std::string& paths) { return ExpandSources(paths).status().message(); }

TEST(ExpandSources, FoldersStandForTheirDataFiles) {
  const TestFolder folder;
  const std::string b = Write(folder, "p/day=2/part-0.parquet"), a = Write(folder, "p/day=1/part-1.parquet");
  Write(folder, "p/_SUCCESS");
  Write(folder, "p/_temporary/part-2.parquet");
  Write(folder, "p/.hidden.parquet");
  Write(folder, "p/notes.csv");
  EXPECT_THAT(*ExpandSources(folder.Path("p")), ElementsAre(a, b));
  EXPECT_THAT(*ExpandSources(folder.Path("p/day=2") + ", " + folder.Path("p") + "/"), ElementsAre(b, a));
  const std::string c = Write(folder, "c/x.csv.gz"), d = Write(folder, "c/y.tsv");
  Write(folder, "c/readme.md");
  EXPECT_THAT(*ExpandSources(folder.Path("c")), ElementsAre(c, d));
  EXPECT_THAT(*ExpandSources(folder.Path("c/*.tsv") + "," + a), ElementsAre(d, a));
}

TEST(ExpandSources, SaysWhatIsWrong) {
  const TestFolder folder;
  std::filesystem::create_directory(folder.Path("empty"));
  EXPECT_THAT(ErrorOf(folder.Path("empty")), HasSubstr("/empty: a folder without data files, at any depth."));
  Write(folder, "t/day=1/x.csv");
  EXPECT_THAT(ErrorOf(folder.Path("t")), HasSubstr("/t: folders named key=value become columns of Parquet files, not"));
  EXPECT_EQ(ExpandSources(folder.Path("t/day=1"))->size(), 1u);
  EXPECT_THAT(ErrorOf(folder.Path("t/y.csv")), HasSubstr("no such file"));
  EXPECT_THAT(ErrorOf(folder.Path("t/day=1") + ",,"), HasSubstr("an empty path"));
}

TEST(PartitionsOf, FoldersNamedByKeyAndValue) {
  EXPECT_THAT(PartitionsOf("clicks/day=2024-01-31/country=DE/a=b.parquet"),
              ElementsAre(Pair("day", "2024-01-31"), Pair("country", "DE")));
  EXPECT_THAT(PartitionsOf("/=x/a%20b=c%2Fd%/x=__HIVE_DEFAULT_PARTITION__/f"),
              ElementsAre(Pair("a b", "c/d%"), Pair("x", "")));
  EXPECT_THAT(PartitionsOf("s3://bucket/k=a%252Fb/f.parquet?region=eu/x=1/y"), ElementsAre(Pair("k", "a/b")));
  EXPECT_THAT(PartitionsOf("f.parquet"), IsEmpty());
}

}  // namespace
}  // namespace manygate
