// SPDX-License-Identifier: Apache-2.0
// Several numbers in one cell, from fitting to encoded rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "manygate/features/encode.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// [rows, number_width]; -99 stands for NaN, "past the end".
std::vector<std::vector<float>> Numbers(const Schema& schema, const Table& table) {
  ThreadPool pool(1);
  const auto encoded = Encode(schema, table, false, pool);
  MG_CHECK(encoded.ok(), "{}", encoded.status().message());
  std::vector<std::vector<float>> numbers;
  for (uint32_t row = 0; row < table.rows; ++row) {
    numbers.emplace_back(encoded->number_width());
    encoded->CopyRows(&row, 1, nullptr, numbers.back().data(), nullptr, nullptr);
    for (float& number : numbers.back()) number = std::isnan(number) ? -99 : number;
  }
  return numbers;
}

Schema Fitted(const std::string& feature, const Table& table, std::vector<std::string>* notes = nullptr) {
  auto schema = FitText("feature_configs { " + feature + " }", table, -1, notes);
  MG_CHECK(schema.ok(), "{}", schema.status().message());
  return *std::move(schema);
}

TEST(NumberList, VectorsAreFilledAndCut) {
  const Table table = TestTable(5).Category("v", {"1|2|3", "4|5", "", "6||8|9", " 7 | -1e1 |0.5"}).Build();
  std::vector<std::string> notes;
  const Schema schema = Fitted(R"(raw_feature { feature_name: "v" value_dim: 3 separator: "|" })", table, &notes);
  EXPECT_EQ(schema.features(0).kind(), FeatureSchema::NUMBER_LIST);
  EXPECT_EQ(schema.features(0).width(), 3u);
  EXPECT_EQ(schema.number_width(), 3u);
  EXPECT_THAT(Numbers(schema, table), ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4, 5, 0), ElementsAre(0, 0, 0),
                                                  ElementsAre(6, 0, 8), ElementsAre(7, -10, 0.5f)));
  EXPECT_THAT(notes, ElementsAre("feature \"v\" lacks numbers in 2 training rows: 0 stands for each"));

  const Schema filled =
      Fitted(R"(raw_feature { feature_name: "v" value_dim: 3 separator: "|" default_value: "2.5" })", table);
  EXPECT_THAT(Numbers(filled, table)[1], ElementsAre(4, 5, 2.5f));
  EXPECT_THAT(Numbers(filled, table)[2], ElementsAre(2.5f, 2.5f, 2.5f));
}

TEST(NumberList, SequencesEndInNan) {
  const Table table = TestTable(5).Category("s", {"1;2;3", "4", "", "5;;6", ";"}).Build();
  const Schema schema = Fitted(R"(sequence_raw_feature { feature_name: "s" })", table);
  EXPECT_TRUE(schema.features(0).sequence());
  EXPECT_EQ(schema.features(0).num_values(), 3u);
  EXPECT_THAT(Numbers(schema, table),
              ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4, -99, -99), ElementsAre(-99, -99, -99),
                          ElementsAre(5, 0, 6), ElementsAre(0, 0, -99)));
  const Schema two =
      Fitted(R"(sequence_raw_feature { feature_name: "s" sequence_length: 2 default_value: "7" })", table);
  EXPECT_THAT(Numbers(two, table), ElementsAre(ElementsAre(1, 2), ElementsAre(4, -99), ElementsAre(-99, -99),
                                               ElementsAre(5, 7), ElementsAre(7, 7)));
}

TEST(NumberList, SequencesOfVectors) {
  const Table table = TestTable(4).Category("s", {"1|2;3|4", "5", "", "6|7;8|9;1|1"}).Build();
  const Schema schema =
      Fitted(R"(sequence_raw_feature { feature_name: "s" value_dim: 2 separator: "|" sequence_length: 2 })", table);
  EXPECT_EQ(schema.features(0).position_width(), 2u);
  EXPECT_EQ(schema.features(0).width(), 4u);
  EXPECT_THAT(Numbers(schema, table), ElementsAre(ElementsAre(1, 2, 3, 4), ElementsAre(5, 0, -99, -99),
                                                  ElementsAre(-99, -99, -99, -99), ElementsAre(6, 7, 8, 9)));
}

TEST(NumberList, TextsThatAreNoNumbersAreAProblem) {
  const Table table = TestTable(2).Category("v", {"1|x", "1|2"}).Build();
  const auto schema =
      FitText(R"(feature_configs { raw_feature { feature_name: "v" value_dim: 2 separator: "|" } })", table);
  ASSERT_FALSE(schema.ok());
  EXPECT_THAT(std::string(schema.status().message()),
              HasSubstr("holds values that are no numbers in 1 training rows, such as \"x\""));
}

}  // namespace
}  // namespace manygate::features
