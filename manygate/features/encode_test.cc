// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "manygate/base/random.h"
#include "manygate/features/row_encoder.h"
#include "manygate/features/test_table.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

struct Batch {
  std::vector<int32_t> ids;
  std::vector<float> numbers, labels, weights;
};

// The batch's arrays stand between guard values, which must survive.
Batch Copy(const EncodedTable& table, const std::vector<uint32_t>& rows) {
  constexpr int kGuard = 16;
  const size_t n = rows.size();
  const auto guarded = [&](int width) { return n * static_cast<size_t>(width) + kGuard; };
  Batch batch{std::vector<int32_t>(guarded(table.num_id_slots()), -77),
              std::vector<float>(guarded(table.number_width()), -77.0f),
              std::vector<float>(guarded(table.num_labels()), -77.0f),
              std::vector<float>(guarded(table.num_weights()), -77.0f)};
  table.CopyRows(rows.data(), static_cast<int>(n), batch.ids.data(), batch.numbers.data(), batch.labels.data(),
                 batch.weights.data());
  const auto strip = [](auto* values) {
    for (size_t i = values->size() - kGuard; i < values->size(); ++i) EXPECT_EQ((*values)[i], -77);
    values->resize(values->size() - kGuard);
  };
  strip(&batch.ids);
  strip(&batch.numbers);
  strip(&batch.labels);
  strip(&batch.weights);
  return batch;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

constexpr char kConfig[] = R"(
  data_config { sample_weight_fields: "weight" label_configs { label_name: "rich" column: "income" positive_values: "high" } }
  feature_configs { id_feature { feature_name: "job" one_hot: true } }
  feature_configs { raw_feature { feature_name: "age" transform { standardise: true missing_indicator: true } } }
  feature_configs { raw_feature { feature_name: "age_bins" expression: "age" boundaries: [35] one_hot: true } }
  model_config { shared_bottom { task_towers { label_name: "rich" } task_towers { label_name: "spend" losses { l2_loss {} } } } }
)";

Table Rows() {
  return TestTable(4)
      .Category("job", {"a", "b", "", "new"})
      .Number("age", {30, 50, kNan, 20})
      .Category("income", {"low", "high", "", "high"})
      .Number("spend", {0.5f, kNan, 2, 3})
      .Number("weight", {1, 2, 0.25f, 7})
      .Build();
}

TEST(Encode, ByHand) {
  const Table table = Rows();
  const auto schema = FitText(kConfig, table, 3);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(1);
  const auto encoded = Encode(*schema, table, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(encoded->rows(), 4);
  EXPECT_EQ(encoded->num_id_slots(), 2);
  EXPECT_EQ(encoded->number_width(), 2);
  EXPECT_EQ(encoded->num_labels(), 2);
  EXPECT_EQ(encoded->num_weights(), 1);
  const Batch batch = Copy(*encoded, {3, 0, 1, 2});
  // job: a, b, unknown, missing; bins: below 35, from 35, missing.
  EXPECT_THAT(batch.ids, ElementsAre(2, 0, 0, 0, 1, 1, 3, 2));
  // Ages 30, 50 and the median 40 for the missing one: mean 40, deviation sqrt(200 / 3).
  const float unit = static_cast<float>(10.0 / std::sqrt(200.0 / 3.0));
  EXPECT_THAT(batch.numbers,
              ::testing::Pointwise(::testing::FloatEq(), {-2 * unit, 0.0f, -unit, 0.0f, unit, 0.0f, 0.0f, 1.0f}));
  EXPECT_THAT(batch.labels,
              ::testing::Pointwise(::testing::NanSensitiveFloatEq(), {1.0f, 3.0f, 0.0f, 0.5f, 1.0f, kNan, kNan, 2.0f}));
  EXPECT_THAT(batch.weights, ElementsAre(7, 1, 2, 0.25f));
}

TEST(Encode, WithoutLabelsNeedsNeitherLabelsNorWeights) {
  const auto schema = FitText(kConfig, Rows());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const Table table = TestTable(2).Category("job", {"b", "a"}).Number("age", {40, 10}).Build();
  ThreadPool pool(2);
  const auto encoded = Encode(*schema, table, false, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(encoded->num_labels(), 0);
  EXPECT_EQ(encoded->num_weights(), 0);
  const Batch batch = Copy(*encoded, {1});
  EXPECT_THAT(batch.ids, ElementsAre(0, 0));
  EXPECT_THAT(batch.weights, ElementsAre());
}

TEST(Encode, PiecesByHand) {
  for (const bool as_category : {false, true}) {
    const Table table = as_category ? TestTable(4).Category("age", {"0", "10", "", "30"}).Build()
                                    : TestTable(4).Number("age", {0, 10, kNan, 30}).Build();
    const auto schema = FitText(R"(
      feature_configs { raw_feature { feature_name: "plain" expression: "age" } }
      feature_configs { raw_feature { feature_name: "bins" expression: "age" one_hot: true boundaries: 5 } }
      feature_configs { raw_feature { feature_name: "age" transform { piecewise_linear: 4 missing_indicator: true } } }
      feature_configs { raw_feature { feature_name: "mapped" expression: "age" embedding_dim: 2 default_value: "25" transform { piecewise_linear: 4 } } }
    )",
                                table);
    ASSERT_TRUE(schema.ok()) << schema.status().message();
    ThreadPool pool(1);
    const auto encoded = Encode(*schema, table, true, pool);
    ASSERT_TRUE(encoded.ok()) << encoded.status().message();
    const Batch batch = Copy(*encoded, {0, 1, 2, 3});
    // Slots: bins, pieces of 0 10 30, pieces of 0 10 25 30. Numbers: plain, fraction, missing, fraction.
    EXPECT_THAT(batch.ids, ElementsAre(0, 0, 0, 1, 1, 1, 2, 1, 2, 1, 1, 2));
    EXPECT_THAT(batch.numbers, ElementsAre(0, 0, 0, 0, 10, 0, 0, 0, 10, 0, 1, 0, 30, 1, 0, 1));
  }
}

TEST(Encode, SeveralRowWeights) {
  constexpr char kTwo[] = R"(
    data_config { sample_weight_fields: ["w", "v"] }
    feature_configs { id_feature { feature_name: "job" one_hot: true } }
    model_config { omoe { task_towers { label_name: "y" } } })";
  const Table table = TestTable(3)
                          .Category("job", {"a", "b", "a"})
                          .Category("y", {"0", "1", ""})
                          .Number("v", {4, 5, 6})
                          .Number("w", {1, 2, 3})
                          .Build();
  const auto schema = FitText(kTwo, table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(1);
  const auto encoded = Encode(*schema, table, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(encoded->num_weights(), 2);
  EXPECT_THAT(Copy(*encoded, {2, 0}).weights, ElementsAre(3, 6, 1, 4));
}

TEST(Encode, GroupsByRow) {
  constexpr char kGroups[] = R"(
    feature_configs { id_feature { feature_name: "job" one_hot: true } }
    model_config { omoe { task_towers {
      label_name: "y" num_class: 2 losses { jrc_loss { session_name: "session" } }
      metrics { grouped_auc { grouping_key: "user" } }
    } } })";
  // More rows than one block, codes of 1 and 4 bytes.
  constexpr int64_t kRows = 2500;
  std::vector<std::string> job, y, session, user;
  for (int64_t row = 0; row < kRows; ++row) {
    job.push_back(row % 2 == 0 ? "a" : "b");
    y.push_back(row % 3 == 0 ? "1" : "0");
    session.push_back(row % 5 == 0 ? "" : std::to_string(row % 7));
    user.push_back(std::to_string(row / 4));
  }
  const Table table = TestTable(kRows)
                          .Category("job", job)
                          .Category("y", y)
                          .Category("session", session)
                          .Category("user", user, 4)
                          .Build();
  const auto schema = FitText(kGroups, table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_THAT(schema->group_column(), ElementsAre("user", "session"));
  ThreadPool pool(2);
  const auto encoded = Encode(*schema, table, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  ASSERT_EQ(encoded->num_groups(), 2);
  const auto users = encoded->groups(0), sessions = encoded->groups(1);
  ASSERT_EQ(static_cast<int64_t>(users.size()), kRows);
  ASSERT_EQ(static_cast<int64_t>(sessions.size()), kRows);
  for (int64_t row = 1; row < kRows; ++row) {
    EXPECT_EQ(users[row] == users[row - 1], user[row] == user[row - 1]) << row;
    EXPECT_EQ(sessions[row] == sessions[0], session[row].empty()) << row;
    if (row >= 35) {
      EXPECT_EQ(sessions[row], sessions[row - 35]);
    }
  }
  const auto without_labels = Encode(*schema, table, false, pool);
  ASSERT_TRUE(without_labels.ok()) << without_labels.status().message();
  EXPECT_EQ(without_labels->num_groups(), 0);
}

TEST(Encode, NullArraysAreLeftOut) {
  const Table table = Rows();
  const auto schema = FitText(kConfig, table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(1);
  const auto encoded = Encode(*schema, table, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  const uint32_t row = 3;
  float weight = 0;
  encoded->CopyRows(&row, 1, nullptr, nullptr, nullptr, &weight);
  EXPECT_EQ(weight, 7.0f);
  float labels[2] = {0, 0};
  encoded->CopyRows(&row, 1, nullptr, nullptr, labels, nullptr);
  EXPECT_EQ(labels[1], 3.0f);
}

TEST(Encode, AllProblemsAreReported) {
  const auto schema = FitText(kConfig, Rows());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const Table table = TestTable(2)
                          .Category("jobs", {"b", "a"})
                          .Category("age", {"40", "x"})
                          .Category("income", {"low", "high"})
                          .Category("spend", {"1", "much"})
                          .Number("weight", {1, kNan})
                          .Build();
  ThreadPool pool(1);
  const auto encoded = Encode(*schema, table, true, pool);
  ASSERT_FALSE(encoded.ok());
  EXPECT_EQ(encoded.status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(
      encoded.status().message(),
      "rows.csv: no column \"job\" for feature \"job\". Did you mean \"jobs\"? Columns: jobs, age, income, spend, "
      "weight\n"
      "rows.csv: feature \"age\" (column \"age\") has 1 value that is no number: \"x\"\n"
      "rows.csv: feature \"age_bins\" (column \"age\") has 1 value that is no number: \"x\"\n"
      "rows.csv: label \"spend\" (column \"spend\") has 1 value that is no number: \"much\"\n"
      "rows.csv: row weights (column \"weight\") is missing in 1 and negative in 0 of 2 rows, the first of them row 2; "
      "every row needs a number >= 0");
}

TEST(Encode, BinaryLabelOfOtherRowsIsChecked) {
  constexpr char kPlain[] = R"(
    feature_configs { id_feature { feature_name: "job" one_hot: true } }
    model_config { omoe { task_towers { label_name: "y" } } })";
  const auto schema = FitText(kPlain, TestTable(2).Category("job", {"a", "b"}).Category("y", {"0", "1"}).Build());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(1);
  const auto encoded =
      Encode(*schema, TestTable(2).Category("job", {"a", "b"}).Category("y", {"0", "2"}).Build(), true, pool);
  ASSERT_FALSE(encoded.ok());
  EXPECT_THAT(encoded.status().message(),
              HasSubstr("rows.csv: label \"y\" (column \"y\") holds \"0\" (1 row), \"2\" (1 row)"));
}

TEST(RecordLayout, SmallRecordsArePowersOfTwoLargeOnesWholeCacheLines) {
  const auto layout = [](int ids, int numbers, uint64_t vocabulary_size) {
    Schema schema;
    schema.set_num_id_slots(ids);
    schema.set_number_width(numbers);
    for (int i = 0; i < ids; ++i) schema.add_features()->set_vocabulary_size(vocabulary_size);
    schema.add_labels();
    return LayoutOf(schema, true);
  };
  EXPECT_EQ(layout(1, 0, 10).record_bytes, 8u);  // 2 + 2 padding + 4
  EXPECT_EQ(layout(1, 0, 10).labels_offset, 4u);
  EXPECT_EQ(layout(3, 2, 10).numbers_offset, 8u);
  EXPECT_EQ(layout(3, 2, 10).record_bytes, 32u);     // 8 + 8 + 4 = 20
  EXPECT_EQ(layout(29, 10, 10).record_bytes, 128u);  // 60 + 40 + 4 = 104
  EXPECT_EQ(layout(2, 0, 65536).id_bytes, 2);
  EXPECT_EQ(layout(2, 0, 65537).id_bytes, 4);
  EXPECT_EQ(layout(15, 0, 65537).record_bytes, 64u);
  EXPECT_EQ(layout(16, 0, 65537).record_bytes, 128u);
}

// A random table of every kind of feature; columns of 1, 2 and 4 byte codes; `vocabulary` ids in the widest.
struct RandomRows {
  RandomRows(int64_t rows, uint32_t vocabulary, int id_copies) {
    std::vector<std::string> job, zip, age_text, label;
    std::vector<float> age, weight;
    const Philox random(5, 1);
    for (int64_t row = 0; row < rows; ++row) {
      const auto bits = random.Block(static_cast<uint64_t>(row));
      job.push_back(bits[0] % 7 == 0 ? "" : "job" + std::to_string(bits[0] % 50));
      zip.push_back(row < vocabulary ? std::to_string(row) : std::to_string(bits[1] % vocabulary));
      const int years = static_cast<int>(bits[2] % 90);
      age_text.push_back(years == 0 ? "" : std::to_string(years) + ".5");
      age.push_back(years == 0 ? kNan : static_cast<float>(years) + 0.5f);
      label.push_back(bits[3] % 5 == 0 ? "" : std::to_string(bits[3] % 2));
      weight.push_back(static_cast<float>(bits[3] % 8));
    }
    texts = {job, zip, age_text, age_text};
    table = TestTable(rows)
                .Category("job", job, 2)
                .Category("zip", zip, 4)
                .Number("age", age)
                .Category("age_text", age_text)
                .Category("y", label)
                .Number("w", weight)
                .Build();
    config = R"(data_config { sample_weight_fields: "w" }
      model_config { omoe { task_towers { label_name: "y" } } }
      feature_configs { id_feature { feature_name: "job" one_hot: true min_count: 20 } }
      feature_configs { id_feature { feature_name: "zip" embedding_dim: 2 } }
      feature_configs { raw_feature { feature_name: "age" transform { log1p: true standardise: true missing_indicator: true } } }
      feature_configs { raw_feature { feature_name: "age_text" transform { clip_max: 60 standardise: true } } }
      feature_configs { raw_feature { feature_name: "bins" expression: "age" one_hot: true transform { quantile_bins: 7 } } }
      feature_configs { raw_feature { feature_name: "bins_text" expression: "age_text" one_hot: true boundaries: [20, 40] } }
      feature_configs { raw_feature { feature_name: "pieces" expression: "age" transform { piecewise_linear: 9 missing_indicator: true } } }
      feature_configs { raw_feature { feature_name: "pieces_text" expression: "age_text" embedding_dim: 4 transform { piecewise_linear: 200 } } }
      feature_configs { id_feature { feature_name: "zip_number" expression: "zip" one_hot: true num_buckets: 30 } }
    )";
    for (int i = 0; i < id_copies; ++i) {
      config += "feature_configs { id_feature { feature_name: \"hash" + std::to_string(i) +
                "\" expression: \"zip\" embedding_dim: 2 hash_bucket_size: " + std::to_string(11 + i) + " } }\n";
    }
  }
  std::vector<std::vector<std::string>> texts;  // job, zip, age, age_text
  Table table;
  std::string config;
};

void CheckRowEncoderEqualsEncode(const RandomRows& rows, int expected_id_bytes) {
  const auto schema = FitText(rows.config, rows.table, rows.table.rows * 3 / 4);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool pool(2);
  const auto encoded = Encode(*schema, rows.table, true, pool);
  ASSERT_TRUE(encoded.ok()) << encoded.status().message();
  EXPECT_EQ(encoded->layout().id_bytes, expected_id_bytes);
  const auto reread = SchemaFromText(SchemaToText(*schema), "schema.pbtxt");
  ASSERT_TRUE(reread.ok()) << reread.status().message();
  const auto encoder = RowEncoder::Create(*reread);
  ASSERT_TRUE(encoder.ok()) << encoder.status().message();
  EXPECT_THAT(encoder->columns(),
              ElementsAre(Field(&ColumnRequest::name, "job"), Field(&ColumnRequest::name, "zip"),
                          Field(&ColumnRequest::name, "age"), Field(&ColumnRequest::name, "age_text")));
  RowWorkspace workspace;

  const std::vector<uint32_t> order = RandomPermutation(static_cast<uint32_t>(rows.table.rows), 3, 4);
  const Batch batch = Copy(*encoded, order);
  std::vector<int32_t> ids(batch.ids.size());
  std::vector<float> numbers(batch.numbers.size());
  for (size_t i = 0; i < order.size(); ++i) {
    std::vector<Cell> texts;
    for (const auto& column : rows.texts) texts.emplace_back(column[order[i]]);
    const Status status = encoder->Encode(texts, &workspace, ids.data() + i * encoder->num_id_slots(),
                                          numbers.data() + i * encoder->number_width());
    ASSERT_TRUE(status.ok()) << status.message();
  }
  EXPECT_EQ(ids, batch.ids);
  EXPECT_TRUE(SameBits(numbers, batch.numbers));
  const Column& label = rows.table.columns[4];
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string& text = label.dictionary[label.Code(order[i])];
    EXPECT_TRUE(text.empty() ? std::isnan(batch.labels[i]) : batch.labels[i] == (text == "1" ? 1.0f : 0.0f));
    EXPECT_EQ(batch.weights[i], rows.table.columns[5].numbers[order[i]]);
  }
}

TEST(RowEncoder, EqualsEncodeWithTwoByteIds) { CheckRowEncoderEqualsEncode(RandomRows(3000, 300, 0), 2); }
TEST(RowEncoder, EqualsEncodeWithMoreThanABlockOfIds) { CheckRowEncoderEqualsEncode(RandomRows(2000, 300, 17), 2); }
TEST(RowEncoder, EqualsEncodeWithFourByteIds) { CheckRowEncoderEqualsEncode(RandomRows(90000, 70000, 9), 4); }

TEST(RowEncoder, TextThatIsNoNumber) {
  const auto schema = FitText(kConfig, Rows());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const auto encoder = RowEncoder::Create(*schema);
  ASSERT_TRUE(encoder.ok()) << encoder.status().message();
  int32_t ids[2];
  float numbers[2];
  RowWorkspace workspace;
  const std::vector<Cell> texts = {Cell("a"), Cell("old")};
  const Status status = encoder->Encode(texts, &workspace, ids, numbers);
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_EQ(status.message(),
            "column \"age\": \"old\" is no number, which feature \"age\" needs\n"
            "column \"age\": \"old\" is no number, which feature \"age_bins\" needs");
}

TEST(RowEncoder, TypedCells) {
  const auto schema = FitText(kConfig, Rows());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  const auto encoder = RowEncoder::Create(*schema);
  ASSERT_TRUE(encoder.ok()) << encoder.status().message();
  RowWorkspace workspace;
  const auto encode = [&](Cell age) {
    std::vector<float> numbers(static_cast<size_t>(encoder->number_width()));
    std::vector<int32_t> ids(static_cast<size_t>(encoder->num_id_slots()));
    const std::vector<Cell> cells = {Cell("a"), age};
    const Status status = encoder->Encode(cells, &workspace, ids.data(), numbers.data());
    EXPECT_TRUE(status.ok()) << status.message();
    return std::pair(ids, numbers);
  };
  EXPECT_EQ(encode(Cell(int64_t{35})), encode(Cell("35")));
  EXPECT_EQ(encode(Cell(35.5f)), encode(Cell("35.5")));
  EXPECT_EQ(encode(Cell(35.5)), encode(Cell("35.5")));
  EXPECT_EQ(encode(Cell(std::nanf(""))), encode(Cell("")));
  EXPECT_NE(encode(Cell(35.5)), encode(Cell(70.0)));
  int32_t ids[2];
  float numbers[2];
  const std::vector<Cell> infinite = {Cell("a"), Cell(1e300)};
  EXPECT_THAT(encoder->Encode(infinite, &workspace, ids, numbers).message(),
              HasSubstr("1e+300 is not a finite number that a float can hold, which feature \"age\" needs"));
}

TEST(RowEncoder, RefusesASchemaThatIsNotWhole) {
  auto schema = FitText(kConfig, Rows());
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  schema->mutable_features(0)->set_id_slot(5);
  EXPECT_FALSE(RowEncoder::Create(*schema).ok());
}

TEST(Encode, SameBytesForAnyNumberOfThreads) {
  const RandomRows rows(5000, 300, 3);
  const auto schema = FitText(rows.config, rows.table);
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  ThreadPool one(1), three(3);
  const auto a = Encode(*schema, rows.table, true, one), b = Encode(*schema, rows.table, true, three);
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_EQ(a->memory_bytes(), b->memory_bytes());
  EXPECT_EQ(std::memcmp(a->record(0), b->record(0), a->memory_bytes()), 0);
}

}  // namespace
}  // namespace manygate::features
