// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "manygate/base/file.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "manygate_manifest_test_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(dir_).ok());
    ASSERT_TRUE(MakeDirectories(JoinPath(dir_, "sub")).ok());
    Write("weights", "0123456789");
    Write("sub/schema", "text");
    const std::vector<std::string> files = {"weights", "sub/schema"};
    ASSERT_TRUE(WriteManifest(dir_, 1, "0.1.0", files).ok());
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(dir_).ok()); }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomic(JoinPath(dir_, name), text).ok());
  }
  // The error after MANIFEST.json has been replaced by `text`.
  std::string ErrorOf(const std::string& text) const {
    Write(kManifestName, text);
    const Status status = VerifyManifest(dir_);
    EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
    EXPECT_THAT(status.message(), HasSubstr(JoinPath(dir_, kManifestName)));
    return status.message();
  }

  std::string dir_;
};

TEST_F(ManifestTest, WhatWasWrittenIsVerified) {
  EXPECT_TRUE(VerifyManifest(dir_).ok());
  EXPECT_THAT(*ManifestFiles(dir_), ElementsAre("sub/schema", "weights"));
  const std::string text = *ReadFile(JoinPath(dir_, kManifestName));
  EXPECT_THAT(text, HasSubstr("\"format_version\": 1"));
  EXPECT_THAT(text, HasSubstr("\"program_version\": \"0.1.0\""));
  EXPECT_THAT(text, HasSubstr("\"bytes\": 10"));
}

TEST_F(ManifestTest, DamageNamesTheFile) {
  Write("weights", "0123456780");
  EXPECT_THAT(VerifyManifest(dir_).message(), HasSubstr(dir_ + "/weights: damaged: checksum "));
  Write("weights", "012345678");
  EXPECT_THAT(VerifyManifest(dir_).message(),
              HasSubstr(dir_ + "/weights: damaged: 9 bytes, MANIFEST.json says 10. Restore it from a copy"));
  ASSERT_TRUE(RemoveTree(JoinPath(dir_, "weights")).ok());
  EXPECT_THAT(VerifyManifest(dir_).message(),
              HasSubstr(dir_ + "/weights: missing, but MANIFEST.json lists it (10 bytes)"));
}

TEST_F(ManifestTest, AbsentManifestMeansAnIncompleteFolder) {
  ASSERT_TRUE(RemoveTree(JoinPath(dir_, kManifestName)).ok());
  EXPECT_THAT(VerifyManifest(dir_).message(), HasSubstr("no such file, so " + dir_ + " is not complete"));
}

TEST_F(ManifestTest, RejectsNewerFormats) {
  EXPECT_THAT(ErrorOf(R"({"format_version": 2, "program_version": "9.1", "files": {}})"),
              HasSubstr("format version 2, this program reads up to 1. Use the version that wrote it (9.1)"));
}

TEST_F(ManifestTest, RejectsMalformedText) {
  EXPECT_THAT(ErrorOf("{\"format_version\": 1"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("no number \"format_version\""));
  EXPECT_THAT(ErrorOf(R"({"format_version": 0, "files": {}})"), HasSubstr("format_version 0, expected 1 or more"));
  EXPECT_THAT(ErrorOf(R"({"format_version": 1})"), HasSubstr("no object \"files\""));
  EXPECT_THAT(ErrorOf(R"({"format_version": 1, "files": {"a": 3}})"), HasSubstr("\"a\" needs \"bytes\""));
  EXPECT_THAT(ErrorOf(R"({"format_version": 1, "files": {"a": {"bytes": -1, "xxh3": "0123456789abcdef"}}})"),
              HasSubstr("\"a\" needs \"bytes\""));
  EXPECT_THAT(ErrorOf(std::string((1 << 20) + 1, ' ')), HasSubstr("1048577 bytes, at most 1048576 expected"));
}

TEST_F(ManifestTest, RejectsNamesThatLeaveTheFolder) {
  for (const char* name : {"../x", "/etc/passwd", "a/../../x", "a//b", ".", "", "a/..", "..\\\\x"}) {
    EXPECT_THAT(ErrorOf(std::string(R"({"format_version": 1, "files": {")") + name +
                        R"(": {"bytes": 1, "xxh3": "0123456789abcdef"}}})"),
                HasSubstr("is not a relative name inside the folder"))
        << name;
    const std::vector<std::string> files = {name};
    EXPECT_THAT(WriteManifest(dir_, 1, "0.1.0", files).message(), HasSubstr("is not a relative name"));
  }
}

TEST_F(ManifestTest, WritingNeedsTheFiles) {
  const std::vector<std::string> files = {"absent"};
  EXPECT_THAT(WriteManifest(dir_, 1, "0.1.0", files).message(), HasSubstr("absent: cannot read: No such file"));
}

}  // namespace
}  // namespace manygate
