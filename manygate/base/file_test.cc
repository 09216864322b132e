// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace manygate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "manygate_file_test_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(dir_).ok());
    ASSERT_TRUE(MakeDirectories(dir_).ok());
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(dir_).ok()); }
  std::string Path(const std::string& name) const { return JoinPath(dir_, name); }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomic(Path(name), text).ok());
  }

  std::string dir_;
};

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const std::string text = std::string("a\0b\n", 4) + std::string(3 << 20, 'x');
  Write("f", text);
  EXPECT_EQ(*ReadFile(Path("f")), text);
  EXPECT_EQ(*FileSize(Path("f")), text.size());
  EXPECT_EQ(MappedFile::Open(Path("f"))->view(), text);
  EXPECT_EQ(*Xxh3File(Path("f")), Xxh3(text.data(), text.size()));
  Write("f", "shorter");
  EXPECT_EQ(*ReadFile(Path("f")), "shorter");
  EXPECT_THAT(*ListDirectory(dir_), ElementsAre("f"));
}

TEST_F(FileTest, EmptyFile) {
  Write("empty", "");
  EXPECT_EQ(*ReadFile(Path("empty")), "");
  const StatusOr<MappedFile> mapped = MappedFile::Open(Path("empty"));
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped->size(), 0u);
  EXPECT_EQ(*Xxh3File(Path("empty")), 0x2d06800538d394c2u);  // published: XXH3 of nothing, seed 0
}

TEST_F(FileTest, ErrorsNameTheFileAndTheReason) {
  const Status absent = ReadFile(Path("absent")).status();
  EXPECT_EQ(absent.code(), StatusCode::kInvalidInput);
  EXPECT_EQ(absent.message(), Path("absent") + ": cannot read: No such file or directory");
  EXPECT_THAT(ReadFile(dir_).status().message(), HasSubstr("is a folder, expected a file"));
  EXPECT_THAT(MappedFile::Open(Path("absent")).status().message(), HasSubstr("No such file"));
  EXPECT_THAT(FileSize(Path("absent")).status().message(), HasSubstr("No such file"));
  EXPECT_THAT(ListDirectory(Path("absent")).status().message(), HasSubstr("cannot list"));
  const Status unwritten = WriteFileAtomic(Path("no/such/f"), "x");
  EXPECT_EQ(unwritten.code(), StatusCode::kFailed);
  EXPECT_EQ(unwritten.message(), Path("no/such/f") + ": cannot write: No such file or directory");
  EXPECT_THAT(WriteFileAtomic(dir_, "x").message(), HasSubstr("is a folder"));
}

TEST_F(FileTest, NothingStaysWithoutCommit) {
  Write("f", "old");
  {
    AtomicFile file;
    ASSERT_TRUE(file.Open(Path("f")).ok());
    ASSERT_TRUE(file.Append(std::string(2 << 20, 'n')).ok());
    const std::vector<std::string> names = *ListDirectory(dir_);
    ASSERT_EQ(names.size(), 2u);
    EXPECT_THAT(names[1], AllOf(StartsWith("f."), ::testing::EndsWith(".tmp")));
  }
  EXPECT_THAT(*ListDirectory(dir_), ElementsAre("f"));
  EXPECT_EQ(*ReadFile(Path("f")), "old");
}

TEST_F(FileTest, AtomicFileAppendsAndMoves) {
  AtomicFile file;
  ASSERT_TRUE(file.Open(Path("f")).ok());
  ASSERT_TRUE(file.Append("one ").ok());
  AtomicFile moved = std::move(file);
  ASSERT_TRUE(moved.Append("two").ok());
  EXPECT_FALSE(FileExists(Path("f")));
  ASSERT_TRUE(moved.Commit().ok());
  EXPECT_EQ(*ReadFile(Path("f")), "one two");
  EXPECT_FALSE(moved.Commit().ok());
  EXPECT_THAT(moved.Append("x").message(), HasSubstr("not open"));
}

TEST_F(FileTest, AFailedCommitIsReportedAndLeavesNothing) {
  AtomicFile file;
  ASSERT_TRUE(file.Open(Path("f")).ok());
  ASSERT_TRUE(file.Append("x").ok());
  ASSERT_TRUE(MakeDirectories(Path("f")).ok());  // a folder takes the name meanwhile: the rename must fail
  const Status status = file.Commit();
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_EQ(status.message(), Path("f") + ": cannot write: Is a directory");
  EXPECT_THAT(*ListDirectory(dir_), ElementsAre("f"));
}

TEST_F(FileTest, ExpandPathsSortsAndKeepsOrderOfPieces) {
  for (const char* name : {"b-2.csv", "b-1.csv", "a.csv", "odd[1].csv"}) Write(name, "x");
  ASSERT_TRUE(MakeDirectories(Path("b-3.csv")).ok());  // a folder that a glob matches is no input
  EXPECT_THAT(*ExpandPaths(Path("b-*.csv") + " , " + Path("a.csv") + "," + Path("b-1.csv")),
              ElementsAre(Path("b-1.csv"), Path("b-2.csv"), Path("a.csv")));
  EXPECT_THAT(*ExpandPaths(Path("odd[1].csv")), ElementsAre(Path("odd[1].csv")));
}

TEST_F(FileTest, ExpandPathsSaysWhatIsThere) {
  Write("census-income.data", "x");
  Write("other", "x");
  EXPECT_EQ(ExpandPaths(Path("census_income.data")).status().message(),
            Path("census_income.data") + ": no such file. Did you mean \"census-income.data\"? Files in " + dir_ +
                ": census-income.data, other");
  EXPECT_THAT(ExpandPaths(Path("*.parquet")).status().message(),
              HasSubstr("no file matches this pattern. Files in " + dir_));
  EXPECT_THAT(ExpandPaths(Path("sub/deeper/x.csv")).status().message(), HasSubstr("Files in " + dir_));
  EXPECT_THAT(ExpandPaths(dir_).status().message(),
              HasSubstr("is a folder, expected a file. For all files in it write"));
  EXPECT_THAT(ExpandPaths("").status().message(), HasSubstr("an empty path"));
  EXPECT_THAT(ExpandPaths(Path("other") + ",").status().message(), HasSubstr("an empty path"));
  EXPECT_EQ(ExpandPaths(Path("*.parquet")).status().code(), StatusCode::kInvalidInput);
}

TEST_F(FileTest, Folders) {
  ASSERT_TRUE(MakeDirectories(Path("a/b/c")).ok());
  ASSERT_TRUE(MakeDirectories(Path("a/b/c")).ok());
  Write("a/b/f", "x");
  EXPECT_THAT(MakeDirectories(Path("a/b/f")).message(), HasSubstr("cannot make this folder"));
  std::filesystem::create_symlink(Path("a/b/f"), Path("link"));
  EXPECT_TRUE(RemoveTree(Path("link")).ok());
  EXPECT_TRUE(FileExists(Path("a/b/f")));
  EXPECT_TRUE(RemoveTree(Path("a")).ok());
  EXPECT_FALSE(FileExists(Path("a")));
  EXPECT_TRUE(RemoveTree(Path("a")).ok());
}

TEST(PathTest, PartsOfNames) {
  EXPECT_EQ(DirectoryOf("a/b.csv"), "a");
  EXPECT_EQ(DirectoryOf("b.csv"), ".");
  EXPECT_EQ(DirectoryOf("/b.csv"), "/");
  EXPECT_EQ(BaseName("a/b.csv"), "b.csv");
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

}  // namespace
}  // namespace manygate
