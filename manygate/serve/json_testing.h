// SPDX-License-Identifier: Apache-2.0
// For tests of the JSON codecs: one request through them, without a network and a batcher.
//
//   JsonRequest request(MakeTestVersion());
//   ASSERT_EQ(request.Infer(R"({"inputs": [...]})"), "");        // else: why it was refused
//   EXPECT_EQ(request.InferAnswer(), R"({"model_name": ...})");
#ifndef MANYGATE_SERVE_JSON_TESTING_H_
#define MANYGATE_SERVE_JSON_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/serve/infer_json.h"
#include "manygate/serve/job.h"
#include "manygate/serve/json_workspace.h"
#include "manygate/serve/predict_json.h"

namespace manygate::serve {

class JsonRequest {
 public:
  explicit JsonRequest(std::shared_ptr<const ServedVersion> version) : version_(std::move(version)) {}

  // Both read, encode and score, and return why they do not.
  std::string Infer(std::string_view json, std::string_view tail = "", int64_t max_rows = 100) {
    Start(std::string(json) + std::string(tail));
    outcome_ = ParseInferRequest(Body(), json.size(), max_rows, &workspace_, &job, &reply);
    return Score();
  }
  std::string Predict(std::string_view json, int64_t max_rows = 100) {
    Start(std::string(json));
    outcome_ = ParsePredictRequest(Body(), max_rows, &workspace_, &job, &predict_reply);
    return Score();
  }
  std::string InferAnswer(size_t* json_size = nullptr) const {
    std::string body;
    const size_t size = WriteInferAnswer(job, reply, &body);
    if (json_size != nullptr) *json_size = size;
    return body;
  }
  std::string PredictAnswer() const {
    std::string body;
    WritePredictAnswer(job, predict_reply, &body);
    return body;
  }
  OutcomeCode code() const { return outcome_.code; }
  const std::vector<float>& Output(std::string_view name) const {
    return job.output(static_cast<size_t>(version_->predictor->FindOutput(name)));
  }

  Job job;
  InferReply reply;
  PredictReply predict_reply;

 private:
  void Start(std::string body) {
    // On the heap, exactly as long as is promised: a sanitizer sees who reads further.
    body_size_ = body.size();
    body_.assign(body.begin(), body.end());
    body_.resize(body_size_ + JsonWorkspace::kPadding, '#');
    body_.shrink_to_fit();
    job.Start(version_, Clock::now(), Clock::time_point::max());
  }
  std::string_view Body() const { return {body_.data(), body_size_}; }
  std::string Score() {
    if (outcome_.ok()) outcome_ = job.Encode();
    if (!outcome_.ok()) return outcome_.message;
    const Predictor& predictor = *version_->predictor;
    std::vector<float*> outputs(predictor.outputs().size());
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = job.wants(i) ? job.output(i).data() : nullptr;
    predictor.Score(job.rows(), job.ids().data(), job.numbers().data(), outputs);
    return "";
  }

  std::shared_ptr<const ServedVersion> version_;
  JsonWorkspace workspace_;
  std::vector<char> body_;
  size_t body_size_ = 0;
  Outcome outcome_;
};

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_TESTING_H_
