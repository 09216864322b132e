// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/outputs.h"

#include <algorithm>

#include "manygate/math/cross_entropy.h"

namespace manygate {
namespace {

// "0", "1", ..., or the texts that stand for the classes.
std::vector<std::string> ClassNames(const features::LabelSchema& label, int width) {
  std::vector<std::string> names;
  for (int i = 0; i < width; ++i)
    names.push_back(i < label.class_values_size() ? label.class_values(i) : std::to_string(i));
  return names;
}

std::vector<std::string> ColumnNames(const ModelOutput& output) {
  if (output.width == 1 && output.classes.empty()) return {output.name};
  std::vector<std::string> names;
  for (int64_t i = 0; i < output.width; ++i) {
    const std::string part = output.classes.empty() ? std::to_string(i) : output.classes[static_cast<size_t>(i)];
    names.push_back(output.name + "_" + part);
  }
  return names;
}

}  // namespace

std::vector<ModelOutput> ListOutputs(const Model& model) {
  using Kind = ModelOutput::Kind;
  std::vector<ModelOutput> outputs;
  for (size_t t = 0; t < model.tasks.size(); ++t) {
    const Task& task = model.tasks[t];
    const bool binary = task.kind == config::TaskKind::kBinary, classes = task.kind == config::TaskKind::kClasses;
    const std::string prefix = binary && task.num_logits() == 2 ? "probs1_" : binary || classes ? "probs_" : "y_";
    ModelOutput prediction{prefix + task.tower, Kind::kPrediction, t, task.num_predictions()};
    if (classes) prediction.classes = ClassNames(model.schema.labels(task.label), task.num_predictions());
    outputs.push_back(std::move(prediction));
    outputs.push_back({"logits_" + task.tower, Kind::kLogits, t, task.num_logits()});
  }
  for (size_t i = 0; i < model.graph.outputs.size(); ++i)
    if (model.graph.outputs[i].kind == Graph::Output::Kind::kExtra)
      outputs.push_back({"probs_" + model.graph.outputs[i].name, Kind::kExtra, i, 1});
  for (ModelOutput& output : outputs) output.columns = ColumnNames(output);
  return outputs;
}

void ReadOutput(const Model& model, const ModelOutput& output, const Slice& slice, float* values) {
  const View& logits = slice.logits[output.index];
  if (output.kind == ModelOutput::Kind::kPrediction)
    return model.tasks[output.index].Link(logits.data, logits.stride, slice.rows, values);
  for (int64_t r = 0; r < slice.rows; ++r)
    std::copy_n(logits.data + r * logits.stride, output.width, values + r * output.width);
  if (output.kind == ModelOutput::Kind::kExtra) Sigmoid(values, slice.rows, values);
}

}  // namespace manygate
