// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "manygate/base/file.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SafetensorsTest : public ::testing::Test {
 protected:
  void SetUp() override { path_ = ::testing::TempDir() + "manygate_safetensors_test_" + std::to_string(getpid()); }
  void TearDown() override { EXPECT_TRUE(RemoveTree(path_).ok()); }
  // The error of reading a file with this header and as many bytes of values.
  std::string ErrorOf(const std::string& header, size_t value_bytes) const {
    const uint64_t length = header.size();
    std::string text(8, '\0');
    std::memcpy(text.data(), &length, 8);
    text += header + std::string(value_bytes, '\1');
    EXPECT_TRUE(WriteFileAtomic(path_, text).ok());
    const Status status = ReadSafetensors(path_).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidInput) << header;
    EXPECT_THAT(status.message(), StartsWith(path_ + ": not a sound safetensors file: "));
    return status.message();
  }

  std::string path_;
};

TEST_F(SafetensorsTest, RoundTrip) {
  const std::vector<TensorEntry> entries = {
      {"w", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"b", {}, {-0.5f}}, {"none", {0, 4}, {}}, {"\"é\n", {1}, {1e-40f}}};
  ASSERT_TRUE(WriteSafetensors(path_, entries, {{"step", "12"}}).ok());
  std::map<std::string, std::string> metadata;
  const auto read = ReadSafetensors(path_, &metadata);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->size(), 4u);
  EXPECT_EQ((*read)[0].name, "\"é\n");
  EXPECT_EQ((*read)[0].values[0], 1e-40f);
  EXPECT_EQ((*read)[1].name, "b");
  EXPECT_TRUE((*read)[1].shape.empty());
  EXPECT_EQ((*read)[2].name, "none");
  EXPECT_EQ((*read)[3].name, "w");
  EXPECT_THAT((*read)[3].shape, ElementsAre(2, 3));
  EXPECT_THAT((*read)[3].values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(metadata["step"], "12");
}

TEST_F(SafetensorsTest, BytesAreThoseOfTheFormatAndDeterministic) {
  const std::vector<TensorEntry> entries = {{"b", {1}, {1}}, {"a", {2}, {2, 3}}};
  ASSERT_TRUE(WriteSafetensors(path_, entries, {}).ok());
  const std::string text = *ReadFile(path_);
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
  ASSERT_EQ(text.size(), 8 + (header.size() + 7) / 8 * 8 + 12);
  EXPECT_EQ(static_cast<unsigned char>(text[0]), (header.size() + 7) / 8 * 8);
  EXPECT_EQ(text.substr(8, header.size()), header);
  const std::vector<TensorEntry> other_order = {entries[1], entries[0]};
  ASSERT_TRUE(WriteSafetensors(path_, other_order, {}).ok());
  EXPECT_EQ(*ReadFile(path_), text);
}

TEST_F(SafetensorsTest, EmptyList) {
  ASSERT_TRUE(WriteSafetensors(path_, std::vector<TensorEntry>(), {}).ok());
  EXPECT_EQ(ReadSafetensors(path_)->size(), 0u);
}

TEST_F(SafetensorsTest, RejectsBrokenHeaders) {
  ASSERT_TRUE(WriteFileAtomic(path_, "short").ok());
  EXPECT_THAT(ReadSafetensors(path_).status().message(), HasSubstr("5 bytes, at least 8 expected"));
  ASSERT_TRUE(WriteFileAtomic(path_, std::string(8, '\xFF') + "{}").ok());
  EXPECT_THAT(ReadSafetensors(path_).status().message(),
              HasSubstr("a header of 18446744073709551615 bytes is announced, 2 bytes follow"));
  EXPECT_THAT(ErrorOf("{", 0), HasSubstr("the header is not a JSON object"));
  EXPECT_THAT(ErrorOf("[]", 0), HasSubstr("the header is not a JSON object"));
  EXPECT_THAT(ErrorOf(R"({"__metadata__":{"a":1}})", 0), HasSubstr("is not a string"));
  EXPECT_THAT(ErrorOf(R"({"a":3})", 0), HasSubstr("\"a\" is not an object"));
  EXPECT_THAT(ErrorOf(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), HasSubstr("\"a\" has no \"dtype\""));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), HasSubstr("\"a\" has no \"shape\""));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[1]}})", 4), HasSubstr("\"a\" needs \"data_offsets\""));
}

TEST_F(SafetensorsTest, RejectsOtherTypesByName) {
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("\"a\" has dtype BF16, only F32 is supported"));
}

TEST_F(SafetensorsTest, RejectsWrongSizes) {
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4),
              HasSubstr("\"a\" has the shape [-1]"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4),
              HasSubstr("more values than can be counted"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0),
              HasSubstr("more values than can be counted"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("\"a\" of shape [2] needs 8 bytes, data_offsets give 4"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4),
              HasSubstr("\"a\" lies at bytes 0 to 8, the file holds 4 bytes of values"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), HasSubstr("bytes 4 to 0"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8),
              HasSubstr("8 bytes of values, the header accounts for 4"));
}

TEST_F(SafetensorsTest, RejectsOverlapGapAndRepeatedNames) {
  const std::string a = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)";
  EXPECT_THAT(ErrorOf(a + R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
              HasSubstr("\"b\" begins at byte 4, expected 8 (overlap)"));
  EXPECT_THAT(ErrorOf(a + R"("b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16),
              HasSubstr("\"b\" begins at byte 12, expected 8 (gap)"));
  EXPECT_THAT(ErrorOf(a + R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8),
              HasSubstr("\"a\" appears twice"));
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  const std::vector<TensorEntry> entries = {{"w", {2}, {1, 2}}};
  ASSERT_TRUE(WriteSafetensors(path_, entries, {}).ok());
  const std::string text = *ReadFile(path_);
  for (size_t size = 0; size < text.size(); ++size) {
    ASSERT_TRUE(WriteFileAtomic(path_, text.substr(0, size)).ok());
    EXPECT_FALSE(ReadSafetensors(path_).ok()) << size;
  }
}

}  // namespace
}  // namespace manygate
