// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/arrow_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "manygate/data/arrow_testing.h"

namespace manygate {
namespace {

using Made = ArrowMade;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Filled {
  std::vector<std::string> texts;
  std::vector<float> numbers;
  std::vector<std::string> dictionary;
  std::string problems;
};

Filled Fill(Made& column, ColumnKind kind, const std::vector<std::string>& missing_values = {}, int64_t slice = 0) {
  Made batch("+s", column.array.length - slice, slice);
  batch.Child(column);
  const std::vector<ColumnRequest> requests = {{"x", kind}};
  const StatusOr<ArrowBlockMaker> maker =
      ArrowBlockMaker::Make(batch.schema, requests, missing_values, /*trim_blanks=*/false);
  Filled filled;
  if (!maker.ok()) {
    filled.problems = maker.status().message();
    return filled;
  }
  RowBlock block;
  std::vector<ArrowBlockProblem> problems;
  const Status status = maker->Fill(batch.array, &block, &problems);
  if (!status.ok()) {
    filled.problems = status.message();
    return filled;
  }
  for (const ArrowBlockProblem& problem : problems)
    filled.problems += std::to_string(problem.problem.row) + ": " + problem.problem.text + "\n";
  const RowBlock::Column& made = block.columns[0];
  for (int64_t row = 0; row < block.rows; ++row) {
    if (kind == ColumnKind::kNumber) {
      filled.numbers.push_back(made.numbers[static_cast<size_t>(row)]);
    } else {
      filled.texts.emplace_back(made.dictionary.text(made.codes[static_cast<size_t>(row)]));
    }
  }
  for (uint32_t code = 1; kind == ColumnKind::kCategory && code < made.dictionary.size(); ++code)
    filled.dictionary.emplace_back(made.dictionary.text(code));
  return filled;
}

std::vector<std::string> TextsOf(Made& column) {
  const Filled filled = Fill(column, ColumnKind::kCategory);
  EXPECT_EQ(filled.problems, "");
  return filled.texts;
}

std::vector<float> NumbersOf(Made& column, const std::vector<std::string>& missing_values = {}) {
  const Filled filled = Fill(column, ColumnKind::kNumber, missing_values);
  EXPECT_EQ(filled.problems, "");
  return filled.numbers;
}

TEST(ArrowBlock, TextsOfEveryLayoutGiveEqualBlocks) {
  const std::vector<std::string> values = {"b", "a", "", "b", "a text of more than twelve bytes", "a"};
  for (const char* format : {"u", "z"}) {
    Made column(format, 6);
    EXPECT_EQ(TextsOf(column.Texts<int32_t>(values).Valid("111101")),
              std::vector<std::string>({"b", "a", "", "b", "", "a"}));
    EXPECT_THAT(Fill(column, ColumnKind::kCategory).dictionary, ElementsAre("b", "a"));
  }
  Made large("U", 6);
  EXPECT_EQ(TextsOf(large.Texts<int64_t>(values)), values);
  EXPECT_THAT(Fill(large, ColumnKind::kCategory).dictionary, ElementsAre("b", "a", values[4]));

  Made views("vu", 6);
  EXPECT_EQ(TextsOf(views.Views(values)), values);
  Made broken("vu", 6);
  broken.Views(values, /*buffer=*/1);  // which is not there
  EXPECT_THAT(Fill(broken, ColumnKind::kCategory).problems, HasSubstr("column \"x\": a batch of rows is damaged"));
}

template <typename Code>
void ExpectDictionary(const char* format) {
  Made values("u", 4);
  values.Texts<int32_t>({"unused", "one", "two", "one"});
  Made column(format, 5);
  column.Values<Code>({2, 1, 0, 3, 2}).Valid("11011").Dictionary(values);
  const Filled filled = Fill(column, ColumnKind::kCategory);
  EXPECT_THAT(filled.texts, ElementsAre("two", "one", "", "one", "two")) << format;
  EXPECT_THAT(filled.dictionary, ElementsAre("two", "one")) << format;  // by first appearance, no text twice
}

TEST(ArrowBlock, DictionariesOfEveryWidth) {
  ExpectDictionary<int8_t>("c");
  ExpectDictionary<uint8_t>("C");
  ExpectDictionary<int16_t>("s");
  ExpectDictionary<uint16_t>("S");
  ExpectDictionary<int32_t>("i");
  ExpectDictionary<uint32_t>("I");
  ExpectDictionary<int64_t>("l");
  ExpectDictionary<uint64_t>("L");
}

TEST(ArrowBlock, DictionariesOfNumbers) {
  Made values("u", 3);
  values.Texts<int32_t>({"much", " 2.5", "?"});
  Made column("c", 4);
  column.Values<int8_t>({1, 2, 1, 1}).Valid("1101").Dictionary(values);
  EXPECT_THAT(NumbersOf(column, {"?"}),
              ElementsAre(2.5f, testing::IsNan(), testing::IsNan(), 2.5f));  // nobody has "much"
  Made used("c", 3);
  used.Values<int8_t>({1, 0, 0}).Dictionary(values);
  EXPECT_THAT(Fill(used, ColumnKind::kNumber).problems,
              testing::AllOf(testing::StartsWith("1: found \"much\", expected a number"), HasSubstr("\n2: found")));
  Made beyond("c", 2);
  beyond.Values<int8_t>({1, 3}).Dictionary(values);
  EXPECT_THAT(Fill(beyond, ColumnKind::kCategory).problems, HasSubstr("damaged"));
  Made negative("c", 1);
  negative.Values<int8_t>({-1}).Dictionary(values);
  EXPECT_THAT(Fill(negative, ColumnKind::kNumber).problems, HasSubstr("damaged"));
}

template <typename T>
void ExpectInteger(const char* format) {
  Made column(format, 3, /*offset=*/1);
  column.Values<T>({99, 0, std::numeric_limits<T>::max(), std::numeric_limits<T>::min()});
  const std::string most = std::to_string(std::numeric_limits<T>::max());
  EXPECT_THAT(TextsOf(column), ElementsAre("0", most, std::to_string(std::numeric_limits<T>::min()))) << format;
  EXPECT_EQ(NumbersOf(column)[1], static_cast<float>(std::numeric_limits<T>::max())) << format;
}

TEST(ArrowBlock, IntegersOfEveryWidth) {
  ExpectInteger<int8_t>("c");
  ExpectInteger<uint8_t>("C");
  ExpectInteger<int16_t>("s");
  ExpectInteger<uint16_t>("S");
  ExpectInteger<int32_t>("i");
  ExpectInteger<uint32_t>("I");
  ExpectInteger<int64_t>("l");
  ExpectInteger<uint64_t>("L");
}

TEST(ArrowBlock, FloatsAndBooleans) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Made doubles("g", 5);
  doubles.Values<double>({0.1, 3, nan, -1, 1e-40});
  EXPECT_THAT(TextsOf(doubles), ElementsAre("0.1", "3", "", "-1", "1e-40"));
  EXPECT_THAT(NumbersOf(doubles, {"-1", "?"}), ElementsAre(0.1f, 3.0f, testing::IsNan(), testing::IsNan(), 0.0f));
  Made floats("f", 2);
  floats.Values<float>({0.1f, 16777216.0f});
  EXPECT_THAT(TextsOf(floats), ElementsAre("0.1", "16777216"));
  Made halves("e", 5);
  halves.Values<uint16_t>({0x3C00, 0xC100, 0x0001, 0x7BFF, 0x7E00});
  EXPECT_THAT(NumbersOf(halves), ElementsAre(1.0f, -2.5f, std::ldexp(1.0f, -24), 65504.0f, testing::IsNan()));
  Made bools("b", 3, /*offset=*/7);
  bools.BoolValues("1111111010").Valid("0000000110");
  EXPECT_THAT(TextsOf(bools), ElementsAre("0", "1", ""));
  EXPECT_THAT(NumbersOf(bools), ElementsAre(0.0f, 1.0f, testing::IsNan()));
  Made infinite("g", 2);
  infinite.Values<double>({1e300, -std::numeric_limits<double>::infinity()});
  EXPECT_THAT(Fill(infinite, ColumnKind::kNumber).problems,
              testing::AllOf(HasSubstr("0: found \"1e+300\", which is beyond the largest number"),
                             HasSubstr("1: found -inf, expected a finite number")));
}

TEST(ArrowBlock, Decimals) {
  Made small("d:5,2,32", 4);
  small.Values<int32_t>({12345, 5, -5, 0});
  EXPECT_THAT(TextsOf(small), ElementsAre("123.45", "0.05", "-0.05", "0.00"));
  EXPECT_THAT(NumbersOf(small), ElementsAre(123.45f, 0.05f, -0.05f, 0.0f));
  Made wide("d:38,0", 2);
  wide.Values<__int128>({__int128{1'000'000'000'000'000'000} * 1'000'000'000'000'000'000, -7});
  EXPECT_THAT(TextsOf(wide), ElementsAre("1" + std::string(36, '0'), "-7"));
  Made scaled("d:5,-2", 1);
  EXPECT_THAT(TextsOf(scaled.Values<__int128>({5})), ElementsAre("500"));
  Made too_wide("d:76,2,256", 1);
  EXPECT_THAT(Fill(too_wide, ColumnKind::kCategory).problems,
              HasSubstr("column \"x\" holds values of type decimal256(76, 2), which cannot be read"));
}

TEST(ArrowBlock, DatesAndTimes) {
  Made days("tdD", 4);
  days.Values<int32_t>({0, 19753, -1, 2932897});
  EXPECT_THAT(TextsOf(days), ElementsAre("1970-01-01", "2024-01-31", "1969-12-31", "2932897"));
  Made milliseconds("tdm", 2);
  milliseconds.Values<int64_t>({19753 * int64_t{86400000}, -1});
  EXPECT_THAT(TextsOf(milliseconds), ElementsAre("2024-01-31", "1969-12-31"));
  const int64_t noon = 19753 * int64_t{86400} + 12 * 3600 + 33 * 60;
  Made seconds("tss:", 2);
  seconds.Values<int64_t>({noon, -1});
  EXPECT_THAT(TextsOf(seconds), ElementsAre("2024-01-31 12:33:00", "1969-12-31 23:59:59"));
  Made micros("tsu:Europe/Berlin", 2);
  micros.Values<int64_t>({noon * 1000000 + 250, -1});
  EXPECT_THAT(TextsOf(micros), ElementsAre("2024-01-31 12:33:00.00025", "1969-12-31 23:59:59.999999"));
  Made nanos("tsn:", 1);
  EXPECT_THAT(TextsOf(nanos.Values<int64_t>({noon * 1000000000})), ElementsAre("2024-01-31 12:33:00"));
  EXPECT_THAT(Fill(seconds, ColumnKind::kNumber).problems,
              HasSubstr("column \"x\" holds values of type timestamp, expected numbers"));
}

TEST(ArrowBlock, Lists) {
  Made texts("u", 5);
  texts.Texts<int32_t>({"a", "b", "", "c", "d"}).Valid("11011");
  Made lists("+l", 4);
  lists.Values<int32_t>({0, 2, 2, 4, 5}).Valid("1110").Child(texts);
  EXPECT_THAT(TextsOf(lists), ElementsAre("a\x1d"
                                          "b",
                                          "", "c", ""));
  Made numbers("l", 6);
  numbers.Values<int64_t>({1, 2, 3, 4, 5, 6});
  Made fixed("+w:2", 2, /*offset=*/1);
  fixed.Child(numbers);
  EXPECT_THAT(TextsOf(fixed), ElementsAre("3\x1d"
                                          "4",
                                          "5\x1d"
                                          "6"));
  Made large("+L", 1);
  large.Values<int64_t>({4, 6}).Child(numbers);
  EXPECT_THAT(TextsOf(large), ElementsAre("5\x1d"
                                          "6"));
  EXPECT_THAT(Fill(large, ColumnKind::kNumber).problems,
              HasSubstr("holds values of type list of int64, expected one number in each row"));
  Made too_long("+L", 1);
  too_long.Values<int64_t>({4, 7}).Child(numbers);
  EXPECT_THAT(Fill(too_long, ColumnKind::kCategory).problems, HasSubstr("damaged"));
}

TEST(ArrowBlock, SlicesOfBatchesCountInEveryColumn) {
  Made column("i", 4, /*offset=*/1);
  column.Values<int32_t>({9, 10, 11, 12, 13}).Valid("11101");
  EXPECT_THAT(Fill(column, ColumnKind::kCategory, {}, /*slice=*/1).texts, ElementsAre("11", "", "13"));
  EXPECT_THAT(Fill(column, ColumnKind::kNumber, {}, 1).numbers, ElementsAre(11.0f, testing::IsNan(), 13.0f));
}

TEST(ArrowBlock, NullColumnsAndEmptyBatches) {
  Made null("n", 2);
  null.array.n_buffers = 0;
  EXPECT_THAT(TextsOf(null), ElementsAre("", ""));
  EXPECT_THAT(NumbersOf(null), ElementsAre(testing::IsNan(), testing::IsNan()));
  Made empty("u", 0);
  empty.AddBuffer(nullptr, 0).AddBuffer(nullptr, 0);
  EXPECT_THAT(TextsOf(empty), ElementsAre());
  Made values("u", 0), coded("c", 0);
  coded.AddBuffer(nullptr, 0).Dictionary(values);
  EXPECT_THAT(TextsOf(coded), ElementsAre());
  coded.array.dictionary = nullptr;
  EXPECT_THAT(Fill(coded, ColumnKind::kCategory).problems, HasSubstr("damaged"));
}

TEST(ArrowBlock, WhatCannotBeRead) {
  const auto refusal = [](const char* format, Made* child = nullptr) {
    Made column(format, 1);
    if (child != nullptr) column.Child(*child);
    return Fill(column, ColumnKind::kCategory).problems;
  };
  Made number("l", 1), inner("+l", 1);
  inner.Child(number);
  EXPECT_THAT(refusal("+s", &number), HasSubstr("values of type struct, which cannot be read"));
  EXPECT_THAT(refusal("+m", &number), HasSubstr("values of type map"));
  EXPECT_THAT(refusal("+l", &inner), HasSubstr("values of type list of list of int64"));
  EXPECT_THAT(refusal("ttu"), HasSubstr("values of type time of day"));
  EXPECT_THAT(refusal("w:16"), HasSubstr("values of type bytes of fixed size"));
  EXPECT_THAT(refusal("?"), HasSubstr("values of type Arrow format \"?\""));
  Made texts("u", 2);
  texts.Texts<int32_t>({"fine", "caf\xE9"});
  EXPECT_THAT(Fill(texts, ColumnKind::kCategory).problems, testing::StartsWith("1: the value is not UTF-8 text"));
}

TEST(ArrowBlock, RequestsAreCheckedTogether) {
  Made batch("+s", 0), age("l", 0), day("tdD", 0), twice("l", 0), again("l", 0);
  batch.Child(age.Name("age")).Child(day.Name("day")).Child(twice.Name("n")).Child(again.Name("n"));
  const std::vector<ColumnRequest> requests = {
      {"agee", ColumnKind::kNumber}, {"day", ColumnKind::kNumber}, {"n", ColumnKind::kNumber}};
  const Status status = ArrowBlockMaker::Make(batch.schema, requests, {}, false).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), testing::AllOf(HasSubstr("column \"agee\" is not there. Did you mean \"age\"?"),
                                               HasSubstr("\ncolumn \"day\" holds values of type date"),
                                               HasSubstr("\ncolumn \"n\" is there twice")));
}

}  // namespace
}  // namespace manygate
