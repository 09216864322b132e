// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_view.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "manygate/base/check.h"
#include "manygate/serve/open_inference.pb.h"

namespace manygate::serve {
namespace {

using testing::ElementsAre;

std::string BytesOf(const std::string& text) {
  inference::ModelInferRequest request;
  MG_CHECK(google::protobuf::TextFormat::ParseFromString(text, &request), "{}", text);
  return request.SerializeAsString();
}

TEST(InferView, ReadsEveryField) {
  const std::string bytes = BytesOf(R"(
    model_name: "census" model_version: "3" id: "q"
    parameters { key: "timeout" value { int64_param: 70 } }
    inputs { name: "a" datatype: "BYTES" shape: [2, 300] parameters { key: "x" value { bool_param: true } } }
    inputs { name: "b" datatype: "FP32" shape: 2 contents { fp32_contents: [1, 2] } }
    outputs { name: "probs_a" } outputs { name: "probs_b" parameters { key: "k" value { string_param: "v" } } }
    raw_input_contents: "one" raw_input_contents: "")");
  InferView view;
  for (int i = 0; i < 2; ++i) {  // a second time over what is there
    ASSERT_TRUE(ReadInferView(bytes, &view));
    EXPECT_EQ(view.model_name, "census");
    EXPECT_EQ(view.model_version, "3");
    EXPECT_EQ(view.id, "q");
    EXPECT_EQ(view.timeout, 70);
    ASSERT_EQ(view.inputs.size(), 2u);
    EXPECT_EQ(view.inputs[0].name, "a");
    EXPECT_EQ(view.inputs[0].datatype, "BYTES");
    EXPECT_FALSE(view.inputs[0].has_contents);
    EXPECT_THAT(view.Shape(view.inputs[0]), ElementsAre(2, 300));
    EXPECT_THAT(view.Shape(view.inputs[1]), ElementsAre(2));
    ASSERT_TRUE(view.inputs[1].has_contents);
    inference::InferTensorContents contents;
    ASSERT_TRUE(contents.ParseFromString(std::string(view.inputs[1].contents)));
    EXPECT_THAT(contents.fp32_contents(), ElementsAre(1, 2));
    EXPECT_THAT(view.outputs, ElementsAre("probs_a", "probs_b"));
    EXPECT_THAT(view.raw_input_contents, ElementsAre("one", ""));
  }
}

TEST(InferView, EveryCutIsRefusedOrReadAsProtobufReadsIt) {
  const std::string bytes = BytesOf(R"(
    model_name: "m" inputs { name: "a" datatype: "INT8" shape: [1, 1] contents { int_contents: [1, 2, 3] } }
    outputs { name: "o" } raw_input_contents: "raw" parameters { key: "timeout" value { int64_param: 5 } })");
  InferView view;
  int refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    inference::ModelInferRequest request;
    const bool right = request.ParseFromString(cut);
    EXPECT_EQ(ReadInferView(cut, &view), right) << size;
    refused += right ? 0 : 1;
    if (!right) continue;
    EXPECT_EQ(view.inputs.size(), static_cast<size_t>(request.inputs_size())) << size;
    EXPECT_EQ(view.outputs.size(), static_cast<size_t>(request.outputs_size())) << size;
  }
  EXPECT_GT(refused, 20);
}

TEST(InferView, UnpackedShapesAndUnknownFields) {
  // Input 5: name "a", shape 1 and 7 as single numbers, unknown field 15 of 3 bytes; unknown field 100 = 5.
  const std::string bytes(
      "\x2a\x0c\x0a\x01"
      "a\x18\x01\x18\x07\x7a\x03xyz\xa0\x06\x05",
      17);
  InferView view;
  ASSERT_TRUE(ReadInferView(bytes, &view));
  ASSERT_EQ(view.inputs.size(), 1u);
  EXPECT_EQ(view.inputs[0].name, "a");
  EXPECT_THAT(view.Shape(view.inputs[0]), ElementsAre(1, 7));
}

TEST(InferView, Refuses) {
  InferView view;
  inference::ModelInferRequest request;
  EXPECT_FALSE(ReadInferView("\x0a\x02\xff\xfe", &view)) << "a name that is not UTF-8";
  EXPECT_FALSE(
      ReadInferView("\x0a\x7f"
                    "abc",
                    &view))
      << "a text longer than the message";
  for (size_t i = 0; i < kMostInferParts; ++i) request.add_raw_input_contents("");
  EXPECT_TRUE(ReadInferView(request.SerializeAsString(), &view));
  request.add_raw_input_contents("");
  EXPECT_FALSE(ReadInferView(request.SerializeAsString(), &view)) << "too many parts";
}

}  // namespace
}  // namespace manygate::serve
