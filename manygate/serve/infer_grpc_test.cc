// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/infer_grpc.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

inference::ModelInferRequest FromText(const std::string& text) {
  inference::ModelInferRequest request;
  MG_CHECK(google::protobuf::TextFormat::ParseFromString(text, &request), "{}", text);
  return request;
}

// A request of one row with contents for all six inputs, but for the first `skipped` of them.
inference::ModelInferRequest OneRow(int skipped = 0) {
  inference::ModelInferRequest request = FromText(R"(
    model_name: "census" id: "q7"
    inputs { name: "age" datatype: "FP32" shape: 1 contents { fp32_contents: 39 } }
    inputs { name: "wealth" datatype: "FP32" shape: [1, 1] contents { fp32_contents: 2.5 } }
    inputs { name: "job" datatype: "BYTES" shape: 1 contents { bytes_contents: "b" } }
    inputs { name: "state" datatype: "BYTES" shape: 1 contents { bytes_contents: "x" } }
    inputs { name: "kind" datatype: "BYTES" shape: 1 contents { bytes_contents: "k" } }
    inputs { name: "height" datatype: "FP64" shape: 1 contents { fp64_contents: 1.75 } })");
  request.mutable_inputs()->DeleteSubrange(0, skipped);
  return request;
}

class InferGrpcTest : public testing::Test {
 protected:
  InferGrpcTest() : version_(MakeTestVersion()) {}

  Outcome Read(const inference::ModelInferRequest& request) {
    bytes_ = request.SerializeAsString();
    MG_CHECK(ReadInferView(bytes_, &view_), "{}", request.DebugString());
    job_.Start(version_, {}, {});
    return ReadInferRequest(view_, 100, &workspace_, &job_);
  }
  std::string Problem(const inference::ModelInferRequest& request) {
    const Outcome outcome = Read(request);
    EXPECT_EQ(outcome.code, OutcomeCode::kInvalid);
    return outcome.message;
  }
  // Of the first row.
  std::string Text(std::string_view input) {
    std::string buffer;
    return std::string(job_.cells()[static_cast<size_t>(version_->predictor->FindInput(input))].AsText(&buffer));
  }

  std::shared_ptr<const ServedVersion> version_;
  std::string bytes_;
  InferView view_;
  InferGrpcWorkspace workspace_;
  Job job_;
};

TEST_F(InferGrpcTest, ReadsContents) {
  const auto request = OneRow();
  ASSERT_TRUE(Read(request).ok());
  EXPECT_EQ(job_.rows(), 1);
  EXPECT_EQ(Text("age"), "39");
  EXPECT_EQ(Text("wealth"), "2.5");
  EXPECT_EQ(Text("job"), "b");
  EXPECT_EQ(Text("height"), "1.75");
  for (size_t i = 0; i < version_->predictor->outputs().size(); ++i)
    EXPECT_EQ(job_.wants(i), !version_->predictor->outputs()[i].logits);
}

TEST_F(InferGrpcTest, ReadsContentsOfEveryDatatype) {
  const std::tuple<const char*, const char*, const char*> rows[] = {
      {"BOOL", "bool_contents: true", "1"},
      {"INT8", "int_contents: -8", "-8"},
      {"INT16", "int_contents: -16", "-16"},
      {"INT32", "int_contents: -32", "-32"},
      {"INT64", "int64_contents: -9223372036854775808", "-9223372036854775808"},
      {"UINT8", "uint_contents: 8", "8"},
      {"UINT16", "uint_contents: 16", "16"},
      {"UINT32", "uint_contents: 4294967295", "4294967295"},
      {"UINT64", "uint64_contents: 18446744073709551615", "18446744073709551615"},
      {"FP32", "fp32_contents: 0.1", "0.1"},
      {"FP64", "fp64_contents: 0.1", "0.1"},
      {"BYTES", "bytes_contents: \"a\\000b\"", nullptr}};
  for (const auto& [datatype, contents, text] : rows) {
    auto request = OneRow(1);
    request.MergeFrom(FromText(std::string("inputs { name: \"age\" shape: 1 datatype: \"") + datatype +
                               "\" contents { " + contents + " } }"));
    const Outcome outcome = Read(request);
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(Text("age"), text != nullptr ? std::string(text) : std::string("a\0b", 3));
  }
  auto request = OneRow(1);
  request.MergeFrom(FromText("inputs { name: \"age\" shape: 1 datatype: \"FP16\" contents { fp32_contents: 1 } }"));
  EXPECT_EQ(Problem(request), "values of type FP16 stand in raw_input_contents");
}

TEST_F(InferGrpcTest, ReadsRawContents) {
  auto request = OneRow();
  for (auto& input : *request.mutable_inputs()) {
    input.clear_contents();
    input.set_datatype("BYTES");
    input.clear_shape();
    input.add_shape(2);
    request.add_raw_input_contents(
        std::string("\1\0\0\0"
                    "7"
                    "\2\0\0\0"
                    "89",
                    11));
  }
  ASSERT_TRUE(Read(request).ok());
  EXPECT_EQ(job_.rows(), 2);
  EXPECT_EQ(Text("age"), "7");
  ASSERT_TRUE(job_.Encode().ok());

  request.mutable_inputs(2)->mutable_contents()->add_bytes_contents("x");
  EXPECT_EQ(Problem(request), "input \"job\" has contents beside raw_input_contents");
  request.mutable_inputs(2)->clear_contents();
  request.mutable_raw_input_contents()->RemoveLast();
  EXPECT_EQ(Problem(request), "6 inputs, and 5 raw_input_contents; expected one of each input");
  request.add_raw_input_contents("\1");
  EXPECT_THAT(Problem(request), HasSubstr("input \"height\": the data ends after 0 of 2 x 1 values"));
}

TEST_F(InferGrpcTest, RefusesInputsThatDoNotFit) {
  EXPECT_THAT(Problem(OneRow(2)), HasSubstr("2 of the 6 inputs of model \"census\" are not there: age, wealth"));
  EXPECT_THAT(Problem(FromText("")), HasSubstr("6 of the 6 inputs"));
  auto request = OneRow();
  request.mutable_inputs(0)->set_name("aeg");
  EXPECT_THAT(Problem(request), HasSubstr("no input \"aeg\". Did you mean \"age\"?"));
  request = OneRow();
  request.mutable_inputs(1)->set_name("age");
  EXPECT_THAT(Problem(request), HasSubstr("\"age\" is there twice"));
  request = OneRow();
  request.mutable_inputs(1)->set_shape(0, 2);
  EXPECT_THAT(Problem(request), HasSubstr("\"wealth\" has 2 rows, and the inputs before it have 1"));
  request = OneRow();
  request.mutable_inputs(2)->set_datatype("FP32");
  EXPECT_EQ(Problem(request), "input \"job\" has 0 values in fp32_contents; expected 1 x 1 (type FP32)");
  request = OneRow();
  request.mutable_inputs(0)->add_shape(std::numeric_limits<int64_t>::max());
  EXPECT_THAT(Problem(request), HasSubstr("has 1 values in fp32_contents; expected 1 x 9223372036854775807"));
  request = OneRow();
  request.mutable_inputs(0)->set_shape(0, 101);
  EXPECT_EQ(Read(request).code, OutcomeCode::kTooLarge);
}

TEST_F(InferGrpcTest, ChosenOutputs) {
  auto request = OneRow();
  request.add_outputs()->set_name("logits_income");
  request.add_outputs()->set_name("probs_income");
  ASSERT_TRUE(Read(request).ok());
  const Predictor& predictor = *version_->predictor;
  for (size_t i = 0; i < predictor.outputs().size(); ++i)
    EXPECT_EQ(job_.wants(i),
              predictor.outputs()[i].name == "logits_income" || predictor.outputs()[i].name == "probs_income");
  request.add_outputs()->set_name("probs_income");
  EXPECT_EQ(Problem(request), "output \"probs_income\" is asked for twice");
  request.mutable_outputs(2)->set_name("probs_incom");
  EXPECT_THAT(Problem(request), HasSubstr("has no output \"probs_incom\". Did you mean \"probs_income\"? Outputs: "));
}

TEST_F(InferGrpcTest, WritesWhatWasScored) {
  auto request = OneRow();
  request.add_outputs()->set_name("logits_income");
  request.add_outputs()->set_name("probs_income");
  ASSERT_TRUE(Read(request).ok());
  ASSERT_TRUE(job_.Encode().ok());
  const auto logits = static_cast<size_t>(version_->predictor->FindOutput("logits_income"));
  const auto probs = static_cast<size_t>(version_->predictor->FindOutput("probs_income"));
  job_.output(logits)[0] = -1.5f;
  job_.output(probs)[0] = 0.25f;
  inference::ModelInferResponse response;
  WriteInferResponse(view_, job_, &response);
  EXPECT_EQ(response.model_name(), "census");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.id(), "q7");
  ASSERT_EQ(response.outputs_size(), 2);
  EXPECT_EQ(response.outputs(0).name(), "logits_income") << "in the order of the request";
  EXPECT_EQ(response.outputs(1).name(), "probs_income");
  EXPECT_EQ(response.outputs(1).datatype(), "FP32");
  EXPECT_THAT(response.outputs(1).shape(), ElementsAre(1));
  ASSERT_EQ(response.raw_output_contents_size(), 2);
  float value = 0;
  ASSERT_EQ(response.raw_output_contents(0).size(), sizeof(value));
  std::memcpy(&value, response.raw_output_contents(0).data(), sizeof(value));
  EXPECT_EQ(value, -1.5f);
  std::memcpy(&value, response.raw_output_contents(1).data(), sizeof(value));
  EXPECT_EQ(value, 0.25f);
}

TEST_F(InferGrpcTest, Timeouts) {
  const auto timeout = [](const inference::ModelInferRequest& request) {
    const std::string bytes = request.SerializeAsString();
    InferView view;
    EXPECT_TRUE(ReadInferView(bytes, &view));
    return TimeoutOf(view).count();
  };
  EXPECT_EQ(timeout(OneRow()), 0);
  const auto with = [&](const std::string& value) {
    return timeout(
        FromText("parameters { key: \"priority\" value { int64_param: 3 } } "
                 "parameters { key: \"timeout\" value { " +
                 value + " } }"));
  };
  EXPECT_EQ(with("int64_param: 1500"), 1500);
  EXPECT_EQ(with("int64_param: -1"), 0);
  EXPECT_EQ(with("string_param: \"1\""), 0);
  EXPECT_EQ(with("int64_param: 9223372036854775807"), int64_t{24} * 3600 * 1000000) << "a day at most";
}

TEST_F(InferGrpcTest, Metadata) {
  inference::ModelMetadataResponse response;
  WriteModelMetadata(*version_,
                     {{"census", 1, VersionState::kReady, ""},
                      {"census", 2, VersionState::kBroken, "damaged"},
                      {"census", 3, VersionState::kReady, ""},
                      {"other", 4, VersionState::kReady, ""}},
                     &response);
  EXPECT_EQ(response.name(), "census");
  EXPECT_THAT(response.versions(), ElementsAre("1", "3"));
  EXPECT_EQ(response.platform(), "manygate_mmoe");
  ASSERT_EQ(response.inputs_size(), 6);
  for (const auto& input : response.inputs()) {
    const bool number = input.name() == "age" || input.name() == "wealth" || input.name() == "height";
    EXPECT_EQ(input.datatype(), number ? "FP32" : "BYTES") << input.name();
    EXPECT_THAT(input.shape(), ElementsAre(-1));
  }
  ASSERT_EQ(static_cast<size_t>(response.outputs_size()), version_->predictor->outputs().size());
  EXPECT_EQ(response.outputs(0).name(), "probs_income");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
}

}  // namespace
}  // namespace manygate::serve
