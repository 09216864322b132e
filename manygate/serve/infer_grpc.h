// SPDX-License-Identifier: Apache-2.0
// The messages of the Open Inference Protocol over gRPC, to jobs and back. Free of the network.
// github.com/kserve/open-inference-protocol, specification/protocol/inference_grpc.md.
//
//   ReadInferView(bytes, &request)                                       // infer_view.h
//   outcome = ReadInferRequest(request, max_rows, &workspace, &job);     // a started job; its cells view the request
//   ... job.Encode(), Batcher::Submit ...
//   WriteInferResponse(request, job, &response);
#ifndef MANYGATE_SERVE_INFER_GRPC_H_
#define MANYGATE_SERVE_INFER_GRPC_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include "manygate/serve/infer_view.h"
#include "manygate/serve/job.h"
#include "manygate/serve/open_inference.pb.h"
#include "manygate/serve/outcome.h"
#include "manygate/serve/repository.h"
#include "manygate/serve/tensor_values.h"

namespace manygate::serve {

// What reading a request needs besides, kept for the next one.
struct InferGrpcWorkspace {
  InputTensors inputs;
  std::vector<TensorPlace> places;                      // by input of the request
  std::deque<inference::InferTensorContents> contents;  // the same, where values do not stand in raw_input_contents
};

// The values of all inputs stand in raw_input_contents, or those of each in its contents. Outputs that are asked for, or all
// but logits, become wanted ones of the job.
// kInvalid: inputs as in tensor_values.h; contents that are no such message; values in both places, or in a field of another datatype; an output that is unknown or asked for twice.
// kTooLarge: more than max_rows.
Outcome ReadInferRequest(const InferView& request, int64_t max_rows, InferGrpcWorkspace* workspace, Job* job);

// The request's parameter "timeout" (Triton's: whole microseconds); 0: it has none.
std::chrono::microseconds TimeoutOf(const InferView& request);

// Of a scored job: FP32 tensors of shape [n], or [n, width], in raw_output_contents, in the order that the request names
// them in.
void WriteInferResponse(const InferView& request, const Job& job, inference::ModelInferResponse* response);

// versions: all of the repository.
void WriteModelMetadata(const ServedVersion& served, const std::vector<VersionInfo>& versions,
                        inference::ModelMetadataResponse* response);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_INFER_GRPC_H_
