// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/features.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using Kind = TensorProgram::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kColour[] =
    "features { name: 'colour' column: 'colour' kind: VOCABULARY encoding: EMBEDDING id_slot: 0 vocabulary_size: 4 "
    "embedding_dim: 2 value: 'red' value: 'blue' %s }";

features::Schema SchemaOf(const std::string& text) {
  features::Schema schema;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &schema)) << text;
  return schema;
}

std::string With(const char* format, const std::string& more) {
  std::string text = format;
  return text.replace(text.find("%s"), 2, more);
}

StatusOr<EncodedRow> Export(const std::string& schema, TensorProgram* program, std::vector<std::string> missing = {}) {
  SourceOptions options;
  options.missing_values = std::move(missing);
  return ExportFeatures(SchemaOf(schema), options, program);
}

TEST(ExportFeaturesTest, AVocabularyIsLookedUp) {
  TensorProgram program;
  const auto row = Export(With(kColour, ""), &program, {"?"});
  ASSERT_TRUE(row.ok()) << row.status().message();
  EXPECT_EQ(row->numbers, -1);
  const auto& look_up = program.operation(row->ids.at(0));
  EXPECT_EQ(look_up.kind, Kind::kLookUp);
  EXPECT_THAT(look_up.texts, ElementsAre("", "red", "blue"));
  EXPECT_THAT(look_up.ids, ElementsAre(3, 0, 1));  // missing is the last id
  EXPECT_EQ(look_up.number, 2);                    // unknown
  ASSERT_EQ(program.inputs().size(), 1U);
  EXPECT_EQ(program.inputs()[0].name, "colour");
  EXPECT_THAT(program.inputs()[0].missing, ElementsAre("?"));
}

TEST(ExportFeaturesTest, ValuesHaveTheirOwnIdsAndDefaults) {
  TensorProgram program;
  const auto row = Export(With(kColour, "value_id: 2 value_id: 2 default_id: 1 default_value: 'blue'"), &program);
  ASSERT_TRUE(row.ok()) << row.status().message();
  const auto& look_up = program.operation(row->ids.at(0));
  EXPECT_THAT(look_up.ids, ElementsAre(2, 2, 2));  // missing is read as blue
  EXPECT_EQ(look_up.number, 1);
}

TEST(ExportFeaturesTest, OneColumnIsOneInput) {
  TensorProgram program;
  const std::string number =
      "features { name: 'shade' column: 'colour' kind: NUMBER encoding: NUMBERS number_offset: 0 width: 1 fill: 2 }";
  const auto row = Export(With(kColour, "") + number, &program);
  ASSERT_TRUE(row.ok()) << row.status().message();
  ASSERT_EQ(program.inputs().size(), 1U);
  EXPECT_EQ(program.inputs()[0].type, TensorType::kText);  // of which the number is read
  EXPECT_EQ(program.shape(row->numbers), (Shape{1, 1}));
}

TEST(ExportFeaturesTest, TheLongestListIsTheInput) {
  TensorProgram program;
  const std::string first = With(kColour, "separator: '|' num_values: 2");
  std::string second = With(kColour, "separator: '|' num_values: 5");
  second.replace(second.find("id_slot: 0"), 10, "id_slot: 2");
  const auto row = Export(first + second, &program);
  ASSERT_TRUE(row.ok()) << row.status().message();
  EXPECT_EQ(program.inputs()[0].values, 5);
  EXPECT_EQ(program.shape(row->ids.at(0)), (Shape{1, 2}));
  EXPECT_EQ(program.shape(row->ids.at(2)), (Shape{1, 5}));
}

TEST(ExportFeaturesTest, RefusalsAreSaidAllAtOnce) {
  TensorProgram program;
  const std::string hashed =
      "features { name: 'user' column: 'user' kind: HASH encoding: ONE_HOT id_slot: 1 vocabulary_size: 9 "
      "hash_bucket_size: 8 }";
  const std::string weighted = With(kColour, "separator: '|' weighted: true");
  const Status status = Export(hashed + weighted, &program).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), HasSubstr("feature \"user\" is hashed"));
  EXPECT_THAT(status.message(), HasSubstr("\nfeature \"colour\" has weighted values"));
}

TEST(ExportFeaturesTest, AColumnIsSplitInOneWay) {
  TensorProgram program;
  const std::string whole = With(kColour, "separator: '|' num_values: 2"),
                    other = With(kColour, "separator: ',' num_values: 2");
  EXPECT_THAT(Export(whole + other, &program).status().message(), HasSubstr("splits column \"colour\" in another way"));
}

}  // namespace
}  // namespace manygate
