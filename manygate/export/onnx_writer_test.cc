// SPDX-License-Identifier: Apache-2.0
// That ONNX Runtime computes what the program computes is shown by tests/export.
#include "manygate/export/onnx_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/export/onnx.pb.h"

namespace manygate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

onnx::ModelProto Written(const TensorProgram& program) {
  const auto bytes = WriteOnnx(program, {.name = "tiny", .model = "mmoe"});
  EXPECT_TRUE(bytes.ok());
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(*bytes));
  return model;
}

std::vector<std::string> NodeTypes(const onnx::ModelProto& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) types.push_back(node.op_type());
  return types;
}

TEST(OnnxWriterTest, InputsAndOutputsHaveNamesAndShapes) {
  TensorProgram program;
  const Tensor colour = program.Input({.name = "colour"});
  const Tensor prices = program.Input(
      {.name = "prices", .type = TensorType::kNumber, .list = true, .positions = 4, .values = 2, .sequence = true});
  const Tensor id = program.LookUp(colour, {"", "red"}, {1, 0}, 1);
  program.AddOutput("a", program.Add(program.Cast(id, TensorType::kNumber), program.SumWidth(program.Flat(prices))));
  const onnx::ModelProto model = Written(program);
  EXPECT_EQ(model.graph().name(), "tiny");
  EXPECT_EQ(model.ir_version(), 8);
  ASSERT_EQ(model.graph().input_size(), 2);
  EXPECT_EQ(model.graph().input(0).name(), "colour");
  EXPECT_EQ(model.graph().input(0).type().tensor_type().elem_type(), onnx::TensorProto::STRING);
  const auto& shape = model.graph().input(1).type().tensor_type().shape();
  ASSERT_EQ(shape.dim_size(), 3);
  EXPECT_EQ(shape.dim(0).dim_param(), "batch");
  EXPECT_EQ(shape.dim(1).dim_value(), 4);
  EXPECT_EQ(shape.dim(2).dim_value(), 2);
  ASSERT_EQ(model.graph().output_size(), 1);
  EXPECT_EQ(model.graph().output(0).name(), "a");
}

TEST(OnnxWriterTest, WhatNoOutputNeedsIsLeftOut) {
  TensorProgram program;
  const Tensor x = program.Input({.name = "x", .type = TensorType::kNumber});
  program.MatMul(program.OneHot(program.Cast(x, TensorType::kId), 1000), {1000, 1}, std::vector<float>(1000, 1.f));
  program.AddOutput("y", program.Unary(UnaryKind::kTanh, x));
  const onnx::ModelProto model = Written(program);
  EXPECT_THAT(NodeTypes(model), ElementsAre("Shape", "Slice", "Unsqueeze", "Tanh", "Reshape", "Identity"));
  for (const auto& constant : model.graph().initializer()) EXPECT_LT(constant.raw_data().size(), 100U);
}

TEST(OnnxWriterTest, OnlyNumbersThatAreWrittenSoAreMissing) {
  TensorProgram program;
  const Tensor x = program.Input({.name = "x", .type = TensorType::kNumber, .missing = {"?", "-1", "1.0"}});
  program.AddOutput("y", x);
  // "?" is no number, and no number is written "1.0": the shortest text is "1".
  EXPECT_THAT(NodeTypes(Written(program)),
              ElementsAre("Shape", "Slice", "Unsqueeze", "Equal", "Where", "Reshape", "Identity"));
}

TEST(OnnxWriterTest, AColumnNamedAsAnOutputIsRefused) {
  TensorProgram program;
  program.AddOutput("probs_click", program.Input({.name = "probs_click", .type = TensorType::kNumber}));
  const Status status = WriteOnnx(program, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), HasSubstr("the column \"probs_click\" has the name of an output"));
}

}  // namespace
}  // namespace manygate
