// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/tensor_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using Kind = TensorProgram::Kind;
using ::testing::ElementsAre;

class TensorProgramTest : public ::testing::Test {
 protected:
  Tensor Text(const std::string& name, int64_t values = 1) {
    return program_.Input({.name = name, .list = values > 1, .values = values});
  }
  Tensor Number(const std::string& name, int64_t values = 1) {
    return program_.Input({.name = name, .type = TensorType::kNumber, .list = values > 1, .values = values});
  }
  const TensorProgram::Operation& Of(Tensor tensor) const { return program_.operation(tensor); }

  TensorProgram program_;
};

TEST_F(TensorProgramTest, ValuesMeetByGroupsAndWidth) {
  const Tensor row = Number("x", 3), one = Number("y");
  const Tensor column = program_.Numbers({4, 1}, {1, 2, 3, 4});
  EXPECT_EQ(program_.shape(program_.Add(row, one)), (Shape{1, 3}));
  EXPECT_EQ(program_.shape(program_.Multiply(row, column)), (Shape{4, 3}));
  const Tensor less = program_.Binary(BinaryKind::kLess, row, column);
  EXPECT_EQ(Of(less).type, TensorType::kTruth);
  EXPECT_EQ(program_.shape(program_.Select(less, row, one)), (Shape{4, 3}));
}

TEST_F(TensorProgramTest, WhatChangesNothingIsNotAdded) {
  const Tensor x = Number("x", 3);
  EXPECT_EQ(program_.Concat({x}), x);
  EXPECT_EQ(program_.Slice(x, 0, 3), x);
  EXPECT_EQ(program_.Flat(x), x);
  EXPECT_EQ(program_.Pad(x, {1, 3}), x);
  EXPECT_EQ(program_.Cast(x, TensorType::kNumber), x);
  EXPECT_EQ(program_.SumGroups(x), x);
}

TEST_F(TensorProgramTest, AProductOfNumbersIsOneProduct) {
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const Tensor product = program_.MatMul(Number("x", 3), {3, 2}, weights);
  EXPECT_EQ(Of(product).kind, Kind::kMatMul);
  EXPECT_EQ(Of(Of(product).inputs[1]).numbers, weights);
  EXPECT_EQ(program_.shape(product), (Shape{1, 2}));
}

// Rows of the weights: 0 and 1 of the first one-hot, 2 of the number, 3 .. 5 of the second one-hot.
TEST_F(TensorProgramTest, OneHotPartsOfAProductAreLookedUp) {
  const Tensor a = program_.OneHot(program_.LookUp(Text("a"), {"", "x"}, {1, 0}, 1), 2);
  const Tensor b = program_.OneHot(program_.LookUp(Text("b", 2), {"", "x"}, {3, 0}, 1), 3);
  const Tensor x = program_.Concat({a, Number("n"), b});
  const Tensor product = program_.MatMul(x, {6, 1}, std::vector<float>{10, 11, 20, 30, 31, 32});
  ASSERT_EQ(Of(product).kind, Kind::kBinary);
  const auto& sum = Of(Of(product).inputs[0]);
  const auto& rest = Of(Of(product).inputs[1]);
  ASSERT_EQ(sum.kind, Kind::kSumGroups);
  const auto& gather = Of(sum.inputs[0]);
  ASSERT_EQ(gather.kind, Kind::kGather);
  EXPECT_EQ(gather.shape, (Shape{3, 1}));
  // The last row is what ids behind a vocabulary read.
  EXPECT_THAT(Of(gather.inputs[0]).numbers, ElementsAre(10, 11, 30, 31, 32, 0));
  ASSERT_EQ(rest.kind, Kind::kMatMul);
  EXPECT_THAT(Of(rest.inputs[1]).numbers, ElementsAre(20));
  // Ids: below 2 as they are, below 3 two rows further down, else row 5.
  const auto& select = Of(gather.inputs[1]);
  ASSERT_EQ(select.kind, Kind::kSelect);
  EXPECT_THAT(Of(Of(select.inputs[0]).inputs[1]).ids, ElementsAre(2, 3, 3));
  EXPECT_THAT(Of(Of(select.inputs[1]).inputs[1]).ids, ElementsAre(0, 2, 2));
  EXPECT_THAT(Of(select.inputs[2]).ids, ElementsAre(5));
}

TEST_F(TensorProgramTest, ProductsOfOneValueShareItsIds) {
  const Tensor x = program_.OneHot(program_.LookUp(Text("a"), {"x"}, {0}, 1), 2);
  const Tensor first = program_.MatMul(x, {2, 1}, std::vector<float>{1, 2});
  const Tensor second = program_.MatMul(x, {2, 1}, std::vector<float>{3, 4});
  EXPECT_EQ(Of(first).inputs[1], Of(second).inputs[1]);
  EXPECT_NE(Of(first).inputs[0], Of(second).inputs[0]);
}

TEST_F(TensorProgramTest, UsedIsWhatOutputsNeedAndEveryInput) {
  const Tensor x = Number("x"), unread = Number("unread");
  const Tensor y = program_.Unary(UnaryKind::kExp, x), dead = program_.Unary(UnaryKind::kLog, y);
  program_.AddOutput("y", y);
  const std::vector<bool> used = program_.Used();
  EXPECT_TRUE(used[static_cast<size_t>(x)] && used[static_cast<size_t>(unread)] && used[static_cast<size_t>(y)]);
  EXPECT_FALSE(used[static_cast<size_t>(dead)]);
}

TEST_F(TensorProgramTest, ScopesFollowTheOrder) {
  program_.SetScope("first");
  const Tensor x = Number("x");
  program_.SetScope("second");
  EXPECT_EQ(Of(x).scope, "first");
  EXPECT_EQ(Of(program_.Add(x, x)).scope, "second");
}

}  // namespace
}  // namespace manygate
