// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as a ModelInferRequest of gRPC. Beside the sanitizers' silence: what is refused says why,
// and what is not has rows, each of which is answered.
//
//   build/fuzz/tests/infer_grpc_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/infer_grpc tests/fuzz/corpus/infer_grpc
//
// The input is the message; the model is that of catalog/catalog_testing.h.
#include <cstdint>
#include <memory>

#include "manygate/base/check.h"
#include "manygate/serve/infer_grpc.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

constexpr int64_t kMostRows = 64;

// Score is for the batcher: here the outputs stay zeros.
void ReadRequest(const InferView& request, size_t size, const std::shared_ptr<const ServedVersion>& version) {
  static InferGrpcWorkspace workspace;
  static Job job;
  job.Start(version, {}, {});
  const auto timeout = TimeoutOf(request);
  MG_CHECK(timeout.count() >= 0, "timeout {}", timeout.count());
  Outcome outcome = ReadInferRequest(request, kMostRows, &workspace, &job);
  if (outcome.ok()) outcome = job.Encode();
  if (!outcome.ok()) {
    MG_CHECK(!outcome.message.empty() && outcome.message.size() < size * 8 + 10000, "{} bytes", outcome.message.size());
    return;
  }
  MG_CHECK(job.rows() >= 1 && job.rows() <= kMostRows, "{} rows", job.rows());
  inference::ModelInferResponse response;
  WriteInferResponse(request, job, &response);
  MG_CHECK(response.outputs_size() == response.raw_output_contents_size(), "{} outputs", response.outputs_size());
  for (int i = 0; i < response.outputs_size(); ++i)
    MG_CHECK(response.outputs(i).shape(0) == job.rows() && !response.raw_output_contents(i).empty(), "output {}", i);
}

}  // namespace
}  // namespace manygate::serve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<const manygate::serve::ServedVersion> version = manygate::serve::MakeTestVersion();
  manygate::serve::InferView request;
  if (manygate::serve::ReadInferView({reinterpret_cast<const char*>(data), size}, &request))
    manygate::serve::ReadRequest(request, size, version);
  return 0;
}
