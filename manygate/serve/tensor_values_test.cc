// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/tensor_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using features::Cell;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
std::string Raw(std::initializer_list<T> values) {
  std::string raw;
  for (const T value : values) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    raw.append(bytes, sizeof(T));
  }
  return raw;
}

std::string RawTexts(std::initializer_list<std::string_view> texts) {
  std::string raw;
  for (const std::string_view text : texts) raw += Raw({static_cast<uint32_t>(text.size())}) + std::string(text);
  return raw;
}

// Inputs in the order of the features of catalog/catalog_testing.h.
class TensorValuesTest : public testing::Test {
 protected:
  TensorValuesTest() : version_(MakeTestVersion()) {
    job_.Start(version_, {}, {});
    inputs_.Start(*version_, 100);
  }

  // The texts of a column's cells behind ReadTensor, as a text feature sees them.
  std::vector<std::string> Texts(Datatype datatype, int64_t rows, int64_t width, std::string_view raw) {
    const TensorPlace place{.name = "age", .column = 1, .datatype = datatype, .rows = rows, .width = width};
    const auto cells = job_.cells(rows);
    const Outcome outcome = ReadTensor(place, raw, &job_);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    std::vector<std::string> texts;
    std::string buffer;
    const size_t stride = cells.size() / static_cast<size_t>(rows);
    for (int64_t row = 0; row < rows; ++row) texts.emplace_back(cells[row * stride + 1].AsText(&buffer));
    return texts;
  }

  Outcome Add(std::string_view name, std::string_view datatype, std::vector<int64_t> shape) {
    return inputs_.Add(name, datatype, shape, &place_);
  }

  std::shared_ptr<const ServedVersion> version_;
  Job job_;
  InputTensors inputs_;
  TensorPlace place_;
};

TEST_F(TensorValuesTest, DatatypesByName) {
  for (const char* name : {"BYTES", "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
                           "FP16", "BF16", "FP32", "FP64"}) {
    Datatype datatype = Datatype::kBytes;
    ASSERT_TRUE(ParseDatatype(name, &datatype)) << name;
    EXPECT_EQ(DatatypeName(datatype), name);
  }
  Datatype datatype = Datatype::kFp32;
  EXPECT_FALSE(ParseDatatype("fp32", &datatype));
  EXPECT_FALSE(ParseDatatype("", &datatype));
  EXPECT_EQ(ValueBytes(Datatype::kBytes), 0u);
  EXPECT_EQ(ValueBytes(Datatype::kBf16), 2u);
  EXPECT_EQ(ValueBytes(Datatype::kUint64), 8u);
}

TEST_F(TensorValuesTest, NumbersOfEveryDatatype) {
  EXPECT_THAT(Texts(Datatype::kInt8, 2, 1, Raw<int8_t>({-128, 127})), ElementsAre("-128", "127"));
  EXPECT_THAT(Texts(Datatype::kInt16, 1, 1, Raw<int16_t>({-300})), ElementsAre("-300"));
  EXPECT_THAT(Texts(Datatype::kInt32, 1, 1, Raw<int32_t>({-70000})), ElementsAre("-70000"));
  EXPECT_THAT(Texts(Datatype::kInt64, 1, 1, Raw<int64_t>({std::numeric_limits<int64_t>::min()})),
              ElementsAre("-9223372036854775808"));
  EXPECT_THAT(Texts(Datatype::kUint8, 1, 1, Raw<uint8_t>({255})), ElementsAre("255"));
  EXPECT_THAT(Texts(Datatype::kUint16, 1, 1, Raw<uint16_t>({65535})), ElementsAre("65535"));
  EXPECT_THAT(Texts(Datatype::kUint32, 1, 1, Raw<uint32_t>({4294967295u})), ElementsAre("4294967295"));
  EXPECT_THAT(Texts(Datatype::kUint64, 2, 1, Raw<uint64_t>({7, std::numeric_limits<uint64_t>::max()})),
              ElementsAre("7", "18446744073709551615"));
  EXPECT_THAT(Texts(Datatype::kBool, 3, 1, Raw<uint8_t>({0, 1, 2})), ElementsAre("0", "1", "1"));
  EXPECT_THAT(Texts(Datatype::kFp32, 2, 1, Raw<float>({0.1f, std::nanf("")})), ElementsAre("0.1", ""));
  EXPECT_THAT(Texts(Datatype::kFp64, 1, 1, Raw<double>({0.1})), ElementsAre("0.1"));
  // 1.5; the smallest subnormal number, 2^-24; -65504; the NaN.
  EXPECT_THAT(Texts(Datatype::kFp16, 4, 1, Raw<uint16_t>({0x3e00, 0x0001, 0xfbff, 0x7e00})),
              ElementsAre("1.5", "5.9604645e-08", "-65504", ""));
  EXPECT_THAT(Texts(Datatype::kBf16, 2, 1, Raw<uint16_t>({0x3fc0, 0xc000})), ElementsAre("1.5", "-2"));
}

TEST_F(TensorValuesTest, InfiniteHalvesAreInfinite) {
  const auto cells = job_.cells(2);
  const std::string raw = Raw<uint16_t>({0x7c00, 0xfc00});
  ASSERT_TRUE(ReadTensor({.name = "age", .datatype = Datatype::kFp16, .rows = 2}, raw, &job_).ok());
  float number = 0;
  std::string problem;
  EXPECT_FALSE(cells[0].AsNumber(&number, &problem));
  EXPECT_THAT(problem, HasSubstr("inf is not a finite number"));
  EXPECT_FALSE(cells[cells.size() / 2].AsNumber(&number, &problem));
  EXPECT_THAT(problem, HasSubstr("-inf is not a finite number"));
}

TEST_F(TensorValuesTest, TextsAndSeveralValuesInOne) {
  EXPECT_THAT(Texts(Datatype::kBytes, 3, 1, RawTexts({"a", "", "Married\0x"})), ElementsAre("a", "", "Married"));
  EXPECT_THAT(Texts(Datatype::kBytes, 1, 1, RawTexts({{"a\0b", 3}})), ElementsAre(std::string("a\0b", 3)));
  EXPECT_THAT(Texts(Datatype::kBytes, 2, 3, RawTexts({"a", "b", "c", "d", "", "f"})), ElementsAre("a\x1d"
                                                                                                  "b\x1d"
                                                                                                  "c",
                                                                                                  "d\x1d\x1d"
                                                                                                  "f"));
  EXPECT_THAT(Texts(Datatype::kInt32, 1, 2, Raw<int32_t>({88, -1})), ElementsAre("88\x1d"
                                                                                 "-1"));
}

TEST_F(TensorValuesTest, OtherColumnsStayAsTheyAre) {
  const auto cells = job_.cells(2);
  const std::string raw = Raw<int32_t>({1, 2});
  ASSERT_TRUE(ReadTensor({.name = "age", .column = 2, .datatype = Datatype::kInt32, .rows = 2}, raw, &job_).ok());
  for (size_t i = 0; i < cells.size(); ++i)
    EXPECT_EQ(cells[i].is_text(), i % version_->predictor->inputs().size() != 2);
}

TEST_F(TensorValuesTest, DataOfAnotherSize) {
  const TensorPlace numbers{.name = "age", .datatype = Datatype::kFp32, .rows = 2};
  job_.cells(2);
  for (const size_t bytes : {0, 4, 7, 9, 12})
    EXPECT_EQ(ReadTensor(numbers, std::string(bytes, '\0'), &job_).message,
              "input \"age\" has " + std::to_string(bytes) + " bytes of data; expected 2 x 1 values of 4 (type FP32)");
  const TensorPlace huge{.name = "age", .datatype = Datatype::kFp32, .rows = 2, .width = int64_t{1} << 62};
  EXPECT_FALSE(CheckTensor(huge, "").ok()) << "the product overflows to 0";

  const TensorPlace texts{.name = "job", .rows = 2};
  const std::string good = RawTexts({"abc", "de"});
  EXPECT_TRUE(CheckTensor(texts, good).ok());
  EXPECT_THAT(CheckTensor(texts, good.substr(0, 7)).message, HasSubstr("the data ends after 1 of 2 x 1 values"));
  EXPECT_THAT(CheckTensor(texts, good.substr(0, 9)).message, HasSubstr("the data ends after 1 of 2 x 1 values"));
  EXPECT_THAT(CheckTensor(texts, good.substr(0, 12)).message,
              HasSubstr("value 1 says that it has 2 bytes, and 1 are left"));
  EXPECT_THAT(CheckTensor(texts, good + "x").message, HasSubstr("1 bytes are left behind 2 x 1 values"));
  EXPECT_THAT(CheckTensor(texts, RawTexts({"a"}) + Raw<uint32_t>({0xffffffffu})).message,
              HasSubstr("value 1 says that it has 4294967295 bytes, and 0 are left"));
  EXPECT_EQ(CheckTensor(texts, "").code, OutcomeCode::kInvalid);
}

TEST_F(TensorValuesTest, InputsInAnyOrderOnceEach) {
  for (const char* name : {"height", "kind", "state", "job", "wealth"})
    ASSERT_TRUE(Add(name, "BYTES", {3}).ok()) << name;
  EXPECT_EQ(place_.name, "wealth");
  EXPECT_EQ(static_cast<int>(place_.column), version_->predictor->FindInput("wealth"));
  EXPECT_EQ(inputs_.Complete().message, "1 of the 6 inputs of model \"census\" are not there: age");
  EXPECT_EQ(Add("job", "BYTES", {3}).message, "input \"job\" is there twice");
  ASSERT_TRUE(Add("age", "FP32", {3, 1}).ok());
  EXPECT_EQ(place_.datatype, Datatype::kFp32);
  EXPECT_TRUE(inputs_.Complete().ok());
  EXPECT_EQ(inputs_.rows(), 3);
  inputs_.Start(*version_, 100);
  EXPECT_EQ(inputs_.rows(), 0);
  EXPECT_THAT(inputs_.Complete().message, HasSubstr("6 of the 6 inputs"));
  for (const PredictorInput& input : version_->predictor->inputs()) {
    ASSERT_TRUE(Add(input.name, "BYTES", {1, 4}).ok());
    EXPECT_EQ(place_.width, 4);
  }
}

TEST_F(TensorValuesTest, InputsThatAreRefused) {
  EXPECT_EQ(Add("heigth", "FP32", {1}).message,
            "model \"census\" has no input \"heigth\". Did you mean \"height\"? Inputs: age, wealth, job, state, kind, "
            "height");
  EXPECT_THAT(Add(std::string(100000, 'x'), "FP32", {1}).message, HasSubstr("...\" (100000 bytes). Inputs:"));
  EXPECT_THAT(Add("age", "FLOAT", {1}).message, HasSubstr("\"age\" has the datatype \"FLOAT\"; expected BYTES, BOOL"));
  inputs_.Start(*version_, 100);
  const std::pair<std::vector<int64_t>, std::string> shapes[] = {
      {{}, "[]"},        {{0}, "[0]"},           {{-1}, "[-1]"},
      {{2, 0}, "[2,0]"}, {{1, 1, 1}, "[1,1,1]"}, {{1, 2, 3, 4, 5}, "[1,2,3,4,... 5 in all]"}};
  for (const auto& [shape, text] : shapes) {
    inputs_.Start(*version_, 100);
    const Outcome outcome = Add("age", "FP32", shape);
    EXPECT_EQ(outcome.code, OutcomeCode::kInvalid);
    EXPECT_THAT(outcome.message, HasSubstr("input \"age\" has the shape " + text + "; expected [n], [n,1]"));
  }
  inputs_.Start(*version_, 100);
  const Outcome large = Add("age", "FP32", {101});
  EXPECT_EQ(large.code, OutcomeCode::kTooLarge);
  EXPECT_EQ(large.message, "input \"age\" has 101 rows, and a request may have 100");
  inputs_.Start(*version_, 100);
  ASSERT_TRUE(Add("age", "FP32", {100}).ok());
  EXPECT_EQ(Add("job", "BYTES", {99}).message, "input \"job\" has 99 rows, and the inputs before it have 100");
}

}  // namespace
}  // namespace manygate::serve
