// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/c_layout.h"

#include <gtest/gtest.h>

#include <random>

namespace manygate {
namespace {

Tensor NumberInput(TensorProgram& program, const std::string& name, int64_t values) {
  return program.Input({.name = name, .type = TensorType::kNumber, .list = true, .values = values});
}

TEST(CLayoutTest, PlacesAreUsedAgain) {
  TensorProgram program;
  const Tensor x = NumberInput(program, "x", 10);
  const Tensor a = program.Unary(UnaryKind::kExp, x);   // x ends here
  const Tensor b = program.Unary(UnaryKind::kTanh, a);  // fits where x was
  const Tensor sum = program.SumWidth(b);               // fits where a was
  program.AddOutput("sum", sum);
  const CLayout layout(program, program.Used());
  EXPECT_EQ(layout.place(x), 0);
  EXPECT_EQ(layout.place(a), 10);
  EXPECT_EQ(layout.place(b), 0);
  EXPECT_EQ(layout.place(sum), 10);
  EXPECT_EQ(layout.size(TensorType::kNumber), 20);
  EXPECT_EQ(layout.size(TensorType::kDouble), 0);
}

TEST(CLayoutTest, EachTypeHasItsOwnArrayAndConstantsNone) {
  TensorProgram program;
  const Tensor x = NumberInput(program, "x", 4);
  const Tensor exact = program.Cast(x, TensorType::kDouble);
  const Tensor constant = program.Double(2);
  program.AddOutput("y", program.Cast(program.Multiply(exact, constant), TensorType::kNumber));
  const CLayout layout(program, program.Used());
  EXPECT_EQ(layout.place(constant), -1);
  EXPECT_EQ(layout.size(TensorType::kDouble), 8);
  EXPECT_EQ(layout.size(TensorType::kNumber), 4);
}

// No two tensors that are needed at the same time overlap.
TEST(CLayoutTest, WhatIsStillReadIsLeftAlone) {
  std::mt19937 random(3);
  TensorProgram program;
  std::vector<Tensor> tensors = {NumberInput(program, "x", 3), NumberInput(program, "y", 7)};
  for (int i = 0; i < 200; ++i) {
    const Tensor a = tensors[random() % tensors.size()], b = tensors[random() % tensors.size()];
    tensors.push_back(random() % 2 == 0 ? program.Concat({program.SumWidth(a), b}) : program.Unary(UnaryKind::kExp, a));
  }
  program.AddOutput("first", tensors[150]);
  program.AddOutput("last", tensors.back());
  const std::vector<bool> used = program.Used();
  const CLayout layout(program, used);
  const auto& operations = program.operations();
  std::vector<size_t> last(operations.size(), 0);
  for (size_t i = 0; i < operations.size(); ++i)
    if (used[i])
      for (const Tensor input : operations[i].inputs) last[static_cast<size_t>(input)] = i;
  for (const auto& output : program.outputs()) last[static_cast<size_t>(output.tensor)] = operations.size();
  int compared = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (!used[i] || !used[k] || last[k] < i) continue;
      const int64_t first = layout.place(static_cast<Tensor>(k)), second = layout.place(static_cast<Tensor>(i));
      EXPECT_TRUE(first + operations[k].shape.size() <= second || second + operations[i].shape.size() <= first)
          << k << " and " << i;
      ++compared;
    }
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace manygate
