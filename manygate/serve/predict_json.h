// SPDX-License-Identifier: Apache-2.0
// TensorFlow Serving's REST calls: bodies of ...:predict, by row ("instances") or by column ("inputs"). Free of the network.
// tensorflow.org/tfx/serving/api_rest.
//
//   PredictReply reply;                            // kept by its connection
//   Outcome outcome = ParsePredictRequest(body, max_rows, &workspace, &job, &reply);
//   ... job.Encode(), Batcher::Submit ...
//   WritePredictAnswer(job, reply, &answer);
//
// {"instances": [{"age": 39, "job": "clerk"}, ...]}   ->  {"predictions": [{"probs_a": 0.1, "probs_b": 0.2}, ...]}
// {"inputs": {"age": [39, ...], "job": ["clerk", ...]}} -> {"outputs": {"probs_a": [0.1, ...], ...}}
// A model of one input also takes its values bare; of one output the values stand bare. A value may be an array: of one
// value that value, of several their texts joined as in a file's list.
#ifndef MANYGATE_SERVE_PREDICT_JSON_H_
#define MANYGATE_SERVE_PREDICT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "manygate/serve/job.h"
#include "manygate/serve/json_workspace.h"
#include "manygate/serve/outcome.h"

namespace manygate::serve {

struct PredictReply {
  bool by_row = true;
};

// As ParseInferRequest (infer_json.h); every row needs every input, null where it is missing.
Outcome ParsePredictRequest(std::string_view body, int64_t max_rows, JsonWorkspace* workspace, Job* job,
                            PredictReply* reply);

void WritePredictAnswer(const Job& job, const PredictReply& reply, std::string* body);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_PREDICT_JSON_H_
