// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/schema.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "manygate/features/describe.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::HasSubstr;

// Values that text has to keep: quotes, UTF-8, bytes that are not UTF-8, numbers without a short decimal form.
Schema Fitted() {
  const Table table = TestTable(4)
                          .Category("job", {"say \"hi\"\\", "\xc3\xa4rztin", "\xff\x01", "\xc3\xa4rztin"})
                          .Number("age", {0.1f, 1e-30f, 16777217.0f, kNan})
                          .Category("bought", {"no", "yes", "no", ""})
                          .Build();
  auto schema = FitText(R"(
    data_config {
      label_configs { label_name: "bought" positive_values: "yes" }
      label_configs { label_name: "kind" column: "bought" class_values: ["yes", "no"] }
    }
    feature_configs { id_feature { feature_name: "job" embedding_dim: 4 embedding_name: "jobs" init_fn: "nn.init.uniform_,a=-0.1,b=0.1" } }
    feature_configs { raw_feature { feature_name: "age" transform { standardise: true clip_max: 1e20 missing_indicator: true } } }
    feature_configs { raw_feature { feature_name: "age_bins" expression: "age" one_hot: true boundaries: [0.1, 0.3] } }
    feature_configs { raw_feature { feature_name: "age_pieces" expression: "age" embedding_dim: 3 transform { piecewise_linear: 4 } } }
    model_config { omoe {
      task_towers { label_name: "bought" }
      task_towers { label_name: "kind" num_class: 2 losses { softmax_cross_entropy {} } }
    } })",
                        table);
  MG_CHECK(schema.ok(), "{}", schema.status().message());
  return *schema;
}

TEST(Schema, TextRoundTripKeepsEveryBit) {
  const Schema schema = Fitted();
  const std::string text = SchemaToText(schema);
  EXPECT_THAT(text, HasSubstr("value: \"\xc3\xa4rztin\""));
  const auto read = SchemaFromText(text, "model/schema.pbtxt");
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(schema, *read));
  EXPECT_EQ(read->features(0).value(1), "say \"hi\"\\");
  EXPECT_EQ(read->features(0).value(2), "\xff\x01");
  EXPECT_EQ(read->features(1).mean(), schema.features(1).mean());
  EXPECT_EQ(SchemaToText(*read), text);
}

TEST(Schema, DamagedTextNamesFileLineAndColumn) {
  const auto read = SchemaFromText("format_version: 1\nfeatures { nam: \"x\" }\n", "model/schema.pbtxt");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(read.status().message(), HasSubstr("model/schema.pbtxt:2:15: "));
  EXPECT_THAT(read.status().message(), HasSubstr("nam"));
}

TEST(Schema, OtherFormatVersionIsRefused) {
  const auto read = SchemaFromText("format_version: 7", "schema.pbtxt");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message(), "schema.pbtxt: format_version is 7, but this program reads version 1");
}

TEST(Schema, StatesThatDoNotFitTogetherAreRefused) {
  struct Case {
    std::function<void(Schema*)> damage;
    std::string message;
  };
  const std::vector<Case> cases = {
      {[](Schema* s) { s->mutable_features(0)->set_vocabulary_size(9); },
       "vocabulary_size is 9, but its values and buckets are 5"},
      {[](Schema* s) { s->mutable_features(0)->add_value("x"); }, "4 values but 3 values of training_count"},
      {[](Schema* s) { s->mutable_features(0)->set_value(0, s->features(0).value(1)); }, "stands twice"},
      {[](Schema* s) { s->mutable_features(0)->set_id_slot(1); }, "feature \"job\": id_slot must be 0"},
      {[](Schema* s) { s->mutable_features(0)->clear_column(); }, "column is missing"},
      {[](Schema* s) { s->mutable_features(0)->clear_embedding_dim(); }, "needs an embedding_dim"},
      {[](Schema* s) { s->mutable_features(0)->set_encoding(FeatureSchema::NUMBERS); }, "ids need encoding"},
      {[](Schema* s) { s->mutable_features(0)->set_kind(FeatureSchema::HASH); }, "hash_bucket_size is 0"},
      {[](Schema* s) { s->mutable_features(1)->set_width(1); }, "width does not fit missing_indicator"},
      {[](Schema* s) { s->mutable_features(1)->set_deviation(0); }, "deviation must be above 0"},
      {[](Schema* s) { s->mutable_features(1)->set_number_offset(3); }, "number_offset must be 0"},
      {[](Schema* s) { s->mutable_features(1)->clear_fill(); }, "fill is missing"},
      {[](Schema* s) { s->mutable_features(1)->set_clip_min(1e30f); }, "clip_min is above clip_max"},
      {[](Schema* s) { s->mutable_features(2)->set_edges(1, 0.05f); }, "edges must be finite and ascending"},
      {[](Schema* s) { s->mutable_features(2)->set_name("age"); }, "feature \"age\": names must differ"},
      {[](Schema* s) { s->set_num_id_slots(4); },
       "num_id_slots and number_width are 4 and 3, but the features have 3 and 3"},
      {[](Schema* s) { s->mutable_features(3)->set_vocabulary_size(5); },
       "vocabulary_size is 5, but its edges make 2 pieces"},
      {[](Schema* s) { s->mutable_features(3)->set_id_slot(3); }, "feature \"age_pieces\": id_slot must be 2"},
      {[](Schema* s) { s->mutable_features(3)->set_number_offset(0); },
       "feature \"age_pieces\": number_offset must be 2"},
      {[](Schema* s) { s->mutable_features(3)->set_edges(0, 5); }, "edges must be finite and ascending"},
      {[](Schema* s) { s->mutable_features(3)->clear_fill(); }, "fill is missing"},
      {[](Schema* s) { s->mutable_features(3)->clear_embedding_dim(); }, "needs an embedding_dim"},
      {[](Schema* s) { s->mutable_features(3)->set_kind(FeatureSchema::NUMBER); }, "need kind PIECEWISE"},
      {[](Schema* s) { s->mutable_features(3)->set_encoding(FeatureSchema::NUMBERS); },
       "pieces need encoding PIECES or PIECES_EMBEDDED"},
      {[](Schema* s) { s->mutable_features(3)->set_encoding(FeatureSchema::EMBEDDING); },
       "pieces need encoding PIECES or PIECES_EMBEDDED"},
      {[](Schema* s) { s->mutable_labels(1)->set_num_class(1); }, "num_class is 1; classes need at least 2"},
      {[](Schema* s) { s->mutable_labels(1)->add_class_values("so"); }, "num_class is 2, but class_values are 3"},
      {[](Schema* s) { s->mutable_labels(1)->clear_class_count(); }, "num_class is 2, but class_count has 0 numbers"},
      {[](Schema* s) { s->mutable_labels(0)->clear_kind(); }, "label \"bought\": kind is missing"},
      {[](Schema* s) { s->mutable_labels(0)->set_kind(LabelSchema::NUMBER); }, "positive_values need kind BINARY"},
  };
  ASSERT_TRUE(ValidateSchema(Fitted()).ok()) << ValidateSchema(Fitted()).message();
  for (const Case& test : cases) {
    Schema schema = Fitted();
    test.damage(&schema);
    const auto read = SchemaFromText(SchemaToText(schema), "schema.pbtxt");
    ASSERT_FALSE(read.ok()) << test.message;
    EXPECT_EQ(read.status().code(), StatusCode::kInvalidInput);
    EXPECT_THAT(read.status().message(), HasSubstr("schema.pbtxt: not a schema that was written by training:"));
    EXPECT_THAT(read.status().message(), HasSubstr(test.message));
  }
}

TEST(Schema, DescribeIsATable) {
  const Table table = TestTable(4)
                          .Category("job", {"a", "b", "a", ""})
                          .Number("age", {1, 2, 3, 6})
                          .Category("bought", {"no", "yes", "no", ""})
                          .Number("spend", {1, 2, 3, 2})
                          .Category("kind", {"x", "y", "x", "x"})
                          .Number("w", {1, 1, 1, 1})
                          .Number("v", {1, 1, 1, 1})
                          .Build();
  const auto schema = FitText(R"(
    data_config {
      label_configs { label_name: "bought" positive_values: "yes" }
      label_configs { label_name: "kind" class_values: ["x", "y"] }
      sample_weight_fields: ["w", "v"]
    }
    feature_configs { id_feature { feature_name: "job" one_hot: true } }
    feature_configs { id_feature { feature_name: "job_hash" expression: "job" embedding_dim: 4 hash_bucket_size: 2000 } }
    feature_configs { raw_feature { feature_name: "age" } }
    feature_configs { raw_feature { feature_name: "age_pieces" expression: "age" embedding_dim: 8 transform { piecewise_linear: 9 missing_indicator: true } } }
    model_config { omoe {
      task_towers { label_name: "bought" metrics { grouped_auc { grouping_key: "job" } } }
      task_towers { label_name: "spend" losses { l2_loss {} } }
      task_towers { label_name: "kind" num_class: 2 losses { softmax_cross_entropy {} } }
    } })",
                              table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(DescribeSchema(*schema), R"(fitted on 4 training rows; 3 id columns (4 one-hot inputs), 3 numbers

feature     column  kind               input                    fitted
job         job     learnt vocabulary  one-hot 4                2 values: "a" 50.0 %, "b" 25.0 %; missing 1 rows
job_hash    job     hash               embedding 2,001 x 4      2,000 hash buckets; missing 1 rows
age         age     number             1 number                 fill 2.5; mean 3, deviation 1.871
age_pieces  age     piecewise          3 pieces to 8 + missing  edges 1 2 3 6; fill 2.5; missing indicator

label   column  kind     rows  training statistics         rule
bought  bought  binary   3     1 positive (33.33 %)        1 if "yes"
spend   spend   number   4     mean 2, deviation 0.707107  )"
                                     R"(
kind    kind    classes  4     0 75.0 %, 1 25.0 %          0 = "x", 1 = "y"

row weights: columns "w", "v"

groups of rows: column "job"
)");
}

}  // namespace
}  // namespace manygate::features
