// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/model_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog.h"
#include "manygate/catalog/outputs.h"
#include "manygate/data/source_options.h"
#include "manygate/export/features.h"
#include "manygate/export/outputs.h"

namespace manygate {
namespace {

// The graph of one model as its code wires it, without the rewriting passes; parameters come by name.
class GraphExporter {
 public:
  GraphExporter(const Model& model, const EncodedRow& row, std::string scope, TensorProgram* program)
      : model_(model),
        graph_(BuildGraph(model.pipeline, model.schema, {.purpose = Purpose::kPredict, .rewrite = false})),
        row_(row),
        scope_(std::move(scope)),
        program_(*program),
        tensors_(graph_.nodes.size(), -1),
        tables_(graph_.tables.size(), -1) {
    for (size_t i = 0; i < model.graph.parameters.size(); ++i)
      parameters_[model.graph.parameters[i].name] = static_cast<int>(i);
  }

  // [1, width]: the logits of an output, by its place in the graph's outputs.
  StatusOr<Tensor> Logits(size_t output) {
    const Value value = graph_.outputs[output].logits;
    MarkNeeded(value);
    for (Value v = 0; v <= value; ++v) {
      if (!needed_[static_cast<size_t>(v)] || tensors_[static_cast<size_t>(v)] >= 0) continue;
      MG_RETURN_IF_ERROR(ExportNode(v));
    }
    return program_.Flat(tensors_[static_cast<size_t>(value)]);
  }

 private:
  void MarkNeeded(Value output) {
    needed_.resize(graph_.nodes.size(), false);
    needed_[static_cast<size_t>(output)] = true;
    for (Value v = output; v >= 0; --v)
      if (needed_[static_cast<size_t>(v)])
        for (const Value input : graph_.node(v).inputs) needed_[static_cast<size_t>(input)] = true;
  }

  // A block or table, row-major.
  std::vector<float> Values(int64_t rows, int64_t columns, const std::vector<Piece>& pieces) {
    std::vector<float> values(static_cast<size_t>(rows * columns), 0.f);
    for (const Piece& piece : pieces) {
      const std::vector<float> from = model_.store->Read(parameters_.at(graph_.parameters[piece.parameter].name));
      for (int64_t r = 0; r < piece.rows; ++r)
        std::copy_n(from.begin() + (piece.parameter_row + r) * piece.columns, piece.columns,
                    values.begin() + (piece.row + r) * columns + piece.column);
    }
    return values;
  }

  Tensor Table(int index) {
    Tensor& tensor = tables_[static_cast<size_t>(index)];
    if (tensor >= 0) return tensor;
    const TableBlock& table = graph_.tables[index];
    std::vector<float> values = Values(table.rows, table.columns, table.pieces);
    values.resize(values.size() + static_cast<size_t>(table.columns), 0.f);
    return tensor = program_.Numbers({table.rows + 1, table.columns}, std::move(values));
  }

  Status ExportNode(Value value) {
    const Node& node = graph_.node(value);
    program_.SetScope(scope_ + node.name);
    std::vector<Tensor> inputs, tables;
    for (const Value input : node.inputs) inputs.push_back(tensors_[static_cast<size_t>(input)]);
    for (const int table : node.tables) tables.push_back(Table(table));
    std::vector<std::vector<float>> blocks;
    for (const Block& block : node.blocks) blocks.push_back(Values(block.rows, block.columns, block.pieces));
    const ExportContext context{&program_, inputs, node.shape, blocks, tables, &row_.ids, row_.numbers};
    StatusOr<Tensor> tensor = node.op->Export(context);
    if (!tensor.ok()) return InvalidInput(fmt::format("{}: {}", node.name, tensor.status().message()));
    MG_CHECK(program_.shape(*tensor) == node.shape, "{} is exported as [{}, {}], not [{}, {}]", node.name,
             program_.shape(*tensor).groups, program_.shape(*tensor).width, node.shape.groups, node.shape.width);
    tensors_[static_cast<size_t>(value)] = *tensor;
    return OkStatus();
  }

  const Model& model_;
  const Graph graph_;
  const EncodedRow& row_;
  const std::string scope_;
  TensorProgram& program_;
  std::vector<Tensor> tensors_;  // by node
  std::vector<Tensor> tables_;   // by table
  std::vector<bool> needed_;     // by node
  std::map<std::string, int> parameters_;
};

}  // namespace

StatusOr<TensorProgram> MakeProgram(const std::vector<std::unique_ptr<Model>>& members) {
  const Model& first = *members[0];
  TensorProgram program;
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(first.pipeline.data_config()));
  MG_ASSIGN_OR_RETURN(const EncodedRow row, ExportFeatures(first.schema, options, &program));
  const std::vector<ModelOutput> outputs = ListOutputs(first);
  std::vector<Tensor> sums(outputs.size(), -1);
  for (size_t m = 0; m < members.size(); ++m) {
    const std::string scope = members.size() == 1 ? "" : fmt::format("members.{}.", m + 1);
    GraphExporter exporter(*members[m], row, scope, &program);
    for (size_t i = 0; i < outputs.size(); ++i) {
      MG_ASSIGN_OR_RETURN(const Tensor logits, exporter.Logits(outputs[i].index));
      program.SetScope(scope + outputs[i].name);
      MG_ASSIGN_OR_RETURN(const Tensor output, ExportOutput(*members[m], outputs[i], logits, &program));
      sums[i] = sums[i] < 0 ? output : program.Add(sums[i], output);
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    program.SetScope(outputs[i].name);
    const auto count = static_cast<float>(members.size());
    program.AddOutput(outputs[i].name, members.size() == 1 ? sums[i] : program.Divide(sums[i], program.Number(count)));
  }
  return program;
}

}  // namespace manygate
