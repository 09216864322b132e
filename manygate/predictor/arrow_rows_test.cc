// SPDX-License-Identifier: Apache-2.0
#include "manygate/predictor/arrow_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "manygate/data/arrow_testing.h"
#include "manygate/predictor/model_testing.h"

namespace manygate {
namespace {

using features::Cell;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One model for all tests: job and tags are texts, age a number, counts a text.
class ArrowRowsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string features = std::string(kTestFeatures) + R"(
      feature_configs { lookup_feature { feature_name: "count" map: "counts" key: "job" default_value: "0" } })";
    model_ = new TestModel("mmoe { num_expert: 3 expert_mlp { hidden_units: 8 } TOWERS }", features);
    auto loaded = Predictor::Load(model_->dir());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    predictor_ = loaded->release();
    ASSERT_EQ(predictor_->inputs().size(), 4u);
    for (const PredictorInput& input : predictor_->inputs()) ASSERT_EQ(input.number, input.name == "age") << input.name;
  }
  static void TearDownTestSuite() {
    delete predictor_;
    delete model_;
  }

  // All outputs of a prediction, one after the other.
  struct Outputs {
    explicit Outputs(int64_t rows) {
      for (const PredictorOutput& output : predictor_->outputs())
        values.emplace_back(static_cast<size_t>(rows * output.width), -1.0f);
      for (std::vector<float>& output : values) pointers.push_back(output.data());
    }
    std::vector<std::vector<float>> values;
    std::vector<float*> pointers;
  };

  static std::vector<std::vector<float>> OfCells(const std::vector<Cell>& cells) {
    const auto rows = static_cast<int64_t>(cells.size() / predictor_->inputs().size());
    Outputs outputs(rows);
    const Status status = predictor_->Predict(cells, rows, outputs.pointers);
    EXPECT_TRUE(status.ok()) << status.message();
    return outputs.values;
  }
  static std::vector<std::vector<float>> OfBatch(const ArrowMade& batch, int threads = 1, std::string* error = nullptr,
                                                 int64_t first_row = 0) {
    Outputs outputs(batch.array.length);
    const auto rows = ArrowRows::Make(*predictor_, batch.schema);
    if (!rows.ok()) {
      EXPECT_NE(error, nullptr) << rows.status().message();
      if (error != nullptr) *error = rows.status().message();
      return {};
    }
    ThreadPool pool(threads);
    const Status status = rows->Predict(batch.array, first_row, pool, outputs.pointers);
    EXPECT_EQ(status.ok(), error == nullptr) << status.message();
    if (!status.ok() && error != nullptr) *error = status.message();
    return outputs.values;
  }
  // Cells in the order of the inputs, made by name.
  template <typename CellOf>
  static std::vector<Cell> Cells(int64_t rows, const CellOf& cell_of) {
    std::vector<Cell> cells;
    for (int64_t row = 0; row < rows; ++row)
      for (const PredictorInput& input : predictor_->inputs()) cells.push_back(cell_of(input.name, row));
    return cells;
  }
  // A batch of one made column; the others are null.
  static std::vector<std::vector<float>> OfColumn(const char* name, ArrowMade& column, int64_t rows, int64_t slice,
                                                  std::string* error = nullptr) {
    ArrowMade batch("+s", rows, slice);
    std::vector<std::unique_ptr<ArrowMade>> others;
    for (const PredictorInput& input : predictor_->inputs()) {
      if (input.name == name) continue;
      ArrowMade& other = *others.emplace_back(std::make_unique<ArrowMade>("n", rows + slice));
      other.array.n_buffers = 0;
      batch.Child(other.Name(input.name.c_str()));
    }
    return OfBatch(batch.Child(column.Name(name)), 1, error);
  }
  // The same rows from a column of Arrow and from cells.
  static void ExpectEqual(const char* name, ArrowMade& column, const std::vector<Cell>& expected, int64_t slice = 0) {
    const auto rows = static_cast<int64_t>(expected.size());
    const auto cells = Cells(rows, [&](const std::string& input, int64_t row) {
      return input == name ? expected[static_cast<size_t>(row)] : Cell();
    });
    EXPECT_EQ(OfColumn(name, column, rows, slice), OfCells(cells))
        << name << " " << column.schema.format << " offset " << column.array.offset << " slice " << slice;
  }

  static TestModel* model_;
  static Predictor* predictor_;
};

TestModel* ArrowRowsTest::model_ = nullptr;
Predictor* ArrowRowsTest::predictor_ = nullptr;

std::vector<std::string> Behind(int64_t offset, const std::vector<std::string>& texts) {
  std::vector<std::string> all(static_cast<size_t>(offset), "c");
  all.insert(all.end(), texts.begin(), texts.end());
  return all;
}

// Trimmed, missing, unknown, long.
const std::vector<std::string> kJobs = {"a", " b", "", "?", "c\t", "no job of the training rows"};
const std::vector<Cell> kJobCells = {Cell("a"), Cell("b"), Cell(), Cell(), Cell("c"), Cell(kJobs[5])};

TEST_F(ArrowRowsTest, TextsOfEveryLayout) {
  const auto different = OfCells(Cells(2, [](const std::string& input, int64_t row) {
    return input == "job" ? kJobCells[static_cast<size_t>(row)] : Cell();
  }));
  ASSERT_NE(different[0][0], different[0][1]);  // the text does make a difference
  for (const int64_t offset : {0, 3}) {
    for (const int64_t slice : {0, 2}) {
      for (const char* format : {"u", "z", "U", "Z", "vu", "vz"}) {
        ArrowMade column(format, 6 + slice, offset);
        const std::vector<std::string> texts = Behind(offset + slice, kJobs);
        if (format[0] == 'v') column.Views(texts);
        if (format[0] == 'u' || format[0] == 'z') column.Texts<int32_t>(texts);
        if (format[0] == 'U' || format[0] == 'Z') column.Texts<int64_t>(texts);
        ExpectEqual("job", column, kJobCells, slice);
        column.Valid(std::string(static_cast<size_t>(offset + slice), '1') + "101101");
        ExpectEqual("job", column, {Cell("a"), Cell(), Cell(), Cell(), Cell(), Cell(kJobs[5])}, slice);
      }
    }
  }
}

template <typename Code>
void ExpectCodes(const char* format, const std::function<void(ArrowMade&, int64_t)>& expect) {
  for (const int64_t offset : {0, 3}) {
    for (const int64_t slice : {0, 2}) {
      ArrowMade values("u", 6, /*offset=*/1);
      values.Texts<int32_t>({"in front", "unused", "b ", "null", "?", "a", "c"}).Valid("1110111");
      ArrowMade column(format, 6 + slice, offset);
      std::vector<Code> codes(static_cast<size_t>(offset + slice), 0);
      codes.insert(codes.end(), {4, 1, 2, 3, 5, 5});
      column.Values(codes).Dictionary(values);
      column.Valid(std::string(static_cast<size_t>(offset + slice), '1') + "111110");
      expect(column, slice);
    }
  }
}

TEST_F(ArrowRowsTest, DictionariesOfEveryWidth) {
  const auto expect = [](ArrowMade& column, int64_t slice) {
    ExpectEqual("job", column, {Cell("a"), Cell("b"), Cell(), Cell(), Cell("c"), Cell()}, slice);
  };
  ExpectCodes<int8_t>("c", expect);
  ExpectCodes<uint8_t>("C", expect);
  ExpectCodes<int16_t>("s", expect);
  ExpectCodes<uint16_t>("S", expect);
  ExpectCodes<int32_t>("i", expect);
  ExpectCodes<uint32_t>("I", expect);
  ExpectCodes<int64_t>("l", expect);
  ExpectCodes<uint64_t>("L", expect);
}

TEST_F(ArrowRowsTest, DictionariesOfNumbersAndDates) {
  ArrowMade values("g", 3);
  values.Values<double>({17.5, kNaN, 40});
  ArrowMade column("c", 4);
  ExpectEqual("age", column.Values<int8_t>({2, 0, 1, 2}).Dictionary(values),
              {Cell("40"), Cell("17.5"), Cell(), Cell("40")});
  ArrowMade days("tdD", 2), dates("S", 2);
  ExpectEqual("job", dates.Values<uint16_t>({1, 0}).Dictionary(days.Values<int32_t>({0, 19753})),
              {Cell("2024-01-31"), Cell("1970-01-01")});
}

template <typename T>
std::vector<T> Of(std::initializer_list<int> values) {
  return {values.begin(), values.end()};
}

TEST_F(ArrowRowsTest, NumbersOfEveryTypeAsNumberAndAsText) {
  const auto expect = [](const char* format, const auto& numbers) {
    // Behind one value in front; the third is null.
    for (const char* name : {"age", "tags"}) {
      ArrowMade column(format, 4, /*offset=*/1);
      ExpectEqual(name, column.Values(numbers).Valid("11101"), {Cell("17"), Cell("30"), Cell(), Cell("101")});
    }
  };
  expect("c", Of<int8_t>({9, 17, 30, 9, 101}));
  expect("C", Of<uint8_t>({9, 17, 30, 9, 101}));
  expect("s", Of<int16_t>({9, 17, 30, 9, 101}));
  expect("S", Of<uint16_t>({9, 17, 30, 9, 101}));
  expect("i", Of<int32_t>({9, 17, 30, 9, 101}));
  expect("I", Of<uint32_t>({9, 17, 30, 9, 101}));
  expect("l", Of<int64_t>({9, 17, 30, 9, 101}));
  expect("L", Of<uint64_t>({9, 17, 30, 9, 101}));
  expect("f", Of<float>({9, 17, 30, 9, 101}));
  expect("g", Of<double>({9, 17, 30, 9, 101}));
}

TEST_F(ArrowRowsTest, ValuesAtTheEdgesOfTheirTypes) {
  const auto huge = std::numeric_limits<uint64_t>::max();
  ArrowMade above("L", 2), also("L", 2);
  ExpectEqual("age", above.Values<uint64_t>({huge, 3}), {Cell("18446744073709551615"), Cell("3")});
  ExpectEqual("job", also.Values<uint64_t>({huge, 3}), {Cell("18446744073709551615"), Cell("3")});
  ArrowMade low("l", 1);
  ExpectEqual("job", low.Values<int64_t>({std::numeric_limits<int64_t>::min()}), {Cell("-9223372036854775808")});
  // -1 is a missing value of this model, whatever its type; NaN always is.
  ArrowMade minus("i", 2), doubles("g", 4), floats("f", 3);
  ExpectEqual("age", minus.Values<int32_t>({-1, 2}), {Cell(), Cell("2")});
  ExpectEqual("age", doubles.Values<double>({-1, 0.1, kNaN, 1e-310}), {Cell(), Cell("0.1"), Cell(), Cell("0")});
  ExpectEqual("job", floats.Values<float>({0.1f, 3, -1}), {Cell("0.1"), Cell("3"), Cell()});
  ArrowMade bools("b", 3), flags("b", 3), halves("e", 2);
  ExpectEqual("age", bools.BoolValues("101").Valid("110"), {Cell("1"), Cell("0"), Cell()});
  ExpectEqual("job", flags.BoolValues("101").Valid("110"), {Cell("1"), Cell("0"), Cell()});
  ExpectEqual("age", halves.Values<uint16_t>({0x3C00, 0x4A00}), {Cell("1"), Cell("12")});
  ArrowMade number_texts("u", 4);
  ExpectEqual("age", number_texts.Texts<int32_t>({" 17", "?", "", "2.5e1\t"}),
              {Cell("17"), Cell(), Cell(), Cell("25")});
}

TEST_F(ArrowRowsTest, ValuesThatAreWrittenAsTexts) {
  ArrowMade texts("u", 5), lists("+l", 3, /*offset=*/1);
  texts.Texts<int32_t>({"x", "a:1", "b:2", "", "a:7"}).Valid("11101");
  lists.Values<int32_t>({0, 1, 3, 4, 5}).Valid("1111").Child(texts);
  ExpectEqual("counts", lists,
              {Cell("a:1\x1d"
                    "b:2"),
               Cell(), Cell("a:7")});
  ArrowMade decimals("d:5,1", 2), days("tdD", 3), times("tss:", 1);
  ExpectEqual("age", decimals.Values<__int128>({175, 400}), {Cell("17.5"), Cell("40.0")});
  ExpectEqual("job", days.Values<int32_t>({0, 19753, 1}).Valid("110"),
              {Cell("1970-01-01"), Cell("2024-01-31"), Cell()});
  ExpectEqual("job", times.Values<int64_t>({-1}), {Cell("1969-12-31 23:59:59")});
}

// Many rows of TestRow, in several slices: whatever the threads, the bits of the same rows as texts.
TEST_F(ArrowRowsTest, SlicesByAnyNumberOfThreads) {
  constexpr int64_t kRows = 5000, kFront = 7;
  std::vector<std::string> jobs, ages, tags, counts, unused;
  std::vector<double> numbers;
  for (int64_t row = 0; row < kFront + kRows; ++row) {
    const std::vector<std::string> texts = TestRow(row);
    jobs.push_back(texts[0]);
    numbers.push_back(texts[1].empty() ? kNaN : std::stod(texts[1]));
    tags.push_back(texts[2]);
    counts.push_back(texts[3]);
  }
  ArrowMade job("u", kFront + kRows), age("g", kRows + kFront), tag("U", kFront + kRows), count("vu", kFront + kRows);
  ArrowMade other("u", kFront + kRows), batch("+s", kRows, kFront);
  batch.Child(other.Name("a column that no one reads").Texts<int32_t>(jobs));
  batch.Child(count.Name("counts").Views(counts)).Child(tag.Name("tags").Texts<int64_t>(tags));
  batch.Child(age.Name("age").Values(numbers)).Child(job.Name("job").Texts<int32_t>(jobs));
  std::vector<std::vector<std::string>> rows;
  for (int64_t row = 0; row < kRows; ++row) rows.push_back(TestRow(kFront + row));
  const auto expected = OfCells(Cells(kRows, [&](const std::string& input, int64_t row) {
    const size_t column =
        static_cast<size_t>(std::find(kTestColumns.begin(), kTestColumns.end(), input) - kTestColumns.begin());
    return Cell(rows[static_cast<size_t>(row)][column]);
  }));
  for (const int threads : {1, 2, 5}) EXPECT_EQ(OfBatch(batch, threads), expected) << threads;
}

TEST_F(ArrowRowsTest, OutputsThatNobodyWantsAreNull) {
  ArrowMade batch("+s", 2), job("u", 2), age("l", 2), tags("n", 2), counts("n", 2);
  tags.array.n_buffers = counts.array.n_buffers = 0;
  batch.Child(job.Name("job").Texts<int32_t>({"a", "b"})).Child(age.Name("age").Values<int64_t>({17, 30}));
  batch.Child(tags.Name("tags")).Child(counts.Name("counts"));
  const auto all = OfBatch(batch);
  Outputs outputs(2);
  for (size_t i = 1; i < outputs.pointers.size(); ++i) outputs.pointers[i] = nullptr;
  const auto rows = ArrowRows::Make(*predictor_, batch.schema);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ThreadPool pool(1);
  ASSERT_TRUE(rows->Predict(batch.array, 0, pool, outputs.pointers).ok());
  EXPECT_EQ(outputs.values[0], all[0]);
  EXPECT_EQ(outputs.values[1][0], -1.0f);
  batch.array.length = 0;
  EXPECT_TRUE(rows->Predict(batch.array, 0, pool, outputs.pointers).ok());
}

TEST_F(ArrowRowsTest, TheFirstWrongRowsAreNamedByTheirPlaceAmongAll) {
  constexpr int64_t kRows = 4000;
  std::vector<std::string> ages(kRows, "17");
  for (const size_t row : {1500, 3000, 1501, 20}) ages[row] = "old";
  ArrowMade age("u", kRows), job("n", kRows), tags("n", kRows), counts("n", kRows), batch("+s", kRows);
  for (ArrowMade* empty : {&job, &tags, &counts}) empty->array.n_buffers = 0;
  batch.Child(age.Name("age").Texts<int32_t>(ages)).Child(job.Name("job")).Child(tags.Name("tags"));
  batch.Child(counts.Name("counts"));
  std::string error;
  OfBatch(batch, 2, &error, /*first_row=*/100000);
  EXPECT_THAT(error, AllOf(StartsWith("row 100020: column \"age\": \"old\" is no number, which feature \"age\" needs"),
                           HasSubstr("\nrow 101500: "), HasSubstr("\nrow 101501: "), HasSubstr("\nrow 103000: ")));
  std::fill(ages.begin() + 1020, ages.end(), "old");
  ArrowMade many("u", kRows), again("+s", kRows);
  again.Child(many.Name("age").Texts<int32_t>(ages)).Child(job).Child(tags).Child(counts);
  OfBatch(again, 2, &error);
  EXPECT_THAT(error, AllOf(StartsWith("row 20: "), HasSubstr("\nrow 1020: "), HasSubstr("\nrow 1028: "),
                           testing::Not(HasSubstr("row 1029: "))));
  ArrowMade infinite("g", 1);
  OfColumn("age", infinite.Values<double>({1e300}), 1, 0, &error);
  EXPECT_EQ(error.substr(0, error.find(',')),
            "row 0: column \"age\": 1e+300 is not a finite number that a float can hold");
}

TEST_F(ArrowRowsTest, ColumnsAreCheckedTogether) {
  ArrowMade batch("+s", 1), jobs("u", 1), day("tdD", 1), tags("u", 1), again("u", 1), odd("+s", 1);
  batch.Child(jobs.Name("jobs")).Child(day.Name("age")).Child(tags.Name("tags")).Child(again.Name("tags"));
  batch.Child(odd.Name("counts").Child(day));
  const Status status = ArrowRows::Make(*predictor_, batch.schema).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("column \"job\" is not there, which the model needs. Did you mean \"jobs\"?"),
                    HasSubstr("column \"age\" holds values of type date, expected numbers"),
                    HasSubstr("column \"tags\" is there twice"),
                    HasSubstr("column \"counts\" holds values of type struct, which cannot be read")));
  EXPECT_THAT(ArrowRows::Make(*predictor_, jobs.schema).status().message(),
              StartsWith("found text, expected rows (Arrow type struct)"));
}

TEST_F(ArrowRowsTest, DamagedBatchesAreRefused) {
  std::string error;
  ArrowMade text("u", 2);
  OfColumn("job", text.Values<int32_t>({0, 3, 1}).AddBuffer("abc", 3), 2, 0, &error);
  EXPECT_EQ(error, "column \"job\": a batch of rows is damaged");
  ArrowMade short_column("l", 1);
  OfColumn("age", short_column.Values<int64_t>({1}), 2, 0, &error);
  EXPECT_EQ(error, "column \"age\": a batch of rows is damaged");
  ArrowMade values("u", 1), beyond("c", 1);
  OfColumn("job", beyond.Values<int8_t>({1}).Dictionary(values.Texts<int32_t>({"a"})), 1, 0, &error);
  EXPECT_EQ(error, "column \"job\": a batch of rows is damaged");
}

}  // namespace
}  // namespace manygate
