// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/feature_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/base/check.h"
#include "manygate/config/load.h"

namespace manygate::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LoadedPipeline Loaded(const std::string& text) {
  auto loaded = LoadPipelineFromText("t.config", text);
  MG_CHECK(loaded.ok(), "{}", loaded.status().message());
  return *std::move(loaded);
}

// "name<column: generator column(input, 'literal', input[])", "[]" behind an input that is a sequence; without a generator
// "name<column".
std::string Shown(const ListedFeature& feature) {
  std::string text = feature.name + "<" + feature.column;
  if (!feature.generator.has_value()) return text;
  text += ": " + Generator::Output_Name(feature.generator->output()) + "(";
  for (const GeneratorInput& input : feature.generator->inputs()) {
    if (!text.ends_with("(")) text += ", ";
    text += input.has_literal() ? "'" + input.literal() + "'" : input.column();
    if (input.sequence()) text += "[]";
  }
  return text + ")";
}

std::vector<std::string> List(const std::string& text) {
  std::vector<std::string> shown;
  const LoadedPipeline loaded = Loaded(text);
  for (const ListedFeature& feature : ListFeatures(loaded.pipeline)) shown.push_back(Shown(feature));
  return shown;
}

std::vector<std::string> Generators(const std::string& text) {
  std::vector<std::string> columns;
  const LoadedPipeline loaded = Loaded(text);
  for (const Generator& generator : ListGenerators(ListFeatures(loaded.pipeline)))
    columns.push_back(generator.column());
  return columns;
}

struct KindCase {
  const char* feature;
  const char* shown;
  bool ids;
};

class OfKind : public ::testing::TestWithParam<KindCase> {};

TEST_P(OfKind, IsListed) {
  const KindCase& test = GetParam();
  const LoadedPipeline loaded = Loaded(std::string("feature_configs { ") + test.feature + " }");
  const std::vector<ListedFeature> features = ListFeatures(loaded.pipeline);
  ASSERT_EQ(features.size(), 1u);
  EXPECT_EQ(Shown(features[0]), test.shown);
  EXPECT_EQ(features[0].encoding.has_id_feature(), test.ids) << test.feature;
  EXPECT_EQ(features[0].path, "feature_configs[0]");
  const std::string& column =
      test.ids ? features[0].encoding.id_feature().expression() : features[0].encoding.raw_feature().expression();
  EXPECT_EQ(column, features[0].column);
}

INSTANTIATE_TEST_SUITE_P(
    All, OfKind,
    ::testing::Values(
        KindCase{R"(id_feature { feature_name: "a" })", "a<a", true},
        KindCase{R"(id_feature { feature_name: "a" expression: "user:b" })", "a<b", true},
        KindCase{R"(id_feature { feature_name: "a" expression: "const:x" })", "a<feature:a: TEXT('x')", true},
        KindCase{R"(raw_feature { feature_name: "a" expression: "b" boundaries: [1, 2] })", "a<b", false},
        KindCase{R"(raw_feature { feature_name: "a" normalizer: "method=log10,threshold=0,default=0" })",
                 "a<feature:a: NUMBER(a)", false},
        KindCase{R"(raw_feature { feature_name: "a" value_dim: 4 })", "a<a", false},
        KindCase{R"(combo_feature { feature_name: "a" expression: ["user:b", "item:c"] })", "a<feature:a: TEXT(b, c)",
                 true},
        KindCase{R"(lookup_feature { feature_name: "a" map: "user:m" key: "item:k" })", "a<feature:a: NUMBER(m, k)",
                 false},
        KindCase{R"(lookup_feature { feature_name: "a" map: "m" key: "k" num_buckets: 9 })", "a<feature:a: TEXT(m, k)",
                 true},
        KindCase{R"(lookup_feature { feature_name: "a" map: "m" key: "k" value_dim: 2 })", "a<feature:a: TEXT(m, k)",
                 false},
        KindCase{R"(match_feature { feature_name: "a" nested_map: "m" pkey: "ALL" skey: "item:s" })",
                 "a<feature:a: NUMBER(m, 'ALL', s)", false},
        KindCase{R"(match_feature { feature_name: "a" nested_map: "m" pkey: "p" skey: "s" show_skey: true })",
                 "a<feature:a: TEXT(m, p, s)", true},
        KindCase{R"(expr_feature { feature_name: "a" expression: "b > 1" variables: "user:b" })",
                 "a<feature:a: NUMBER(b)", false},
        KindCase{R"(expr_feature { feature_name: "a" expression: "b" variables: "user:b" boundaries: 1 })",
                 "a<feature:a: BINS(b)", true},
        KindCase{R"(overlap_feature { feature_name: "a" query: "q" title: "t" method: "is_equal" })",
                 "a<feature:a: NUMBER(q, t)", false},
        KindCase{R"(kv_dot_product { feature_name: "a" query: "q" document: "d" })", "a<feature:a: NUMBER(q, d)",
                 false},
        KindCase{R"(bool_mask_feature { feature_name: "a" expression: ["b", "c"] })", "a<feature:a: TEXT(b, c)", true},
        KindCase{R"(combine_feature { feature_name: "a" expression: "user:b" })", "a<feature:a: NUMBER(b)", false},
        KindCase{R"(combine_feature { feature_name: "a" expression: "b" num_buckets: 3 })", "a<feature:a: TEXT(b)",
                 true},
        KindCase{R"(sequence_id_feature { feature_name: "a" expression: "user:b" })", "a<b", true},
        KindCase{R"(sequence_raw_feature { feature_name: "a" })", "a<a", false},
        KindCase{R"(sequence_raw_feature { feature_name: "a" boundaries: 1 })", "a<feature:a: BINS(a[])", true},
        KindCase{R"(sequence_combo_feature { feature_name: "a" expression: ["user:b", "item:c"] })",
                 "a<feature:a: TEXT(b, c[])", true},
        KindCase{R"(sequence_overlap_feature { feature_name: "a" query: "user:q" title: "user:t" method: "is_equal"
                    sequence_fields: "q" })",
                 "a<feature:a: TEXT(q[], t)", false},
        KindCase{R"(sequence_lookup_feature { feature_name: "a" map: "user:m" key: "k" boundaries: 2 })",
                 "a<feature:a: BINS(m, k[])", true}));

TEST(FeatureList, InsideASequenceFeature) {
  const std::string text =
      R"(feature_configs { sequence_feature { sequence_name: "click" sequence_length: 20 sequence_delim: "|"
    features { id_feature { feature_name: "cate" expression: "item:cate" embedding_dim: 4 } }
    features { raw_feature { feature_name: "ts" expression: "user:ts" } }
    features { lookup_feature { feature_name: "n" map: "user:kv" key: "item:cate" } }
    features { lookup_feature { feature_name: "m" map: "user:kv" key: "user:cate" sequence_fields: "cate" hash_bucket_size: 7 } } } })";
  EXPECT_THAT(List(text), ElementsAre("click__cate<click__cate", "click__ts<click__ts",
                                      "click__n<feature:click__n: TEXT(kv, click__cate[])",
                                      "click__m<feature:click__m: TEXT(kv, click__cate[])"));
  const LoadedPipeline loaded = Loaded(text);
  const std::vector<ListedFeature> features = ListFeatures(loaded.pipeline);
  for (const ListedFeature& feature : features) EXPECT_TRUE(feature.is_sequence);
  EXPECT_EQ(features[1].path, "feature_configs[0].sequence_feature.features[1]");
  EXPECT_EQ(features[0].encoding.id_feature().sequence_delim(), "|");
  EXPECT_EQ(features[0].encoding.id_feature().sequence_length(), 20u);
  EXPECT_EQ(features[1].encoding.raw_feature().sequence_length(), 20u);
  EXPECT_EQ(features[2].generator->sequence_delim(), "|");
  EXPECT_EQ(features[2].generator->sequence_length(), 20u);
  EXPECT_EQ(features[2].encoding.raw_feature().sequence_delim(), "\x1d");
  EXPECT_THAT(FileColumns(features[2]), ElementsAre("kv", "click__cate"));
  EXPECT_THAT(FileColumns(features[0]), ElementsAre("click__cate"));
}

TEST(FeatureList, BinsOfANumberThatIsNoSequenceAreEncodedFromTheNumber) {
  const LoadedPipeline loaded = Loaded(
      R"(feature_configs { lookup_feature { feature_name: "a" map: "m" key: "k" boundaries: [1, 2] embedding_dim: 4 } })");
  const ListedFeature feature = ListFeatures(loaded.pipeline)[0];
  EXPECT_EQ(feature.generator->output(), Generator::NUMBER);
  EXPECT_THAT(feature.encoding.raw_feature().boundaries(), ElementsAre(1, 2));
  EXPECT_EQ(feature.encoding.raw_feature().embedding_dim(), 4u);
  EXPECT_EQ(feature.encoding.raw_feature().default_value(), "0");  // the kind's own default
}

TEST(FeatureList, FeaturesOfFeatures) {
  // "both" is written before what it reads; "age" has no generator, so that its column is read; "bins" is read as its bins.
  const std::string text = R"(
    feature_configs { combo_feature { feature_name: "both" expression: ["feature:count", "feature:bins"] embedding_dim: 4 } }
    feature_configs { lookup_feature { feature_name: "count" map: "kv" key: "feature:age" stub_type: true hash_bucket_size: 5 } }
    feature_configs { id_feature { feature_name: "age" expression: "user:u_age" embedding_dim: 4 } }
    feature_configs { raw_feature { feature_name: "bins" expression: "user:price" boundaries: [10, 20] embedding_dim: 4 } })";
  EXPECT_THAT(List(text), ElementsAre("both<feature:both: TEXT(feature:count, feature:bins)",
                                      "count<feature:count: TEXT(kv, u_age)", "age<u_age", "bins<price"));
  EXPECT_THAT(Generators(text), ElementsAre("feature:count", "feature:bins", "feature:both"));
  const LoadedPipeline loaded = Loaded(text);
  const std::vector<ListedFeature> features = ListFeatures(loaded.pipeline);
  EXPECT_TRUE(features[1].stub);
  EXPECT_FALSE(features[0].stub);
  EXPECT_THAT(FileColumns(features[0]), IsEmpty());
  EXPECT_THAT(FileColumns(features[1]), ElementsAre("kv", "u_age"));
}

TEST(FeatureList, WhoReadsAGeneratedNumberThatHasBoundariesReadsItsBins) {
  const std::string text = R"(
    feature_configs { lookup_feature { feature_name: "count" map: "kv" key: "k" boundaries: [1, 3] embedding_dim: 4 } }
    feature_configs { combo_feature { feature_name: "both" expression: ["feature:count", "k"] embedding_dim: 4 } })";
  EXPECT_THAT(List(text),
              ElementsAre("count<feature:count: NUMBER(kv, k)", "both<feature:both: TEXT(feature:count/bins, k)"));
  EXPECT_THAT(Generators(text), ElementsAre("feature:count", "feature:count/bins", "feature:both"));
  const LoadedPipeline loaded = Loaded(text);
  EXPECT_EQ(ListGenerators(ListFeatures(loaded.pipeline))[1].output(), Generator::BINS);
  // Nobody reads them: they are not made.
  EXPECT_THAT(Generators(text.substr(0, text.find("feature_configs { combo"))), ElementsAre("feature:count"));
}

TEST(FeatureList, CirclesHaveNoOrder) {
  EXPECT_THAT(Generators(R"(
    feature_configs { combo_feature { feature_name: "a" expression: ["feature:b", "x"] } }
    feature_configs { combo_feature { feature_name: "b" expression: ["feature:a", "x"] } })"),
              IsEmpty());
}

TEST(FeatureList, EncodedDataAreReadFromTheColumnsOfTheFeaturesNames) {
  const std::string features = R"(
    feature_configs { lookup_feature { feature_name: "a" map: "user:m" key: "item:k" boundaries: [1, 2] embedding_dim: 4 } }
    feature_configs { id_feature { feature_name: "b" expression: "user:c" hash_bucket_size: 50 embedding_dim: 4 default_value: "x" } }
    feature_configs { id_feature { feature_name: "v" vocab_list: ["p", "q"] embedding_dim: 4 fg_encoded_default_value: "0" } }
    feature_configs { sequence_feature { sequence_name: "s" sequence_length: 3 features { raw_feature { feature_name: "t" } } } })";
  EXPECT_THAT(List("data_config { fg_mode: FG_NONE }" + features), ElementsAre("a<a", "b<b", "v<v", "s__t<s__t"));
  EXPECT_THAT(Generators("data_config { fg_mode: FG_NONE }" + features), IsEmpty());
  const LoadedPipeline loaded = Loaded("data_config { fg_mode: FG_NONE }" + features);
  const std::vector<ListedFeature> listed = ListFeatures(loaded.pipeline);
  EXPECT_EQ(listed[0].encoding.id_feature().num_buckets(), 3u);  // two boundaries make three bins
  EXPECT_EQ(listed[1].encoding.id_feature().num_buckets(), 50u);
  EXPECT_FALSE(listed[1].encoding.id_feature().has_hash_bucket_size());
  EXPECT_FALSE(listed[1].encoding.id_feature().has_default_value());
  EXPECT_EQ(listed[2].encoding.id_feature().num_buckets(), 4u);  // ids 0 and 1 are the default's and the unknown words'
  EXPECT_EQ(listed[2].encoding.id_feature().default_value(), "0");
  EXPECT_EQ(listed[0].encoding.id_feature().separator(), loaded.pipeline.data_config().fg_encoded_multival_sep());
}

TEST(FeatureList, BucketizedDataAreReadAsTextsAndNumbers) {
  const std::string features = R"(
    feature_configs { lookup_feature { feature_name: "a" map: "m" key: "k" boundaries: [1, 2] embedding_dim: 4 } }
    feature_configs { combo_feature { feature_name: "b" expression: ["c", "d"] hash_bucket_size: 50 embedding_dim: 4 } })";
  EXPECT_THAT(List("data_config { fg_mode: FG_BUCKETIZE }" + features), ElementsAre("a<a", "b<b"));
  const LoadedPipeline loaded = Loaded("data_config { fg_mode: FG_BUCKETIZE }" + features);
  const std::vector<ListedFeature> listed = ListFeatures(loaded.pipeline);
  EXPECT_THAT(listed[0].encoding.raw_feature().boundaries(), ElementsAre(1, 2));
  EXPECT_EQ(listed[1].encoding.id_feature().hash_bucket_size(), 50u);
}

TEST(FeatureList, EmptyDefaultOfANumberIsNone) {
  const LoadedPipeline loaded = Loaded(R"(feature_configs { raw_feature { feature_name: "a" default_value: "" } })");
  EXPECT_FALSE(ListFeatures(loaded.pipeline)[0].encoding.raw_feature().has_default_value());
}

TEST(FeatureList, BucketizedListsOfNumbersAreCutHere) {
  const std::string text = R"(
    data_config { fg_mode: FG_BUCKETIZE }
    feature_configs { sequence_feature { sequence_name: "s" sequence_length: 5 features { raw_feature {
      feature_name: "a" expression: "item:c" normalizer: "method=log10" boundaries: [1, 2] embedding_dim: 4 } } } }
    feature_configs { expr_feature { feature_name: "b" variables: "c" expression: "c" boundaries: [1] embedding_dim: 4 } })";
  EXPECT_THAT(List(text), ElementsAre("s__a<feature:s__a: BINS(s__a[])", "b<feature:b: BINS(b)"));
  const LoadedPipeline loaded = Loaded(text);
  const std::vector<ListedFeature> listed = ListFeatures(loaded.pipeline);
  EXPECT_FALSE(listed[0].generator->feature().raw_feature().has_normalizer());  // the data are normalised
  EXPECT_EQ(listed[0].encoding.id_feature().num_buckets(), 3u);
}

TEST(ParseInput, SideAndName) {
  EXPECT_EQ(ParseInput("item:price").side, "item");
  EXPECT_EQ(ParseInput("item:price").name, "price");
  EXPECT_EQ(ParseInput("price").side, "");
  EXPECT_EQ(ParseInput("price").name, "price");
  EXPECT_EQ(ParseInput("const:a:b").name, "a:b");
}

}  // namespace
}  // namespace manygate::config
