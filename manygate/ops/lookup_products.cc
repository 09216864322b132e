// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_products.h"

#include <algorithm>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/lookup_dense.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

const OneHotOp* AsOneHot(const Graph& graph, Value value) {
  return dynamic_cast<const OneHotOp*>(graph.node(value).op.get());
}

// The values that a dense node's input is made of, in order.
std::vector<Value> Parts(const Graph& graph, Value input) {
  if (dynamic_cast<const ConcatOp*>(graph.node(input).op.get()) != nullptr) return graph.node(input).inputs;
  return {input};
}

// Copies the pieces of rows [first, first + rows) of `from` so that they start at row `to`.
void MovePieces(const Block& from, int64_t first, int64_t rows, int64_t to, std::vector<Piece>& pieces) {
  for (const Piece& piece : from.pieces) {
    const int64_t low = std::max(first, piece.row), high = std::min(first + rows, piece.row + piece.rows);
    if (low >= high) continue;
    pieces.push_back({piece.parameter, piece.parameter_row + low - piece.row, high - low, piece.columns,
                      to + low - first, piece.column});
  }
}

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph), renamed_(graph.nodes.size()) {}

  void Run() {
    // Nodes are moved one by one; what a rewrite asks of earlier nodes it asks of `graph_` before they go.
    std::vector<std::vector<Value>> parts(graph_.nodes.size());
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (dynamic_cast<const DenseOp*>(graph_.nodes[i].op.get()) == nullptr) continue;
      auto candidates = Parts(graph_, graph_.nodes[i].inputs[0]);
      if (std::any_of(candidates.begin(), candidates.end(), [&](Value v) { return AsOneHot(graph_, v) != nullptr; }))
        parts[i] = std::move(candidates);
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (parts[i].empty()) {
        Copy(static_cast<Value>(i));
      } else {
        Replace(static_cast<Value>(i), parts[i]);
      }
    }
    graph_.nodes = std::move(nodes_);
    for (auto& output : graph_.outputs) output.logits = renamed_[output.logits];
  }

 private:
  Value Push(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<Value>(nodes_.size()) - 1;
  }

  const Node& Renamed(Value old) const { return nodes_[renamed_[old]]; }

  void Copy(Value i) {
    Node node = std::move(graph_.nodes[i]);
    for (Value& input : node.inputs) input = renamed_[input];
    renamed_[i] = Push(std::move(node));
  }

  void Replace(Value i, const std::vector<Value>& parts) {
    Node old = std::move(graph_.nodes[i]);
    const Block& weight = old.blocks[0];
    std::vector<LookupColumn> columns;
    TableBlock table{old.name, 0, weight.columns, {}, false};
    Block rest_block{0, weight.columns, {}};
    std::vector<Value> rest;
    int64_t row = 0;
    for (const Value part : parts) {
      const int64_t width = Renamed(part).shape.size();
      if (const auto* one_hot = dynamic_cast<const OneHotOp*>(Renamed(part).op.get())) {
        columns.push_back({one_hot->slot(), table.rows, width, one_hot->default_id()});
        MovePieces(weight, row, width, table.rows, table.pieces);
        table.rows += width;
      } else {
        MovePieces(weight, row, width, rest_block.rows, rest_block.pieces);
        rest_block.rows += width;
        rest.push_back(renamed_[part]);
      }
      row += width;
    }
    const bool has_bias = old.blocks.size() > 1;
    auto op = std::make_unique<LookupDenseOp>(old.shape, std::move(columns), !rest.empty(), has_bias);
    table.differences = op->has_defaults();
    Node node{old.name, std::move(op), {}, {}, {graph_.AddTable(std::move(table))}, old.shape};
    if (!rest.empty()) {
      node.inputs = {JoinRest(old.name, rest)};
      node.blocks.push_back(std::move(rest_block));
    }
    if (has_bias) node.blocks.push_back(std::move(old.blocks[1]));
    renamed_[i] = Push(std::move(node));
  }

  Value JoinRest(const std::string& name, const std::vector<Value>& rest) {
    if (rest.size() == 1) return rest[0];
    Node node{name + " rest", std::make_unique<ConcatOp>(), rest, {}, {}, {1, 0}};
    for (const Value part : rest) node.shape.width += nodes_[part].shape.size();
    return Push(std::move(node));
  }

  Graph& graph_;
  std::vector<Value> renamed_;
  std::vector<Node> nodes_;
};

}  // namespace

void LookUpInsteadOfMultiply(Graph& graph) {
  Rewriter(graph).Run();
  RemoveUnusedNodes(graph);
}

}  // namespace manygate
