// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "manygate/features/feature.h"
#include "manygate/features/fit.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

std::vector<float> Numbers(const Schema& schema, const std::vector<float>& values) {
  std::vector<float> numbers(values.size() * schema.features(0).width());
  FeatureFromSchema(schema.features(0))
      ->Transform({.numbers = values.data(), .count = static_cast<int64_t>(values.size())}, nullptr, numbers.data());
  return numbers;
}

std::vector<uint32_t> Bins(const Schema& schema, const std::vector<float>& values) {
  std::vector<uint32_t> ids(values.size());
  FeatureFromSchema(schema.features(0))
      ->Transform({.numbers = values.data(), .count = static_cast<int64_t>(values.size())}, ids.data(), nullptr);
  return ids;
}

std::string Age(const std::string& fields) {
  return "feature_configs { raw_feature { feature_name: \"age\" " + fields + " } }";
}

Table Ages(std::vector<float> ages) {
  const int64_t rows = static_cast<int64_t>(ages.size());
  return TestTable(rows).Number("age", std::move(ages)).Build();
}

TEST(RawFeature, PlainNumbersPassAndMissingBecomesTheMedian) {
  const auto odd = FitText(Age(""), Ages({5, 1, kNan, 9}));
  ASSERT_TRUE(odd.ok()) << odd.status().message();
  EXPECT_EQ(odd->features(0).fill(), 5.0f);
  EXPECT_EQ(odd->features(0).missing_count(), 1u);
  EXPECT_THAT(Numbers(*odd, {2.5f, kNan, -7}), ElementsAre(2.5f, 5.0f, -7.0f));
  const auto even = FitText(Age(""), Ages({5, 1, kNan, 9, 6}));
  ASSERT_TRUE(even.ok()) << even.status().message();
  EXPECT_EQ(even->features(0).fill(), 5.5f);
}

TEST(RawFeature, DefaultValueWinsOverTheMedian) {
  const auto schema = FitText(Age("default_value: \"-1\""), Ages({5, 1, kNan, 9}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(Numbers(*schema, {kNan}), ElementsAre(-1.0f));
}

TEST(RawFeature, StandardiseUsesTheMomentsOfTheTrainingRows) {
  // Training rows 1, 3, 5, 7: mean 4, population variance (9 + 1 + 1 + 9) / 4 = 5. The 1000 is a validation row.
  const auto schema = FitText(Age("transform { standardise: true }"), Ages({1, 3, 5, 7, 1000}), 4);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_DOUBLE_EQ(schema->features(0).mean(), 4.0);
  EXPECT_DOUBLE_EQ(schema->features(0).deviation(), std::sqrt(5.0));
  EXPECT_THAT(Numbers(*schema, {4, 9}), ElementsAre(FloatEq(0.0f), FloatEq(2.236068f)));
}

TEST(RawFeature, MissingRowsCountWithTheirFillInTheMoments) {
  // Median of 0 and 6 is 3; the moments are those of 0, 6, 3, 3: mean 3, variance 18 / 4.
  const auto schema = FitText(Age("transform { standardise: true }"), Ages({0, 6, kNan, kNan}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_DOUBLE_EQ(schema->features(0).mean(), 3.0);
  EXPECT_DOUBLE_EQ(schema->features(0).deviation(), std::sqrt(4.5));
  EXPECT_THAT(Numbers(*schema, {kNan}), ElementsAre(0.0f));
}

TEST(RawFeature, StepsRunInOrder) {
  // missing -> 100, clip to 0..e-1, log1p: 0 -> 0, 1 -> ln 2, 100 -> 1; of 0, 100 and a missing value: 0, 1, 1.
  const auto schema =
      FitText(Age("default_value: \"100\" transform { clip_min: 0 clip_max: 1.7182818 log1p: true standardise: true "
                  "missing_indicator: true }"),
              Ages({0, 100, kNan}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).width(), 2u);
  EXPECT_EQ(schema->number_width(), 2u);
  EXPECT_NEAR(schema->features(0).mean(), 2.0 / 3.0, 1e-7);
  EXPECT_NEAR(schema->features(0).deviation(), std::sqrt(2.0) / 3.0, 1e-7);
  const std::vector<float> numbers = Numbers(*schema, {-5, 100, kNan, 1});
  ASSERT_EQ(numbers.size(), 8u);
  EXPECT_NEAR(numbers[0], -std::sqrt(2.0), 1e-6);  // (0 - 2/3) / (sqrt(2)/3)
  EXPECT_NEAR(numbers[2], std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(numbers[4], std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(numbers[6], (std::log(2.0) - 2.0 / 3.0) * 3.0 / std::sqrt(2.0), 1e-6);
  EXPECT_THAT((std::vector<float>{numbers[1], numbers[3], numbers[5], numbers[7]}), ElementsAre(0, 0, 1, 0));
}

TEST(RawFeature, Log1pKeepsTheSign) {
  const auto schema = FitText(Age("transform { log1p: true }"), Ages({-1, 0, 1}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(Numbers(*schema, {-1, 0, 3}), ElementsAre(FloatEq(-0.6931472f), 0.0f, FloatEq(1.3862944f)));
}

TEST(RawFeature, ConstantColumnHasDeviationOneAndANote) {
  std::vector<std::string> notes;
  const auto schema = FitText(Age("transform { standardise: true }"), Ages({0.1f, 0.1f, 0.1f, 3}), 3, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).deviation(), 1.0);
  EXPECT_THAT(Numbers(*schema, {0.1f}), ElementsAre(::testing::FloatNear(0.0f, 1e-7f)));
  EXPECT_THAT(notes, ElementsAre("feature \"age\" is 0.1 in all training rows, so it tells the model nothing"));
}

TEST(RawFeature, ColumnWithoutAnyTrainingValue) {
  std::vector<std::string> notes;
  const auto schema = FitText(Age("transform { standardise: true }"), Ages({kNan, kNan, 3}), 2, &notes);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(Numbers(*schema, {kNan, 2}), ElementsAre(0.0f, 2.0f));
  EXPECT_THAT(notes, ElementsAre("feature \"age\" has no value in any training row, so it tells the model nothing"));
}

TEST(RawFeature, BoundariesCountTheEdgesBelowOrEqual) {
  const auto schema = FitText(Age("boundaries: [18, 65] one_hot: true"), Ages({17, 18, kNan}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 4u);  // three bins, missing
  EXPECT_THAT(Bins(*schema, {17.9f, 18, 64.9f, 65, 1e9f, kNan}), ElementsAre(0, 1, 1, 2, 2, 3));
  EXPECT_EQ(schema->num_id_slots(), 1u);
  EXPECT_EQ(schema->number_width(), 0u);
}

TEST(RawFeature, BoundariesWithDefaultValueHaveNoMissingBucket) {
  const auto schema = FitText(Age("boundaries: [18, 65] embedding_dim: 3 default_value: \"20\""), Ages({17, 18, kNan}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->features(0).vocabulary_size(), 3u);
  EXPECT_EQ(schema->features(0).embedding_dim(), 3u);
  EXPECT_THAT(Bins(*schema, {kNan}), ElementsAre(1));
}

TEST(RawFeature, QuantileBinsStartAtTheEdgesAboveTheLowest) {
  // Edges 1, 3, 5, 6, 8 (quantile_edges_test.cc); the 99 is a validation row.
  const auto schema =
      FitText(Age("one_hot: true transform { quantile_bins: 4 }"), Ages({8, 7, 6, 5, 4, 3, 2, 1, 99}), 8);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).edges(), ElementsAre(3, 5, 6, 8));
  EXPECT_EQ(schema->features(0).vocabulary_size(), 6u);
  EXPECT_THAT(Bins(*schema, {0, 1, 2, 3, 4, 5, 6, 7, 8, 99, kNan}), ElementsAre(0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5));
}

TEST(RawFeature, FewDistinctValuesHaveABinEach) {
  const auto schema = FitText(Age("one_hot: true transform { quantile_bins: 4 }"), Ages({0, 0, 0, 0, 0, 0, 5, 9}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).edges(), ElementsAre(5, 9));
  EXPECT_EQ(schema->features(0).vocabulary_size(), 4u);
}

TEST(RawFeature, TheMostFrequentBinIsKnown) {
  const std::string bins = "embedding_dim: 2 transform { quantile_bins: 8 }";
  const auto zeros = FitText(Age(bins), Ages({3, 0, 0, 7, 0, kNan}));
  EXPECT_EQ(zeros->features(0).frequent_id(), 0u);
  EXPECT_EQ(zeros->features(0).frequent_count(), 3u);
  const auto missing = FitText(Age(bins), Ages({3, 0, kNan, 7, kNan, kNan}));
  EXPECT_EQ(missing->features(0).frequent_id(), missing->features(0).vocabulary_size() - 1);
  EXPECT_EQ(missing->features(0).frequent_count(), 3u);
}

TEST(RawFeature, QuantileBinsOfClippedValues) {
  const auto schema =
      FitText(Age("one_hot: true transform { quantile_bins: 2 clip_max: 4 }"), Ages({1, 2, 3, 100, 200, 300}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).edges(), ElementsAre(2, 3, 4));
  EXPECT_THAT(Bins(*schema, {3.9f, 500}), ElementsAre(2, 3));
}

struct Encoded {
  std::vector<uint32_t> pieces;
  std::vector<float> numbers;
};

Encoded Pieces(const Schema& schema, const std::vector<float>& values) {
  Encoded encoded{std::vector<uint32_t>(values.size()), std::vector<float>(values.size() * schema.features(0).width())};
  FeatureFromSchema(schema.features(0))
      ->Transform({.numbers = values.data(), .count = static_cast<int64_t>(values.size())}, encoded.pieces.data(),
                  encoded.numbers.data());
  return encoded;
}

TEST(RawFeature, PiecesAndFractions) {
  // Four distinct training values: edges 0, 10, 30, 40.
  const auto schema = FitText(Age("transform { piecewise_linear: 8 }"), Ages({0, 10, 30, 40, 1000}), 4);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const FeatureSchema& age = schema->features(0);
  EXPECT_EQ(age.kind(), FeatureSchema::PIECEWISE);
  EXPECT_EQ(age.encoding(), FeatureSchema::PIECES);
  EXPECT_THAT(age.edges(), ElementsAre(0, 10, 30, 40));
  EXPECT_EQ(age.vocabulary_size(), 3u);
  EXPECT_EQ(age.width(), 1u);
  EXPECT_EQ(schema->num_id_slots(), 1u);
  EXPECT_EQ(schema->number_width(), 1u);
  const Encoded encoded = Pieces(*schema, {-5, 0, 2.5f, 10, 15, 30, 39, 40, 1e9f});
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 0, 0, 1, 1, 2, 2, 2, 2));
  EXPECT_THAT(encoded.numbers, ElementsAre(0, 0, 0.25f, 0, 0.25f, 0, 0.9f, 1, 1));
}

TEST(RawFeature, AtMostAsManyPiecesAsAskedFor) {
  const auto schema = FitText(Age("embedding_dim: 8 init_fn: \"nn.init.normal_,mean=0.0,std=0.5\" "
                                  "transform { piecewise_linear: 4 }"),
                              Ages({8, 7, 6, 5, 4, 3, 2, 1}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const FeatureSchema& age = schema->features(0);
  EXPECT_THAT(age.edges(), ElementsAre(1, 3, 5, 6, 8));
  EXPECT_EQ(age.vocabulary_size(), 4u);
  EXPECT_EQ(age.encoding(), FeatureSchema::PIECES_EMBEDDED);
  EXPECT_EQ(age.embedding_dim(), 8u);
  EXPECT_EQ(age.init_fn(), "nn.init.normal_,mean=0.0,std=0.5");
}

TEST(RawFeature, MissingPiecesAreFilledAndIndicated) {
  const auto median =
      FitText(Age("transform { piecewise_linear: 8 missing_indicator: true }"), Ages({0, 10, 30, kNan}));
  ASSERT_TRUE(median.ok()) << median.status().message();
  EXPECT_EQ(median->features(0).fill(), 10.0f);
  EXPECT_EQ(median->features(0).missing_count(), 1u);
  EXPECT_EQ(median->number_width(), 2u);
  Encoded encoded = Pieces(*median, {kNan, 20});
  EXPECT_THAT(encoded.pieces, ElementsAre(1, 1));
  EXPECT_THAT(encoded.numbers, ElementsAre(0, 1, 0.5f, 0));
  // A default value is one of the values that make edges: missing and the lowest value differ.
  const auto written =
      FitText(Age("default_value: \"-10\" transform { piecewise_linear: 8 }"), Ages({0, 10, 30, kNan}));
  ASSERT_TRUE(written.ok()) << written.status().message();
  EXPECT_THAT(written->features(0).edges(), ElementsAre(-10, 0, 10, 30));
  encoded = Pieces(*written, {kNan, 0});
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1));
  EXPECT_THAT(encoded.numbers, ElementsAre(0, 0));
}

TEST(RawFeature, PiecesOfClippedValues) {
  const auto schema = FitText(Age("transform { piecewise_linear: 8 clip_min: 5 clip_max: 20 }"), Ages({0, 10, 30, 40}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->features(0).edges(), ElementsAre(5, 10, 20));
  EXPECT_THAT(Pieces(*schema, {-1, 100}).numbers, ElementsAre(0, 1));
}

TEST(RawFeature, AConstantColumnHasOneEmptyPiece) {
  for (const std::vector<float>& ages : {std::vector<float>{7, 7, kNan}, std::vector<float>{kNan, kNan, kNan}}) {
    std::vector<std::string> notes;
    const auto schema = FitText(Age("transform { piecewise_linear: 8 }"), Ages(ages), -1, &notes);
    ASSERT_TRUE(schema.ok()) << schema.status().message();
    EXPECT_EQ(schema->features(0).vocabulary_size(), 1u);
    const Encoded encoded = Pieces(*schema, {-100, 7, 100, kNan});
    EXPECT_THAT(encoded.pieces, ElementsAre(0, 0, 0, 0));
    EXPECT_THAT(encoded.numbers, ElementsAre(0, 0, 0, 0));
    EXPECT_THAT(notes, ElementsAre(HasSubstr("so it tells the model nothing")));
  }
}

TEST(RawFeature, PieceOfAValueNextToAnEdge) {
  // The float below 1 lies in the piece 0..1, whose fraction rounds to at most 1.
  const auto schema = FitText(Age("transform { piecewise_linear: 8 }"), Ages({-1e9f, 0, 1, 1e9f}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const float below = std::nextafter(1.0f, 0.0f);
  const Encoded encoded = Pieces(*schema, {below, 1});
  EXPECT_THAT(encoded.pieces, ElementsAre(1, 2));
  EXPECT_THAT(encoded.numbers, ElementsAre(below, 0));
}

TEST(RawFeature, CategoryColumnIsReadThroughItsDictionary) {
  const Table table = TestTable(5).Category("age", {"1", "3.5", "", "-2e1", "+7"}).Build();
  const auto schema = FitText(Age("default_value: \"9\""), table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_DOUBLE_EQ(schema->features(0).mean(), (1 + 3.5 + 9 - 20 + 7) / 5);
}

TEST(RawFeature, TextsThatAreNoNumbersAreNamed) {
  const Table table = TestTable(5).Category("age", {"1", "old", "", "inf", "1,000"}).Build();
  const auto schema = FitText(Age(""), table);
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.status().message(),
            "test.config:1:1: feature \"age\" (column \"age\") has 3 values that are no numbers: \"old\", \"inf\", "
            "\"1,000\"");
}

TEST(RawFeature, InfiniteNumbersAreNamed) {
  const auto schema = FitText(Age(""), Ages({1, std::numeric_limits<float>::infinity()}));
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(), HasSubstr("feature \"age\" (column \"age\") is infinite in row 2"));
}

TEST(RawFeature, Describes) {
  const auto schema = FitText(Age("transform { clip_max: 50 log1p: true standardise: true }"), Ages({0, 0, kNan}));
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(FeatureFromSchema(schema->features(0))->Describe(),
            "fill 0; clipped to ..50; log1p; mean 0, deviation 1, standardised; missing 1 rows");
  const auto bins = FitText(Age("boundaries: [1, 2.5] one_hot: true"), Ages({0, 0, kNan}));
  ASSERT_TRUE(bins.ok()) << bins.status().message();
  EXPECT_EQ(FeatureFromSchema(bins->features(0))->Describe(), "3 bins, edges 1 2.5; missing 1 rows");
  const auto pieces =
      FitText(Age("transform { piecewise_linear: 2 clip_min: 1 missing_indicator: true }"), Ages({0, 4, 9, kNan}));
  ASSERT_TRUE(pieces.ok()) << pieces.status().message();
  EXPECT_EQ(FeatureFromSchema(pieces->features(0))->Describe(),
            "edges 1 4 9; fill 4; clipped to 1..; missing indicator; missing 1 rows");
}

}  // namespace
}  // namespace manygate::features
