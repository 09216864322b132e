// SPDX-License-Identifier: Apache-2.0
// What a model predicts for a row, by name: the same names in files, libraries, servers and exported models.
//
//   for (const ModelOutput& output : ListOutputs(model))    // "probs_click", "logits_click", "y_amount", ...
//     ReadOutput(model, output, slice, values);             // [slice.rows, output.width]
#ifndef MANYGATE_CATALOG_OUTPUTS_H_
#define MANYGATE_CATALOG_OUTPUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "manygate/catalog/model.h"
#include "manygate/graph/executor.h"

namespace manygate {

struct ModelOutput {
  enum class Kind {
    kPrediction,  // of a task: probabilities or a number (Loss::Link)
    kLogits,      // of a task, before the link
    kExtra        // one more probability of the model: ESMM's conditional ones
  };
  std::string name;
  Kind kind;
  size_t index;                           // of model.tasks; kExtra: of graph.outputs
  int64_t width;                          // numbers per row
  std::vector<std::string> classes = {};  // [width], of classes: what each number belongs to
  std::vector<std::string> columns = {};  // [width], their names where each number has a column of its own, as in files
};

// Per task its prediction, then its logits; then the extras. Names as TorchEasyRec's: probs_<tower> (binary; classes,
// [width]), probs1_<tower> (binary of two logits), y_<tower> (numbers), logits_<tower>, probs_<extra>. Columns of several
// numbers are <name>_<class>, or <name>_0, <name>_1, ...
std::vector<ModelOutput> ListOutputs(const Model& model);

// values: [slice.rows, output.width]. slice: of an executor of model.graph.
void ReadOutput(const Model& model, const ModelOutput& output, const Slice& slice, float* values);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_OUTPUTS_H_
