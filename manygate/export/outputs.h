// SPDX-License-Identifier: Apache-2.0
// What leaves a model, as plain tensor operations: the outputs of catalog/outputs.h, from the logits of the graph.
//
//   MG_ASSIGN_OR_RETURN(const Tensor prediction, ExportOutput(model, output, logits, &program));
#ifndef MANYGATE_EXPORT_OUTPUTS_H_
#define MANYGATE_EXPORT_OUTPUTS_H_

#include "manygate/base/status.h"
#include "manygate/catalog/outputs.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

// logits: [1, n], of the graph's output that `output` rests on -> [1, output.width]. InvalidInput: a loss whose predictions
// cannot be exported, by its name.
StatusOr<Tensor> ExportOutput(const Model& model, const ModelOutput& output, Tensor logits, TensorProgram* program);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_OUTPUTS_H_
