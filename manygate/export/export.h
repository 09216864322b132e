// SPDX-License-Identifier: Apache-2.0
// A model directory as one file of another format.
//
//   MG_ASSIGN_OR_RETURN(const ExportedModel exported,
//                       ExportModel("out/census", {.format = ExportFormat::kOnnx, .output = "census.onnx"}));
#ifndef MANYGATE_EXPORT_EXPORT_H_
#define MANYGATE_EXPORT_EXPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

// kSafetensors: the weights alone. kC: a source file (export/c_writer.h).
enum class ExportFormat { kOnnx, kSafetensors, kC };

// "onnx", "safetensors", "c"
std::vector<std::string> ExportFormatNames();
// Index into ExportFormatNames is the format.
inline ExportFormat ExportFormatAt(size_t index) { return static_cast<ExportFormat>(index); }

struct ExportChoice {
  ExportFormat format = ExportFormat::kOnnx;
  std::string output;
  std::string name = {};  // of the graph or the functions; "": after the model directory
};

// What a file takes and gives; of safetensors its parameters are the outputs.
struct ExportedValue {
  std::string name, type;      // "text", "number"
  std::vector<int64_t> shape;  // the batch left out
};

struct ExportedModel {
  std::string name;
  uint64_t bytes = 0;
  std::vector<ExportedValue> inputs, outputs;
};

// The file appears when it is complete, and replaces an older one. InvalidInput: not a model directory, an output that is a
// file of the model itself, a name that cannot be one in C, and what of the model cannot be exported, by name, a line each.
StatusOr<ExportedModel> ExportModel(const std::string& model_dir, const ExportChoice& choice);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_EXPORT_H_
