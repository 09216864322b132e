// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol, version 2, over HTTP: bodies of .../infer in JSON, with the binary tensor extension (values
// of tensors as bytes behind the JSON). Free of the network: bytes in, bytes out.
// github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the extension:
// github.com/triton-inference-server/server, docs/protocol/extension_binary_data.md.
//
//   InferReply reply;                              // kept by its connection
//   Outcome outcome = ParseInferRequest(body, json_size, max_rows, &workspace, &job, &reply);
//   ... job.Encode(), Batcher::Submit ...
//   size_t json_size = WriteInferAnswer(job, reply, &answer);     // 0: all of it is JSON
#ifndef MANYGATE_SERVE_INFER_JSON_H_
#define MANYGATE_SERVE_INFER_JSON_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/serve/job.h"
#include "manygate/serve/json_workspace.h"
#include "manygate/serve/outcome.h"
#include "manygate/serve/tensor_values.h"

namespace manygate::serve {

// How the answer is wanted, and what reading the request needs.
struct InferReply {
  struct Output {
    size_t index;  // of the predictor's outputs
    bool binary;
  };
  bool has_id = false;
  std::string id;
  std::vector<Output> outputs;           // in the order of the answer
  std::chrono::microseconds timeout{0};  // the request's own; 0: it names none
  InputTensors inputs;
};

// job: started, with a version. body: [json_size of JSON][binary tensors], with JsonWorkspace::kPadding readable bytes behind.
// The job's cells view body and workspace.
// kInvalid: not JSON (with the byte), fields of other types, unknown, missing and repeated inputs, shapes and values that
// do not fit; kTooLarge: more than max_rows.
Outcome ParseInferRequest(std::string_view body, size_t json_size, int64_t max_rows, JsonWorkspace* workspace, Job* job,
                          InferReply* reply);

// Appends the answer of a scored job. Returns the size of its JSON where binary tensors follow it, else 0.
size_t WriteInferAnswer(const Job& job, const InferReply& reply, std::string* body);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_INFER_JSON_H_
