// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/generated_column.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/random.h"
#include "manygate/features/encode.h"
#include "manygate/features/row_encoder.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using Cells = std::vector<std::string_view>;

std::vector<config::Generator> GeneratorsOf(const std::string& text) {
  const auto loaded = config::LoadPipelineFromText("test.config", text);
  MG_CHECK(loaded.ok(), "{}", loaded.status().message());
  return config::ListGenerators(config::ListFeatures(loaded->pipeline));
}

CellMaker MakerOf(const std::string& feature) {
  const std::vector<config::Generator> generators = GeneratorsOf("feature_configs { " + feature + " }");
  MG_CHECK(generators.size() == 1, "{} generators", generators.size());
  return CellMaker(generators[0]);
}

// "/" stands for the separator.
std::string Text(const std::string& feature, const Cells& cells) {
  GeneratorWorkspace workspace;
  workspace.made = "old";
  std::string text(MakerOf(feature).MakeText(cells, &workspace));
  std::replace(text.begin(), text.end(), kValueSeparator, '/');
  return text;
}

float Number(const std::string& feature, std::string_view cell) {
  GeneratorWorkspace workspace;
  const CellMaker maker = MakerOf(feature);
  EXPECT_TRUE(maker.makes_number());
  return maker.MakeNumber(Cells{cell}, &workspace);
}

TEST(CellMaker, SequencesOfTexts) {
  const std::string combo = R"(sequence_combo_feature { feature_name: "c" expression: ["user:u", "item:a", "item:b"] )";
  EXPECT_EQ(Text(combo + "}", {"x", "1;2;3", "p;q;r"}), "x_1_p/x_2_q/x_3_r");
  EXPECT_EQ(Text(combo + "}", {"x", "1;2;3", "p"}), "x_1_p//");  // the second sequence is shorter
  EXPECT_EQ(Text(combo + "}", {"x", "1", "p;q"}), "x_1_p");      // the first says how many there are
  EXPECT_EQ(Text(combo + "sequence_length: 2 }", {"x", "1;2;3", "p;q;r"}), "x_1_p/x_2_q");
  EXPECT_EQ(Text(combo + "}", {"x", "1;;3", "p;q;r"}), "x_1_p//x_3_r");
  EXPECT_EQ(Text(combo + "}", {"x", "", "p;q"}), "");
  EXPECT_EQ(Text(combo + "}", {"", "1;2", "p;q"}), "/");
  EXPECT_EQ(Text(combo + "}", {"", "1", "p"}), " ");                      // one empty position, not none
  EXPECT_EQ(Text(combo + "}", {"x\x1dy", "1;2", "p;q"}), "x_1_p/x_2_q");  // of several values the first
  EXPECT_EQ(Text(combo + R"(sequence_delim: "|" })", {"x", "1;2|3", "p|q"}), "x_1;2_p/x_3_q");
  const std::string fields =
      R"(sequence_combo_feature { feature_name: "c" expression: ["user:u", "user:a"] sequence_fields: "u" })";
  EXPECT_EQ(Text(fields, {"1;2", "x;y"}), "1_x;y/2_x;y");
}

TEST(CellMaker, LiteralsStandForTheCells) {
  EXPECT_EQ(Text(R"(combo_feature { feature_name: "c" expression: ["const:k", "a"] })", {"ignored", "1"}), "k_1");
  EXPECT_EQ(Text(R"(sequence_combo_feature { feature_name: "c" expression: ["const:k;l", "item:a"] })", {"", "1;2"}),
            "k;l_1/k;l_2");
}

TEST(CellMaker, SequencesOfNumbers) {
  const std::string raw = R"(sequence_raw_feature { feature_name: "r" normalizer: "method=minmax,min=2,max=4" )";
  EXPECT_EQ(Text(raw + "}", {"2;3;5"}), "0/0.5/1.5");
  EXPECT_EQ(Text(raw + "}", {"2;;x;3"}), "0///0.5");
  EXPECT_EQ(Text(raw + R"(default_value: "4" })", {"2;;x;3"}), "0/1/1/0.5");
  EXPECT_EQ(Text(raw + "sequence_length: 1 }", {"2;3"}), "0");
  EXPECT_EQ(Text(raw + R"(value_dim: 2 separator: "|" })", {"2|3;4|5;6"}), "0,0.5/1,1.5/2");
  EXPECT_EQ(Text(raw + "}", {""}), "");
  EXPECT_EQ(Text(raw + "}", {"x"}), " ");
}

TEST(CellMaker, Bins) {
  const std::string raw = R"(sequence_raw_feature { feature_name: "r" boundaries: [1, 2.5] embedding_dim: 4 )";
  EXPECT_EQ(Text(raw + "}", {"0.9;1;2.4;2.5;99"}), "0/1/1/2/2");
  EXPECT_EQ(Text(raw + "}", {"0;;3"}), "0//2");
  EXPECT_EQ(Text(raw + R"(default_value: "2" })", {"0;;3"}), "0/1/2");
  EXPECT_EQ(Text(raw + R"(normalizer: "method=zscore,mean=10,standard_deviation=1" })", {"10;11;13"}), "0/1/2");
  const std::string expression =
      R"(expr_feature { feature_name: "e" expression: "a * 2" variables: "a" boundaries: [3, 7] embedding_dim: 4 })";
  EXPECT_EQ(Text(expression, {"1\x1d"
                              "2\x1d"
                              "4"}),
            "0/1/2");
  EXPECT_EQ(Text(expression, {""}), "0");  // the default value 0
}

TEST(CellMaker, SeveralNumbers) {
  const std::string lookup =
      R"(lookup_feature { feature_name: "l" map: "m" key: "k" value_dim: 2 normalizer: "method=minmax,min=0,max=10" })";
  EXPECT_EQ(Text(lookup, {"a:1,2", "a"}), "0.1/0.2");
  EXPECT_EQ(Text(lookup, {"a:1,2", "b"}), "0");  // the encoding fills up
}

TEST(CellMaker, NormalizersOfOneNumber) {
  const auto normalized = [](const std::string& normalizer, const std::string& default_value, std::string_view cell) {
    return Number("raw_feature { feature_name: \"r\" normalizer: \"" + normalizer + "\" " +
                      (default_value.empty() ? "" : "default_value: \"" + default_value + "\"") + " }",
                  cell);
  };
  const std::string log10 = "method=log10,threshold=1,default=-3";
  EXPECT_FLOAT_EQ(normalized(log10, "", "1000"), 3);
  EXPECT_FLOAT_EQ(normalized(log10, "", "1"), -3);
  EXPECT_TRUE(std::isnan(normalized(log10, "", "")));
  EXPECT_FLOAT_EQ(normalized(log10, "100", ""), 2);
  EXPECT_FLOAT_EQ(normalized("method=zscore,mean=1,standard_deviation=4", "", "-1"), -0.5f);
  EXPECT_FLOAT_EQ(normalized("method=zscore,mean=1,standard_deviation=4", "9", "?"), 2);
  EXPECT_FLOAT_EQ(normalized("method=minmax,min=-1,max=3", "", "0"), 0.25f);
  EXPECT_FLOAT_EQ(normalized("method=expression,expr=x * x + 1", "", "3"), 10);
  EXPECT_TRUE(std::isnan(normalized("method=expression,expr=1 / x", "", "0")));
  EXPECT_TRUE(std::isnan(normalized("method=expression,expr=1 / x", "0", "")));
  EXPECT_TRUE(std::isnan(normalized("method=minmax,min=0,max=1", "", "1e200")));  // beyond the largest float
}

std::vector<std::string> Texts(const Table& table, const std::string& name) {
  const Column& column = table.columns[static_cast<size_t>(table.Find(name))];
  std::vector<std::string> texts;
  for (int64_t row = 0; row < table.rows; ++row) texts.push_back(column.dictionary[column.Code(row)]);
  return texts;
}

TEST(AddGeneratedColumns, OneInputSeveralAndThoseThatAreMade) {
  Table table = TestTable(4)
                    .Category("kv", {"a:1\x1d"
                                     "b:2",
                                     "a:1\x1d"
                                     "b:2",
                                     "", "b:7"})
                    .Category("k", {"a", "b", "a", "b"})
                    .Category("price", {"1", "", "100", "1"})
                    .Number("age", {30, kNan, 2.5f, 7})
                    .Build();
  const std::vector<config::Generator> generators = GeneratorsOf(R"(
    feature_configs { combo_feature { feature_name: "both" expression: ["feature:id", "feature:price"] embedding_dim: 2 } }
    feature_configs { lookup_feature { feature_name: "id" map: "kv" key: "k" need_discrete: true embedding_dim: 2 } }
    feature_configs { raw_feature { feature_name: "price" boundaries: [5] embedding_dim: 2 } }
    feature_configs { lookup_feature { feature_name: "count" map: "kv" key: "k" boundaries: [2, 7] embedding_dim: 2 } }
    feature_configs { combo_feature { feature_name: "bin" expression: ["k", "feature:count"] embedding_dim: 2 } }
    feature_configs { raw_feature { feature_name: "log" expression: "price" normalizer: "method=log10,threshold=0,default=0" } }
    feature_configs { expr_feature { feature_name: "sum" expression: "age + price" variables: ["age", "price"] default_value: "-1" } })");
  const Status status = AddGeneratedColumns(generators, &table);
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(table.columns.size(), 4 + generators.size());
  EXPECT_THAT(Texts(table, "feature:id"), ElementsAre("1", "2", "", "7"));
  EXPECT_THAT(Texts(table, "feature:price"), ElementsAre("0", "", "1", "0"));
  EXPECT_THAT(Texts(table, "feature:bin"), ElementsAre("a_0", "b_1", "a_0", "b_2"));  // numbers 1, 2, the default 0, 7
  EXPECT_THAT(Texts(table, "feature:both"), ElementsAre("1_0", "", "", "7_0"));
  const Column& log = table.columns[static_cast<size_t>(table.Find("feature:log"))];
  EXPECT_EQ(log.kind, ColumnKind::kNumber);
  EXPECT_EQ(log.numbers[0], 0);
  EXPECT_TRUE(std::isnan(log.numbers[1]));
  EXPECT_EQ(log.numbers[2], 2);
  const Column& sum = table.columns[static_cast<size_t>(table.Find("feature:sum"))];
  EXPECT_THAT(std::vector<float>(sum.numbers, sum.numbers + 4), ElementsAre(31, -1, 102.5f, 8));
}

TEST(AddGeneratedColumns, AColumnOfThatNameIsRefused) {
  Table table = TestTable(1).Category("a", {"1"}).Category("feature:c", {"x"}).Build();
  const Status status = AddGeneratedColumns(
      GeneratorsOf(R"(feature_configs { combo_feature { feature_name: "c" expression: ["a", "a"] } })"), &table);
  EXPECT_EQ(status.message(),
            "rows.csv: the column \"feature:c\" has the name of one that is made for a feature: rename it");
}

constexpr char kEveryKind[] = R"(
  feature_configs { id_feature { feature_name: "k" embedding_dim: 2 } }
  feature_configs { id_feature { feature_name: "constant" expression: "const:x" embedding_dim: 2 } }
  feature_configs { raw_feature { feature_name: "x" normalizer: "method=expression,expr=sqrt(x) / 3" transform { standardise: true } } }
  feature_configs { combo_feature { feature_name: "combo" expression: ["k", "list"] hash_bucket_size: 50 embedding_dim: 2 } }
  feature_configs { lookup_feature { feature_name: "count" map: "kv" key: "k" boundaries: [1, 3] embedding_dim: 2 } }
  feature_configs { lookup_feature { feature_name: "id" map: "kv" key: "list" need_key: true embedding_dim: 2 } }
  feature_configs { lookup_feature { feature_name: "pair" map: "kv" key: "list" value_dim: 2 combiner: "mean" } }
  feature_configs { match_feature { feature_name: "match" nested_map: "kkv" pkey: "k" skey: "ALL" } }
  feature_configs { expr_feature { feature_name: "ratio" expression: "x / y" variables: ["x", "y"] } }
  feature_configs { overlap_feature { feature_name: "overlap" query: "list" title: "k" method: "query_common_ratio" } }
  feature_configs { kv_dot_product { feature_name: "dot" query: "kv" document: "list" } }
  feature_configs { bool_mask_feature { feature_name: "mask" expression: ["list", "truth"] embedding_dim: 2 } }
  feature_configs { combine_feature { feature_name: "gap" expression: "numbers" combiner: "gap_max" separator: ";" default_value: "-1" } }
  feature_configs { combine_feature { feature_name: "bucket" expression: "numbers" combiner: "max" separator: ";" num_buckets: 8 embedding_dim: 2 } }
  feature_configs { combo_feature { feature_name: "of_bins" expression: ["k", "feature:count"] embedding_dim: 2 } }
  feature_configs { combo_feature { feature_name: "of_both" expression: ["feature:id", "feature:combo"] embedding_dim: 2 } }
  feature_configs { sequence_raw_feature { feature_name: "bins" expression: "numbers" boundaries: [2, 4] embedding_dim: 2 sequence_length: 3 } }
  feature_configs { sequence_raw_feature { feature_name: "scaled" expression: "numbers" normalizer: "method=minmax,min=0,max=9" } }
  feature_configs { sequence_feature { sequence_name: "s" sequence_length: 4 features { lookup_feature { feature_name: "seen" map: "user:kv" key: "item:keys" need_discrete: true embedding_dim: 2 } } } })";

TEST(GeneratedFeatures, RowEncoderEqualsTheTable) {
  constexpr int64_t kRows = 500;
  const Philox random(7, 1);
  const std::vector<std::string> names = {"k", "x", "y", "list", "kv", "kkv", "truth", "numbers", "s__keys"};
  std::vector<std::vector<std::string>> texts(names.size());
  uint64_t thrown = 0;
  const auto below = [&](uint32_t n) { return random.Block(thrown++)[0] % n; };
  const auto list = [&](const char* separator, const auto& one) {
    std::string text;
    for (uint32_t left = below(4); left > 0; --left) text += (text.empty() ? "" : separator) + one();
    return text;
  };
  const auto key = [&] { return std::string(1, static_cast<char>('a' + below(5))); };
  for (int64_t row = 0; row < kRows; ++row) {
    const auto number = [&] {
      return below(9) == 0 ? std::string() : fmt::format("{}", static_cast<float>(below(60)) / 7);
    };
    texts[0].push_back(below(6) == 0 ? "" : key());
    texts[1].push_back(number());
    texts[2].push_back(number());
    texts[3].push_back(list("\x1d", key));
    texts[4].push_back(list(
        "\x1d", [&] { return key() + ":" + fmt::format("{},{}", below(5), below(3)).substr(0, 1 + 2 * below(2)); }));
    texts[5].push_back(list("|", [&] { return key() + "^" + key() + ":" + std::to_string(below(9)); }));
    texts[6].push_back(list("\x1d", [&] { return std::string(below(2) == 0 ? "true" : "0"); }));
    texts[7].push_back(list(";", [&] { return std::to_string(below(9)); }));
    texts[8].push_back(list(";", key));
  }
  TestTable rows(kRows);
  for (size_t i = 0; i < names.size(); ++i) rows.Category(names[i], texts[i], 2);
  Table table = rows.Build();
  const std::string config = kEveryKind;
  const std::vector<config::Generator> generators = GeneratorsOf(config);
  const Status added = AddGeneratedColumns(generators, &table);
  ASSERT_TRUE(added.ok()) << added.message();
  const auto schema = FitText(config, table, 300);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(schema->generators_size(), static_cast<int>(generators.size()));
  ThreadPool pool(2);
  const auto encoded = Encode(*schema, table, false, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  const auto reread = SchemaFromText(SchemaToText(*schema), "schema.pbtxt");
  ASSERT_TRUE(reread.ok()) << reread.status().message();
  const auto encoder = RowEncoder::Create(*reread);
  ASSERT_TRUE(encoder.ok()) << encoder.status().message();
  ASSERT_EQ(encoder->num_id_slots(), encoded->num_id_slots());
  ASSERT_EQ(encoder->number_width(), encoded->number_width());
  const auto ids_wide = static_cast<size_t>(encoded->num_id_slots()),
             numbers_wide = static_cast<size_t>(encoded->number_width());
  RowWorkspace workspace;
  for (uint32_t row = 0; row < kRows; ++row) {
    std::vector<Cell> cells;
    for (const ColumnRequest& column : encoder->columns()) {
      const auto place = std::find(names.begin(), names.end(), column.name) - names.begin();
      ASSERT_LT(place, static_cast<long>(names.size())) << column.name;
      cells.emplace_back(texts[static_cast<size_t>(place)][row]);
    }
    std::vector<int32_t> ids(ids_wide), row_ids(ids_wide);
    std::vector<float> numbers(numbers_wide), row_numbers(numbers_wide);
    encoded->CopyRows(&row, 1, ids.data(), numbers.data(), nullptr, nullptr);
    const Status status = encoder->Encode(cells, &workspace, row_ids.data(), row_numbers.data());
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(ids, row_ids) << row;
    ASSERT_EQ(std::memcmp(numbers.data(), row_numbers.data(), numbers_wide * sizeof(float)), 0) << row;
  }
}

TEST(GeneratedFeatures, FittedByHand) {
  Table table = TestTable(4)
                    .Category("kv", {"a:1\x1d"
                                     "b:2",
                                     "a:1\x1d"
                                     "b:5",
                                     "", "b:7"})
                    .Category("k", {"a", "b", "a", "b"})
                    .Category("s__cate", {"x;y", "y", "", "z;;y"})
                    .Category("s__price", {"1;2", "3", "", "4;;6"})
                    .Build();
  const std::string config = R"(
    feature_configs { lookup_feature { feature_name: "count" map: "kv" key: "k" boundaries: [1, 3] embedding_dim: 2 } }
    feature_configs { combo_feature { feature_name: "both" expression: ["k", "feature:id"] hash_bucket_size: 10 embedding_dim: 2 } }
    feature_configs { lookup_feature { feature_name: "id" map: "kv" key: "k" need_discrete: true embedding_dim: 2 } }
    feature_configs { sequence_feature { sequence_name: "s" sequence_length: 2
      features { id_feature { feature_name: "cate" expression: "item:cate" embedding_dim: 2 } }
      features { raw_feature { feature_name: "price" expression: "item:price" } } } })";
  ASSERT_TRUE(AddGeneratedColumns(GeneratorsOf(config), &table).ok());
  const auto schema = FitText(config, table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(1);
  const auto encoded = Encode(*schema, table, false, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  const auto ids = [&](uint32_t row) {
    std::vector<int32_t> all(static_cast<size_t>(encoded->num_id_slots()));
    encoded->CopyRows(&row, 1, all.data(), nullptr, nullptr, nullptr);
    return all;
  };
  const auto hash = [](std::string_view text) { return static_cast<int32_t>(Xxh3(text.data(), text.size()) % 10); };
  // count: 1, 5, the default 0, 7. id: 5 and 7 and 1 are seen once each, so in the order of their bytes 1, 5, 7; unknown 3,
  // missing 4. cate: y in 3 rows, then x, z; unknown 3, missing 4, no more 5.
  EXPECT_THAT(ids(0), ElementsAre(1, hash("a_1"), 0, 1, 0));
  EXPECT_THAT(ids(1), ElementsAre(2, hash("b_5"), 1, 0, 5));
  EXPECT_THAT(ids(2), ElementsAre(0, 10, 4, 5, 5));
  EXPECT_THAT(ids(3), ElementsAre(2, hash("b_7"), 2, 2, 4));
  std::vector<float> numbers(2);
  const uint32_t last = 3;
  encoded->CopyRows(&last, 1, nullptr, numbers.data(), nullptr, nullptr);
  EXPECT_THAT(numbers, ElementsAre(4, 0));
}

}  // namespace
}  // namespace manygate::features
