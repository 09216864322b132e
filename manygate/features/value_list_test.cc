// SPDX-License-Identifier: Apache-2.0
// Several values in one text, from fitting to encoded rows.
#include "manygate/features/value_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/random.h"
#include "manygate/features/describe.h"
#include "manygate/features/encode.h"
#include "manygate/features/row_encoder.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Row 6 is never a training row. Blanks around values are not part of them; rows 2 and 4 have no value.
Table Films() {
  return TestTable(7)
      .Category("genres", {"drama|comedy", "comedy", "", "drama||drama | crime", " | ", "comedy|crime", "new|drama"})
      .Build();
}

std::string Genres(const std::string& fields) {
  return "feature_configs { id_feature { feature_name: \"genres\" embedding_dim: 2 separator: \"|\" " + fields + " } }";
}

Schema Fitted(const std::string& config, const Table& table, int64_t training_rows = 6,
              std::vector<std::string>* notes = nullptr) {
  auto schema = FitText(config, table, training_rows, notes);
  MG_CHECK(schema.ok(), "{}", schema.status().message());
  return *schema;
}

// [rows, num_id_slots]
std::vector<std::vector<int32_t>> EncodedIds(const Schema& schema, const Table& table) {
  ThreadPool pool(2);
  const auto encoded = Encode(schema, table, false, pool);
  MG_CHECK(encoded.ok(), "{}", encoded.status().message());
  std::vector<std::vector<int32_t>> ids;
  for (uint32_t row = 0; row < table.rows; ++row) {
    ids.emplace_back(encoded->num_id_slots());
    encoded->CopyRows(&row, 1, ids.back().data(), nullptr, nullptr, nullptr);
  }
  return ids;
}

TEST(ForEachValue, StandsBetweenSeparatorsWithoutBlanks) {
  std::vector<std::string_view> values;
  const auto take = [&](std::string_view value) {
    values.push_back(value);
    return values.size() < 3;
  };
  ForEachValue("|a| b c ||\t|d|e", '|', take);
  EXPECT_THAT(values, ElementsAre("a", "b c", "d"));
  values.clear();
  ForEachValue("||  |", '|', take);
  EXPECT_THAT(values, IsEmpty());
}

TEST(ValueLists, IdsByHand) {
  const Schema schema = Fitted(Genres(""), Films());
  const FeatureSchema& genres = schema.features(0);
  EXPECT_THAT(genres.value(), ElementsAre("comedy", "crime", "drama"));
  EXPECT_THAT(genres.training_count(), ElementsAre(3, 2, 2)) << "a row that has a value twice counts once";
  EXPECT_EQ(genres.missing_count(), 2u);
  EXPECT_EQ(genres.unknown_count(), 0u);
  EXPECT_EQ(genres.vocabulary_size(), 5u);  // 3 values, unknown, missing
  EXPECT_EQ(genres.num_values(), 3u);
  EXPECT_EQ(schema.num_id_slots(), 3u);
  EXPECT_THAT(EncodedIds(schema, Films()),
              ElementsAre(ElementsAre(2, 0, 5), ElementsAre(0, 5, 5), ElementsAre(4, 5, 5), ElementsAre(2, 2, 1),
                          ElementsAre(4, 5, 5), ElementsAre(0, 1, 5), ElementsAre(3, 2, 5)));
  EXPECT_EQ(
      FeatureFromSchema(genres)->Describe(),
      "3 values: \"comedy\" in 3 rows, \"crime\" in 2 rows, \"drama\" in 2 rows; up to 3 in a row; missing 2 rows");
  EXPECT_EQ(InputText(genres), "embedding 5 x 2, sum");
}

TEST(ValueLists, OtherFeaturesStandBehindAllValues) {
  const Table table = TestTable(2).Category("genres", {"a|b", "a"}).Category("job", {"x", "y"}).Build();
  const Schema schema =
      Fitted(Genres("") + "feature_configs { id_feature { feature_name: \"job\" one_hot: true } }", table, 2);
  EXPECT_EQ(schema.features(1).id_slot(), 2u);
  EXPECT_THAT(EncodedIds(schema, table), ElementsAre(ElementsAre(0, 1, 0), ElementsAre(0, 4, 1)));
}

TEST(ValueLists, MaxValuesTakesTheFirst) {
  std::vector<std::string> notes;
  const Schema schema = Fitted(Genres("max_values: 2 pooling: \"mean\""), Films(), 6, &notes);
  const FeatureSchema& genres = schema.features(0);
  EXPECT_EQ(genres.num_values(), 2u);
  EXPECT_EQ(genres.pooling(), FeatureSchema::MEAN);
  EXPECT_THAT(genres.value(), ElementsAre("comedy", "drama", "crime"));
  EXPECT_THAT(genres.training_count(), ElementsAre(3, 2, 1)) << "what is cut off is not learnt";
  EXPECT_THAT(notes,
              ElementsAre("feature \"genres\" has more than 2 values (max_values) in 1 of the 4 training rows with "
                          "a value: the first 2 are used"));
  EXPECT_THAT(EncodedIds(schema, Films())[3], ElementsAre(1, 1));
  EXPECT_EQ(Fitted(Genres("max_values: 9"), Films()).features(0).num_values(), 3u);
}

TEST(ValueLists, RowsWithMoreValuesThanAnyTrainingRowAreCut) {
  const Table table = TestTable(2).Category("genres", {"a|b", "b|a|a|b"}).Build();
  const Schema schema = Fitted(Genres(""), table, 1);
  EXPECT_THAT(EncodedIds(schema, table)[1], ElementsAre(1, 0));
}

TEST(ValueLists, OneValueIsLeftOfEachRow) {
  const Schema schema = Fitted(Genres("max_values: 1"), Films());
  EXPECT_EQ(schema.num_id_slots(), 1u);
  EXPECT_THAT(EncodedIds(schema, Films())[0], ElementsAre(1));  // comedy 2 (rows 1 and 5), drama 2
}

TEST(ValueLists, WithoutASeparatorInTheDataNothingChanges) {
  const Table table = TestTable(3).Category("genres", {"a", " b", "a"}).Build();
  const std::string head = "feature_configs { id_feature { feature_name: \"genres\" embedding_dim: 2 ";
  const Schema schema = Fitted(head + "} }", table, 3), never = Fitted(head + "separator: \"\" } }", table, 3);
  EXPECT_EQ(SchemaToText(schema), SchemaToText(never));
  EXPECT_FALSE(schema.features(0).has_separator());
  EXPECT_THAT(schema.features(0).value(), ElementsAre("a", " b"));
  // A separator that the configuration names holds for rows to come, even if no training row has it.
  const Schema named = Fitted(head + "separator: \"|\" pooling: \"mean\" } }", table, 3);
  EXPECT_EQ(named.features(0).separator(), "|");
  EXPECT_EQ(named.num_id_slots(), 1u);
  EXPECT_THAT(EncodedIds(named, TestTable(3).Category("genres", {"b|a", "a | b", " b"}).Build()),
              ElementsAre(ElementsAre(1), ElementsAre(0), ElementsAre(1)));
}

TEST(ValueLists, TheDefaultSeparatorSplitsListsOfOtherFormats) {
  const Table table = TestTable(2)
                          .Category("genres", {"a\x1d"
                                               "b",
                                               "b"})
                          .Build();
  const Schema schema =
      Fitted("feature_configs { id_feature { feature_name: \"genres\" embedding_dim: 2 } }", table, 2);
  EXPECT_EQ(schema.features(0).separator(), "\x1d");
  EXPECT_THAT(EncodedIds(schema, table), ElementsAre(ElementsAre(1, 0), ElementsAre(0, 4)));
}

TEST(ValueLists, DefaultValueStandsForRowsWithoutAValue) {
  const Schema schema = Fitted(Genres("default_value: \"drama\""), Films());
  EXPECT_THAT(schema.features(0).value(), ElementsAre("drama", "comedy", "crime"));
  EXPECT_THAT(schema.features(0).training_count(), ElementsAre(4, 3, 2));
  EXPECT_THAT(EncodedIds(schema, Films())[4], ElementsAre(0, 4, 4));  // V = 3 values and unknown
}

TEST(ValueLists, OtherKindsOfIds) {
  const Schema written = Fitted(Genres("vocab_list: [\"drama\", \"crime\"]"), Films());
  EXPECT_EQ(written.features(0).unknown_count(), 3u);
  EXPECT_THAT(EncodedIds(written, Films())[0], ElementsAre(0, 2, 4));

  std::vector<std::string> notes;
  const Table numbers = TestTable(2).Category("genres", {"3|9|0", ""}).Build();
  const Schema buckets = Fitted(Genres("num_buckets: 4"), numbers, 2, &notes);
  EXPECT_THAT(EncodedIds(buckets, numbers), ElementsAre(ElementsAre(3, 4, 0), ElementsAre(5, 6, 6)));
  EXPECT_THAT(notes,
              ElementsAre("feature \"genres\" 1 of 4 values in training rows are no integer below num_buckets (4)"));

  const Schema hashed = Fitted(Genres("hash_bucket_size: 1000"), TestTable(1).Category("genres", {"a|b"}).Build(), 1);
  EXPECT_THAT(EncodedIds(hashed, TestTable(1).Category("genres", {"a"}).Build()),
              ElementsAre(ElementsAre(static_cast<int32_t>(Xxh3("a", 1) % 1000), 1001)));
}

TEST(ValueLists, FeaturesOfOneTableSplitByTheirOwnSeparators) {
  const Table table =
      TestTable(2).Category("liked", {"x|y", "y"}).Category("seen", {"z;y", "x|y"}).Category("last", {"y", ""}).Build();
  std::string config;
  for (const std::string feature : {"\"liked\" separator: \"|\"", "\"seen\" separator: \";\"", "\"last\""})
    config +=
        "feature_configs { id_feature { embedding_dim: 2 embedding_name: \"film\" feature_name: " + feature + " } }\n";
  const Schema schema = Fitted(config, table, 2);
  for (const FeatureSchema& feature : schema.features()) {
    EXPECT_THAT(feature.value(), ElementsAre("y", "x", "x|y", "z"));
    EXPECT_THAT(feature.training_count(), ElementsAre(4, 1, 1, 1));
  }
  EXPECT_THAT(EncodedIds(schema, table), ElementsAre(ElementsAre(1, 0, 3, 0, 0), ElementsAre(0, 6, 2, 6, 5)));
}

TEST(ForEachPosition, EmptyPartsCount) {
  const auto parts = [](std::string_view text) {
    std::string shown;
    ForEachPosition(text, ';', [&](std::string_view part) {
      shown += "[" + std::string(part) + "]";
      return true;
    });
    return shown;
  };
  EXPECT_EQ(parts(""), "");
  EXPECT_EQ(parts(" "), "[]");
  EXPECT_EQ(parts("a"), "[a]");
  EXPECT_EQ(parts("a; b "), "[a][b]");
  EXPECT_EQ(parts(";a"), "[][a]");
  EXPECT_EQ(parts("a;"), "[a][]");
  EXPECT_EQ(parts(";"), "[][]");
  EXPECT_EQ(parts("a;;b"), "[a][][b]");
}

TEST(SplitWeight, TheWeightStandsBehindTheLastColon) {
  const auto check = [](std::string_view text, std::string_view value, float weight) {
    EXPECT_EQ(SplitWeight(text).value, value) << text;
    EXPECT_EQ(SplitWeight(text).weight, weight) << text;
  };
  check("a:0.5", "a", 0.5f);
  check("a", "a", 1);
  check("a : 2", "a", 2);
  check("a:b:-3", "a:b", -3);
  check("a:x", "a", 1);
  check("a:", "a", 1);
}

// [rows, num_id_slots] and [rows, number_width]
std::vector<std::vector<float>> EncodedNumbers(const Schema& schema, const Table& table) {
  ThreadPool pool(2);
  const auto encoded = Encode(schema, table, false, pool);
  MG_CHECK(encoded.ok(), "{}", encoded.status().message());
  std::vector<std::vector<float>> numbers;
  for (uint32_t row = 0; row < table.rows; ++row) {
    numbers.emplace_back(encoded->number_width());
    encoded->CopyRows(&row, 1, nullptr, numbers.back().data(), nullptr, nullptr);
  }
  return numbers;
}

TEST(WeightedIds, WeightsStandAmongTheNumbers) {
  const Table table = TestTable(4).Category("tags", {"a:2|b:4", "a:0.5", "", "b|c:-1|a:3"}).Build();
  const auto config = [](const std::string& pooling) {
    return "feature_configs { id_feature { feature_name: \"tags\" embedding_dim: 2 separator: \"|\" weighted: true "
           "vocab_list: [\"a\", \"b\"] pooling: \"" +
           pooling + "\" } }";
  };
  const Schema sum = Fitted(config("sum"), table, 4);
  EXPECT_EQ(sum.features(0).num_values(), 3u);
  EXPECT_THAT(EncodedIds(sum, table),
              ElementsAre(ElementsAre(0, 1, 4), ElementsAre(0, 4, 4), ElementsAre(3, 4, 4), ElementsAre(1, 2, 0)));
  EXPECT_THAT(EncodedNumbers(sum, table),
              ElementsAre(ElementsAre(2, 4, 0), ElementsAre(0.5f, 0, 0), ElementsAre(1, 0, 0), ElementsAre(1, -1, 3)));
  // Divided by how many values the row has.
  EXPECT_THAT(EncodedNumbers(Fitted(config("mean"), table, 4), table),
              ElementsAre(ElementsAre(1, 2, 0), ElementsAre(0.5f, 0, 0), ElementsAre(1, 0, 0),
                          ElementsAre(1 / 3.f, -1 / 3.f, 1)));
}

TEST(IdSequences, PositionsInOrder) {
  const Table table = TestTable(5).Category("seq", {"a;b;a", "b", "", "a;;c", " "}).Build();
  const auto config = [](const std::string& fields) {
    return "feature_configs { sequence_id_feature { feature_name: \"seq\" embedding_dim: 2 vocab_list: [\"a\", "
           "\"b\"] " +
           fields + " } }";
  };
  // Ids: a 0, b 1, unknown 2, missing 3, "no more positions" 4.
  const Schema schema = Fitted(config(""), table, 5);
  EXPECT_TRUE(schema.features(0).sequence());
  EXPECT_THAT(EncodedIds(schema, table), ElementsAre(ElementsAre(0, 1, 0), ElementsAre(1, 4, 4), ElementsAre(4, 4, 4),
                                                     ElementsAre(0, 3, 2), ElementsAre(3, 4, 4)));
  EXPECT_THAT(
      EncodedIds(Fitted(config("sequence_length: 2"), table, 5), table),
      ElementsAre(ElementsAre(0, 1), ElementsAre(1, 4), ElementsAre(4, 4), ElementsAre(0, 3), ElementsAre(3, 4)));
  // An empty position is read as the default value; a row without positions still has none.
  EXPECT_THAT(EncodedIds(Fitted(config("default_value: \"b\""), table, 5), table),
              ElementsAre(ElementsAre(0, 1, 0), ElementsAre(1, 3, 3), ElementsAre(3, 3, 3), ElementsAre(0, 1, 2),
                          ElementsAre(1, 3, 3)));
}

TEST(ValueLists, OneMoreIdFitsIntoTwoBytes) {
  const Table lists = TestTable(1).Category("genres", {"1|2"}).Build();
  const Table single = TestTable(1).Category("genres", {"1"}).Build();
  EXPECT_EQ(LayoutOf(Fitted(Genres("num_buckets: 65533"), lists, 1), false).id_bytes, 2);
  EXPECT_EQ(LayoutOf(Fitted(Genres("num_buckets: 65534"), lists, 1), false).id_bytes, 4);
  EXPECT_EQ(LayoutOf(Fitted(Genres("num_buckets: 65534"), single, 1), false).id_bytes, 2);
  EXPECT_THAT(EncodedIds(Fitted(Genres("num_buckets: 65533"), lists, 1), single), ElementsAre(ElementsAre(1, 65535)));
  EXPECT_THAT(EncodedIds(Fitted(Genres("num_buckets: 65534"), lists, 1), single), ElementsAre(ElementsAre(1, 65536)));
}

TEST(ValueLists, TooManyInOneRow) {
  std::string text;
  for (int i = 0; i < 65537; ++i) text += "a|";
  const Table table = TestTable(1).Category("genres", {text}).Build();
  const auto schema = FitText(Genres(""), table);
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(schema.status().message(),
              HasSubstr("feature \"genres\" has 65,537 values in one row, and at most 65,536 can "
                        "be used: give it max_values"));
  EXPECT_TRUE(FitText(Genres("max_values: 65536"), table).ok());
}

// Lists of 0 to 6 of 400 values; row_encoder.h promises the same ids.
TEST(ValueLists, RowEncoderAndAnyThreadsGiveTheSameAfterSavingAndLoading) {
  const Philox random(5, 0);
  std::vector<std::string> texts, others;
  for (uint64_t row = 0; row < 5000; ++row) {
    const auto draws = random.Block(row);
    std::string text;
    for (uint32_t k = 0; k < draws[0] % 7; ++k)
      text += fmt::format("v{}{}", random.Block(row * 8 + k)[1] % 400, k % 2 ? " |" : "|");
    texts.push_back(text);
    others.push_back(fmt::format("o{}", draws[2] % 9));
  }
  const Table table = TestTable(5000).Category("genres", texts, 2).Category("other", others).Build();
  const Schema schema = Fitted(Genres("min_count: 2") +
                                   "feature_configs { id_feature { feature_name: \"other\" one_hot: true } }\n"
                                   "feature_configs { id_feature { feature_name: \"again\" expression: \"genres\" "
                                   "one_hot: true separator: \"|\" "
                                   "max_values: 4 hash_bucket_size: 50 } }",
                               table, 4000);
  EXPECT_EQ(schema.num_id_slots(), 6u + 1 + 4);
  const auto loaded = SchemaFromText(SchemaToText(schema), "schema.pbtxt");
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(SchemaToText(*loaded), SchemaToText(schema));
  ThreadPool one(1), three(3);
  const auto a = Encode(schema, table, false, one), b = Encode(*loaded, table, false, three);
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_EQ(a->memory_bytes(), b->memory_bytes());
  EXPECT_EQ(std::memcmp(a->record(0), b->record(0), a->memory_bytes()), 0);
  const auto encoder = RowEncoder::Create(*loaded);
  ASSERT_TRUE(encoder.ok());
  RowWorkspace workspace;
  for (uint32_t row = 0; row < 5000; ++row) {
    std::vector<int32_t> from_table(encoder->num_id_slots()), from_texts(encoder->num_id_slots(), -1);
    a->CopyRows(&row, 1, from_table.data(), nullptr, nullptr, nullptr);
    const std::vector<Cell> cells = {Cell(texts[row]), Cell(others[row])};
    ASSERT_TRUE(encoder->Encode(cells, &workspace, from_texts.data(), nullptr).ok());
    ASSERT_EQ(from_texts, from_table) << texts[row];
  }
}

TEST(ValueLists, StatesThatDoNotFitTogetherAreRefused) {
  const Schema schema = Fitted(Genres(""), Films());
  const auto problem = [&](auto damage) {
    Schema damaged = schema;
    damage(damaged.mutable_features(0));
    return ValidateSchema(damaged).message();
  };
  using S = FeatureSchema;
  EXPECT_THAT(problem([](S* s) { s->set_num_values(0); }), HasSubstr("num_values is 0; expected 1 to 65536"));
  EXPECT_THAT(problem([](S* s) { s->set_num_values(65537); }), HasSubstr("num_values is 65537"));
  EXPECT_THAT(problem([](S* s) { s->set_num_values(2); }), HasSubstr("num_id_slots and number_width are 3 and 0"));
  EXPECT_THAT(problem([](S* s) { s->clear_separator(); }), HasSubstr("several values need a separator"));
  EXPECT_THAT(problem([](S* s) { s->set_separator("||"); }), HasSubstr("separator is \"||\"; expected one character"));
  EXPECT_THAT(problem([](S* s) { s->set_separator(""); }), HasSubstr("separator is \"\"; expected one character"));
  EXPECT_THAT(problem([](S* s) {
                s->set_encoding(S::ONE_HOT);
                s->set_pooling(S::MEAN);
              }),
              HasSubstr("pooling MEAN needs encoding EMBEDDING"));
}

// A list of a Parquet file is a list, whatever separates the values of texts; a text that has the separator is split there.
TEST(ValueList, ListsOfFiles) {
  const auto values = [](std::string_view text, char separator) {
    std::vector<std::string> found;
    ForEachValue(text, separator, [&](std::string_view value) {
      found.emplace_back(value);
      return true;
    });
    return found;
  };
  EXPECT_THAT(values("a\x1d"
                     "b",
                     '|'),
              ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(values("a\x1d"
                     "b|c",
                     '|'),
              ::testing::ElementsAre("a\x1d"
                                     "b",
                                     "c"));
  std::vector<std::string> positions;
  ForEachPosition(
      "a\x1d\x1d"
      "b",
      ';', [&](std::string_view part) {
        positions.emplace_back(part);
        return true;
      });
  EXPECT_THAT(positions, ::testing::ElementsAre("a", "", "b"));
}

}  // namespace
}  // namespace manygate::features
