// SPDX-License-Identifier: Apache-2.0
// A program of tensor operations as an ONNX model: opset 17 and ai.onnx.ml 2 (LabelEncoder), IR version 8.
//
//   MG_ASSIGN_OR_RETURN(const std::string bytes, WriteOnnx(program, {.name = "census", .model = "mmoe"}));
//
// Inputs are named as the columns: [batch, 1] of strings or floats, lists [batch, values] or [batch, positions, values].
// Outputs are named as those of `manygate predict`, [batch, width]. The batch may be of any size, 0 included.
#ifndef MANYGATE_EXPORT_ONNX_WRITER_H_
#define MANYGATE_EXPORT_ONNX_WRITER_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

struct OnnxChoice {
  std::string name;   // of the graph
  std::string model;  // of the model in the configuration; kept as metadata
};

// The shape of an input as ONNX has it, the batch left out: [1], [values] or [positions, values].
std::vector<int64_t> OnnxInputShape(const ProgramInput& input);

// InvalidInput: too large for the format (2 GB), an output that is named as a column.
StatusOr<std::string> WriteOnnx(const TensorProgram& program, const OnnxChoice& choice);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_ONNX_WRITER_H_
