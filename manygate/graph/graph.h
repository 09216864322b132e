// SPDX-License-Identifier: Apache-2.0
// The static graph of a model: nodes in topological order, each one operation, and the parameters they use. The functions
// in ops/ add nodes, so that the code of a model reads like its paper:
//
//   Graph graph;
//   Value x = Concat(graph, {OneHot(graph, "sex", 0, 3), Numbers(graph, "age", 0, 1)});
//   Value hidden = Activate(graph, Dense(graph, x, 16, {.name = "bottom.layers.0"}), Activation::kRelu);
//   graph.AddOutput("income", Dense(graph, hidden, 1, {.name = "towers.income.output"}));
//
// A Value is the output of one node; its shape is [B, groups, width] with B, the rows of a batch, symbolic; most values
// have one group, a bank of experts has one group per expert. Rewriting passes (ops/merge_products.h,
// ops/lookup_products.h) change nodes; parameters keep their names and shapes through every pass.
#ifndef MANYGATE_GRAPH_GRAPH_H_
#define MANYGATE_GRAPH_GRAPH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "manygate/graph/op.h"

namespace manygate {

using Value = int;  // index of a node

struct Initializer {
  enum class Kind { kConstant, kUniform, kNormal, kValues };
  Kind kind = Kind::kConstant;
  float a = 0;  // kConstant: the value; kUniform: [a, b); kNormal: mean a, deviation b
  float b = 0;
  std::vector<float> values = {};  // kValues: all of them, row-major
};

// What the user sees, saves and loads by name. Its place in memory is up to the blocks below.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  Initializer initializer;
  bool decay = true;      // weight decay applies (weights, not biases)
  bool trainable = true;  // false: statistics such as running means
  int64_t size() const;
};

// Rows [parameter_row, parameter_row + rows) of a parameter, seen as a matrix of `columns` columns, stand in a block or
// table at rows [row, row + rows) and columns [column, column + columns).
struct Piece {
  int parameter;
  int64_t parameter_row, rows, columns;
  int64_t row, column;
};

// A dense matrix [rows, columns] that one node owns; it may hold several parameters side by side.
struct Block {
  int64_t rows, columns;
  std::vector<Piece> pieces;
  bool batch_only = false;  // its gradient is written once per batch, by EndBatch, and not by the slices
};

// Adds to `pieces` those of rows [first, first + rows) of a block, so that they start at row `to`.
void AppendRows(const Block& from, int64_t first, int64_t rows, int64_t to, std::vector<Piece>& pieces);

// A matrix of which a batch touches few rows (math/row_table.h); several nodes may share it.
struct TableBlock {
  std::string name;
  int64_t rows, columns;
  std::vector<Piece> pieces;
  bool embedding;  // updated by the optimizer of embedding tables, not that of dense parameters
  bool differences = false;  // rows are summed as differences from their column's default row
};

// A matrix of rows that an operation computes from parameters in each batch, with gradients that it hands on to them in
// EndBatch. It is no parameter: no optimizer, average, clipping or checkpoint knows it.
struct DerivedTable {
  std::string name;
  int64_t rows, columns;
};

struct Node {
  std::string name;
  std::unique_ptr<Op> op;
  std::vector<Value> inputs;
  std::vector<Block> blocks;
  std::vector<int> tables;  // indices into Graph::tables
  Shape shape;
  std::vector<int> derived = {};  // indices into Graph::derived_tables
};

class Graph {
 public:
  // What leaves the graph: the towers' logits first, in the order of the configuration; then what only training needs
  // (row losses) or only prediction (extras), dropped by catalog/ for the other purpose.
  struct Output {
    enum class Kind {
      kTower,    // logits of a task, [B, C]: compared with its labels by its losses
      kRowLoss,  // [B, 1], a term of the loss that the model itself computes: `weight` · mean over the rows is added
      kExtra     // logits [B, 1] of one more probability, such as "conversion_given_click"
    };
    std::string name;  // of the tower, the term or the extra; unique
    Value logits;
    Kind kind = Kind::kTower;
    float weight = 1;  // kRowLoss
  };

  Value AddNode(std::string name, std::unique_ptr<Op> op, std::vector<Value> inputs, std::vector<Block> blocks = {},
                std::vector<int> tables = {});
  // Names are unique; a second parameter of the same name is a bug of ours.
  int AddParameter(Parameter parameter);
  int AddTable(TableBlock table);
  int AddDerivedTable(DerivedTable table);
  void AddOutput(std::string tower, Value logits) { outputs.push_back({std::move(tower), logits}); }
  void AddRowLoss(std::string name, Value value, float weight) {
    outputs.push_back({std::move(name), value, Output::Kind::kRowLoss, weight});
  }
  void AddExtra(std::string name, Value logits) { outputs.push_back({std::move(name), logits, Output::Kind::kExtra}); }

  const Node& node(Value value) const { return nodes[value]; }
  const Shape& shape(Value value) const { return nodes[value].shape; }
  // Number of nodes that read each value; an output counts as one reader.
  std::vector<int> NumReaders() const;
  int64_t NumParameters() const;  // trainable numbers
  // One line per node: name, shape, operation.
  std::string Describe() const;

  std::vector<Node> nodes;
  std::vector<Parameter> parameters;
  std::vector<TableBlock> tables;
  std::vector<DerivedTable> derived_tables;
  std::vector<Output> outputs;
};

}  // namespace manygate

#endif  // MANYGATE_GRAPH_GRAPH_H_
