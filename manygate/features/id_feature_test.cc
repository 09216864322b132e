// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/features/feature.h"
#include "manygate/features/fit.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The ids of `texts` under the first feature of a schema.
std::vector<uint32_t> Ids(const Schema& schema, const std::vector<std::string_view>& texts) {
  std::vector<uint32_t> ids(texts.size());
  FeatureFromSchema(schema.features(0))
      ->Transform({.texts = texts.data(), .count = static_cast<int64_t>(texts.size())}, ids.data(), nullptr);
  return ids;
}

Table Jobs() { return TestTable(8).Category("job", {"b", "a", "c", "a", "", "b", "a", "d"}).Build(); }

std::string Job(const std::string& fields) {
  return "feature_configs { id_feature { feature_name: \"job\" one_hot: true " + fields + " } }";
}

TEST(IdFeature, LearntVocabularyIsSortedByCountThenBytes) {
  const auto schema = FitText(Job(""), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const FeatureSchema& job = schema->features(0);
  EXPECT_THAT(job.value(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(job.training_count(), ElementsAre(3, 2, 1, 1));
  EXPECT_EQ(job.vocabulary_size(), 6u);  // 4 values, unknown, missing
  EXPECT_EQ(job.unknown_count(), 0u);
  EXPECT_EQ(job.missing_count(), 1u);
  EXPECT_EQ(job.encoding(), FeatureSchema::ONE_HOT);
  EXPECT_THAT(Ids(*schema, {"a", "b", "c", "d", "new", ""}), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(IdFeature, OnlyTrainingRowsCount) {
  // The first three rows: b, a, c; "d" and the missing value are only in the others.
  const auto schema = FitText(Job(""), Jobs(), 3);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Ids(*schema, {"d", ""}), ElementsAre(3, 4));
  EXPECT_EQ(schema->features(0).missing_count(), 0u);
  EXPECT_EQ(schema->training_rows(), 3u);
}

TEST(IdFeature, MinCountSendsRareValuesToUnknown) {
  const auto schema = FitText(Job("min_count: 2"), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b"));
  EXPECT_EQ(schema->features(0).unknown_count(), 2u);
  EXPECT_EQ(schema->features(0).vocabulary_size(), 4u);
  EXPECT_THAT(Ids(*schema, {"a", "b", "c", "d", ""}), ElementsAre(0, 1, 2, 2, 3));
}

TEST(IdFeature, MaxVocabularyKeepsTheMostFrequent) {
  const auto schema = FitText(Job("max_vocabulary: 3"), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b", "c"));  // "c" before "d" by bytes
  EXPECT_EQ(schema->features(0).unknown_count(), 1u);
  EXPECT_THAT(Ids(*schema, {"c", "d", ""}), ElementsAre(2, 3, 4));
}

TEST(IdFeature, DefaultValueTakesThePlaceOfTheMissingBucket) {
  const auto schema = FitText(Job("default_value: \"b\""), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  // The missing row counts as "b": both have 3 rows, and the bytes decide.
  EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(schema->features(0).training_count(), ElementsAre(3, 3, 1, 1));
  EXPECT_EQ(schema->features(0).vocabulary_size(), 5u);
  EXPECT_THAT(Ids(*schema, {"", "b", "new"}), ElementsAre(1, 1, 4));
}

TEST(IdFeature, DefaultValueThatNoRowHoldsIsLearntFromTheMissingRows) {
  const auto schema = FitText(Job("default_value: \"none\""), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b", "c", "d", "none"));
  EXPECT_THAT(Ids(*schema, {""}), ElementsAre(4));
}

TEST(IdFeature, WrittenVocabularyKeepsItsOrder) {
  std::vector<std::string> notes;
  const auto schema = FitText(Job("vocab_list: [\"d\", \"x\", \"a\"]"), Jobs(), -1, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).value(), ElementsAre("d", "x", "a"));
  EXPECT_THAT(schema->features(0).training_count(), ElementsAre(1, 0, 3));
  EXPECT_EQ(schema->features(0).unknown_count(), 3u);  // b, c, b
  EXPECT_THAT(Ids(*schema, {"d", "x", "a", "b", ""}), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(notes, ElementsAre("feature \"job\" 1 of 3 values of its vocabulary are in no training row: \"x\""));
}

TEST(IdFeature, WrittenIdsMayBeSharedAndLeaveGaps) {
  std::vector<std::string> notes;
  const std::string dict =
      "vocab_dict { key: \"a\" value: 5 } vocab_dict { key: \"b\" value: 2 } vocab_dict { key: \"c\" value: 5 } ";
  const auto schema = FitText(Job(dict), Jobs(), -1, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 8u);  // ids 0 to 5, unknown, missing
  EXPECT_THAT(Ids(*schema, {"a", "b", "c", "d", ""}), ElementsAre(5, 2, 5, 6, 7));
  EXPECT_EQ(schema->features(0).unknown_count(), 1u);

  const auto with_default = FitText(Job(dict + "default_bucketize_value: 1"), Jobs());
  ASSERT_TRUE(with_default.ok()) << with_default.status().message();
  EXPECT_EQ(with_default->features(0).vocabulary_size(), 7u);  // ids 0 to 5, missing
  EXPECT_THAT(Ids(*with_default, {"a", "b", "c", "d", ""}), ElementsAre(5, 2, 5, 1, 6));
  EXPECT_EQ(with_default->features(0).unknown_count(), 1u);
}

TEST(IdFeature, UnknownWordsOfAListGetTheIdThatIsNamed) {
  const auto schema = FitText(Job("vocab_list: [\"d\", \"x\", \"a\"] default_bucketize_value: 1"), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(Ids(*schema, {"d", "x", "a", "b", ""}), ElementsAre(0, 1, 2, 1, 3));
}

TEST(IdFeature, ZeroCollisionHashKeepsTheMostFrequentValues) {
  for (const char* way : {"zch { zch_size: 2 }", "dynamicemb { max_capacity: 2 }"}) {
    const auto schema = FitText(Job(way), Jobs());
    ASSERT_TRUE(schema.ok()) << schema.status().message();
    EXPECT_THAT(schema->features(0).value(), ElementsAre("a", "b")) << way;
    EXPECT_THAT(Ids(*schema, {"a", "b", "c", ""}), ElementsAre(0, 1, 2, 3)) << way;
  }
}

TEST(IdFeature, BucketsAreTheIntegersThemselves) {
  std::vector<std::string> notes;
  const Table table = TestTable(6).Category("job", {"0", "3", "4", "-1", "1.0", ""}).Build();
  const auto schema = FitText(Job("num_buckets: 4"), table, -1, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 6u);
  EXPECT_THAT(Ids(*schema, {"0", "3", "4", "-1", "1.0", "99999999999999999999", "2 ", ""}),
              ElementsAre(0, 3, 4, 4, 4, 4, 4, 5));
  EXPECT_EQ(schema->features(0).unknown_count(), 3u);
  EXPECT_THAT(notes, ElementsAre("feature \"job\" 3 of 6 training rows hold no integer below num_buckets (4)"));
}

TEST(IdFeature, BucketsWithDefaultValue) {
  const Table table = TestTable(2).Category("job", {"0", ""}).Build();
  const auto schema = FitText(Job("num_buckets: 4 default_value: \"2\""), table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 5u);
  EXPECT_THAT(Ids(*schema, {"", "7"}), ElementsAre(2, 4));
}

TEST(IdFeature, HashIsXxh3OfTheBytesModuloTheSize) {
  const auto schema = FitText(Job("hash_bucket_size: 1000"), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 1001u);
  // XXH3_64bits("a", seed 0) = 0xE6C632B61E964E1F, so modulo 1000 it is 719: a saved model depends on it.
  EXPECT_EQ(Xxh3("a", 1), 0xE6C632B61E964E1Fu);
  EXPECT_THAT(Ids(*schema, {"a", ""}), ElementsAre(719, 1000));
}

TEST(IdFeature, CodesOfAnyWidthAreCounted) {
  for (const int code_bytes : {1, 2, 4}) {
    const Table table = TestTable(4).Category("job", {"b", "a", "", "b"}, code_bytes).Build();
    const auto schema = FitText(Job(""), table);
    ASSERT_TRUE(schema.ok()) << schema.status().message();
    EXPECT_THAT(schema->features(0).value(), ElementsAre("b", "a")) << code_bytes;
    EXPECT_THAT(schema->features(0).training_count(), ElementsAre(2, 1)) << code_bytes;
  }
}

TEST(IdFeature, ConstantColumnsAreANoteNotAnError) {
  std::vector<std::string> notes;
  const Table table = TestTable(3).Category("job", {"x", "x", "y"}).Category("empty", {"", "", "z"}).Build();
  const auto schema = FitText(Job("") + "feature_configs { id_feature { feature_name: \"empty\" embedding_dim: 2 } }",
                              table, 2, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(notes, ElementsAre("feature \"job\" is \"x\" in all training rows, so it tells the model nothing",
                                 "feature \"empty\" has no value in any training row, so it tells the model nothing"));
  EXPECT_EQ(schema->features(1).vocabulary_size(), 2u);
}

TEST(IdFeature, OneTableForTwoColumnsHasOneVocabulary) {
  const Table table = TestTable(3).Category("father", {"x", "y", "y"}).Category("mother", {"y", "", "z"}).Build();
  const auto schema = FitText(R"(
    feature_configs { id_feature { feature_name: "father" embedding_dim: 4 embedding_name: "country" } }
    feature_configs { id_feature { feature_name: "mother" embedding_dim: 4 embedding_name: "country" } })",
                              table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  for (const FeatureSchema& feature : schema->features()) {
    EXPECT_THAT(feature.value(), ElementsAre("y", "x", "z"));
    EXPECT_THAT(feature.training_count(), ElementsAre(3, 1, 1));
    EXPECT_EQ(feature.vocabulary_size(), 5u);
    EXPECT_EQ(feature.embedding_name(), "country");
    EXPECT_EQ(feature.embedding_dim(), 4u);
  }
}

TEST(IdFeature, TableOfUnequalSizesIsAnError) {
  const Table table = TestTable(2).Category("father", {"1", "2"}).Category("mother", {"1", "2"}).Build();
  const auto schema = FitText(
      "feature_configs { id_feature { feature_name: \"father\" embedding_dim: 4 embedding_name: \"c\" num_buckets: 9 } "
      "}\n"
      "feature_configs { id_feature { feature_name: \"mother\" embedding_dim: 4 embedding_name: \"c\" num_buckets: 8 } "
      "}\n",
      table);
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(
      schema.status().message(),
      HasSubstr("feature \"mother\" shares the table \"c\" with feature \"father\" but has 10 ids of width 4 where "
                "that has 11 of width 4; give both the same values and embedding_dim"));
}

TEST(IdFeature, DescribesTheMostFrequentValues) {
  const auto schema = FitText(Job("min_count: 2"), Jobs());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(FeatureFromSchema(schema->features(0))->Describe(),
            "2 values: \"a\" 37.5 %, \"b\" 25.0 %; unknown 2 rows; missing 1 rows");
}

}  // namespace
}  // namespace manygate::features
