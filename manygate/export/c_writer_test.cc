// SPDX-License-Identifier: Apache-2.0
// That the source compiles and computes what the program computes is shown by tests/export.
#include "manygate/export/c_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CWriterTest, StructsHoldColumnsAndOutputs) {
  TensorProgram program;
  program.Input({.name = "own colour", .type = TensorType::kText});
  const Tensor price = program.Input({.name = "price", .type = TensorType::kNumber});
  program.AddOutput("probs_click", program.Unary(UnaryKind::kSigmoid, price));
  const auto source = WriteC(program, {.name = "shop", .model = "mmoe"});
  ASSERT_TRUE(source.ok()) << source.status().message();
  EXPECT_THAT(*source, HasSubstr("  const char *own_colour;  /* own colour; NULL or \"\" = missing */\n"));
  EXPECT_THAT(*source, HasSubstr("  float price;  /* price; NAN = missing */\n} shop_row;"));
  EXPECT_THAT(*source, HasSubstr("  float probs_click[1];\n} shop_result;"));
  EXPECT_THAT(*source,
              HasSubstr("int shop_predict(const shop_row *row, shop_result *result);\n\n#ifndef SHOP_DECLARATIONS\n"));
  EXPECT_THAT(*source, HasSubstr("int shop_predict(const shop_row *row, shop_result *result) {"));
  EXPECT_THAT(*source, HasSubstr("#ifdef SHOP_MAIN"));
  // Functions that nothing calls are left out: a compiler would warn.
  EXPECT_THAT(*source, HasSubstr("static text_view view_of("));
  EXPECT_THAT(*source, Not(HasSubstr("static void softmax(")));
}

TEST(CWriterTest, AVocabularyIsSortedByItsBytes) {
  TensorProgram program;
  const Tensor id = program.LookUp(program.Input({.name = "c"}), {"", "b", "a", "B"}, {3, 0, 1, 2}, 4);
  program.AddOutput("y", program.Cast(id, TensorType::kNumber));
  const auto source = WriteC(program, {.name = "m", .model = "mmoe"});
  ASSERT_TRUE(source.ok()) << source.status().message();
  EXPECT_THAT(*source, HasSubstr("{\"\", 0, 3},\n  {\"B\", 1, 2},\n  {\"a\", 1, 1},\n  {\"b\", 1, 0}};"));
}

TEST(CWriterTest, NamesMustBeIdentifiers) {
  TensorProgram program;
  const Status status = WriteC(program, {.name = "my model", .model = "mmoe"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_EQ(status.message(),
            "--name my model: not a name in C, which has letters, digits and _, a letter first, such as my_model");
}

TEST(CWriterTest, TextsThatCCannotHoldAreRefused) {
  TensorProgram program;
  program.SetScope("features.city");
  const Tensor id = program.LookUp(program.Input({.name = "city"}), {std::string("a\0b", 3)}, {0}, 1);
  program.AddOutput("y", program.Cast(id, TensorType::kNumber));
  EXPECT_THAT(WriteC(program, {.name = "m", .model = "mmoe"}).status().message(),
              HasSubstr("features.city: the vocabulary has a text with a NUL byte"));
}

TEST(CWriterTest, LargeModelsAreRefused) {
  TensorProgram program;
  const Tensor x = program.Input({.name = "x", .type = TensorType::kNumber});
  program.AddOutput("y",
                    program.SumWidth(program.MatMul(x, {1, 11'000'000}, std::vector<float>(11'000'000, 0.1234567f))));
  EXPECT_THAT(WriteC(program, {.name = "m", .model = "mmoe"}).status().message(),
              HasSubstr("the model's C source would be larger than 64 MB"));
}

}  // namespace
}  // namespace manygate
