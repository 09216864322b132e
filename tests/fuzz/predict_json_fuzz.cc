// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as a body of TensorFlow Serving's :predict. Beside the sanitizers' silence: what is refused
// says why, and what is not has rows, each of which is answered in JSON.
//
//   build/fuzz/tests/predict_json_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/predict_json \
//     tests/fuzz/corpus/predict_json
//
// The model is that of catalog/catalog_testing.h.
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/serve/predict_json.h"
#include "manygate/serve/serve_testing.h"

namespace manygate::serve {
namespace {

constexpr int64_t kMostRows = 64;

// Score is for the batcher: here the outputs stay zeros.
void ReadRequest(std::string_view body, const std::shared_ptr<const ServedVersion>& version) {
  static JsonWorkspace workspace;
  static Job job;
  PredictReply reply;
  job.Start(version, {}, {});
  Outcome outcome = ParsePredictRequest(body, kMostRows, &workspace, &job, &reply);
  if (outcome.ok()) outcome = job.Encode();
  if (!outcome.ok()) {
    MG_CHECK(!outcome.message.empty() && outcome.message.size() < body.size() * 8 + 10000, "{} bytes",
             outcome.message.size());
    return;
  }
  MG_CHECK(job.rows() >= 1 && job.rows() <= kMostRows, "{} rows", job.rows());
  std::string answer;
  WritePredictAnswer(job, reply, &answer);
  const auto parsed = nlohmann::json::parse(answer);
  if (reply.by_row)
    MG_CHECK(parsed["predictions"].size() == static_cast<size_t>(job.rows()), "{} answers",
             parsed["predictions"].size());
}

}  // namespace
}  // namespace manygate::serve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using manygate::serve::JsonWorkspace;
  static const std::shared_ptr<const manygate::serve::ServedVersion> version = manygate::serve::MakeTestVersion();
  std::vector<char> body(data, data + size);
  // As long as is promised and no longer: the sanitizer sees who reads further.
  body.resize(size + JsonWorkspace::kPadding, '"');
  body.shrink_to_fit();
  manygate::serve::ReadRequest({body.data(), size}, version);
  return 0;
}
