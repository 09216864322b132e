// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as a body of .../infer, JSON with binary tensors behind it. Beside the sanitizers' silence:
// what is refused says why, and what is not has rows, and an answer that is JSON.
//
//   build/fuzz/tests/infer_json_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/infer_json tests/fuzz/corpus/infer_json
//
// The first two bytes, little-endian, are the size of the binary tensors at the end, if there are so many; the model is that
// of catalog/catalog_testing.h.
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/serve/infer_json.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

constexpr int64_t kMostRows = 64;

// Score is for the batcher: here the outputs stay zeros.
void ReadRequest(std::string_view body, size_t json_size, const std::shared_ptr<const ServedVersion>& version) {
  static JsonWorkspace workspace;
  static Job job;
  static InferReply reply;
  job.Start(version, {}, {});
  Outcome outcome = ParseInferRequest(body, json_size, kMostRows, &workspace, &job, &reply);
  if (outcome.ok()) outcome = job.Encode();
  if (!outcome.ok()) {
    MG_CHECK(!outcome.message.empty() && outcome.message.size() < body.size() * 8 + 10000, "{} bytes",
             outcome.message.size());
    return;
  }
  MG_CHECK(job.rows() >= 1 && job.rows() <= kMostRows, "{} rows", job.rows());
  std::string answer;
  const size_t answer_json_size = WriteInferAnswer(job, reply, &answer);
  const auto parsed = nlohmann::json::parse(answer.substr(0, answer_json_size > 0 ? answer_json_size : answer.size()));
  MG_CHECK(parsed["outputs"].size() == reply.outputs.size(), "{} outputs", parsed["outputs"].size());
}

}  // namespace
}  // namespace manygate::serve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using manygate::serve::JsonWorkspace;
  static const std::shared_ptr<const manygate::serve::ServedVersion> version = manygate::serve::MakeTestVersion();
  if (size < 2) return 0;
  const size_t tail = data[0] + size_t{256} * data[1];
  std::vector<char> body(data + 2, data + size);
  const size_t body_size = body.size();
  // As long as is promised and no longer: the sanitizer sees who reads further.
  body.resize(body_size + JsonWorkspace::kPadding, '"');
  body.shrink_to_fit();
  manygate::serve::ReadRequest({body.data(), body_size}, tail <= body_size ? body_size - tail : body_size, version);
  return 0;
}
