// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/piecewise_products.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/piecewise.h"
#include "manygate/ops/piecewise_dense.h"

namespace manygate {
namespace {

// Products of more columns keep features of fewer pieces written out.
constexpr int64_t kNarrow = 64, kFewPieces = 16;

// A part of a product's input, as it was before the rewriting.
struct Part {
  Value value;
  int64_t width;
  const PiecesOp* pieces;  // null: stays in the product
};

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph), renamed_(graph.nodes.size()) {}

  void Run() {
    // Nodes are moved one by one; what a rewrite asks of earlier nodes it asks before they go.
    std::vector<std::vector<Part>> parts;
    for (const Node& node : graph_.nodes) parts.push_back(PartsToSum(node));
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      Node node = std::move(graph_.nodes[i]);
      if (!parts[i].empty()) {
        renamed_[i] = Replace(std::move(node), parts[i]);
      } else {
        for (Value& input : node.inputs) input = renamed_[input];
        renamed_[i] = Push(std::move(node));
      }
    }
    graph_.nodes = std::move(nodes_);
    for (auto& output : graph_.outputs) output.logits = renamed_[output.logits];
  }

 private:
  // Empty unless the node is a product with pieces to be summed.
  std::vector<Part> PartsToSum(const Node& node) const {
    if (dynamic_cast<const DenseOp*>(node.op.get()) == nullptr) return {};
    std::vector<Part> parts;
    bool any = false;
    for (const Value value : ConcatParts(graph_, node.inputs[0])) {
      Part part{value, graph_.shape(value).size(), dynamic_cast<const PiecesOp*>(graph_.node(value).op.get())};
      if (part.width < kFewPieces && node.shape.size() > kNarrow) part.pieces = nullptr;
      any |= part.pieces != nullptr;
      parts.push_back(part);
    }
    return any ? parts : std::vector<Part>{};
  }

  Value Push(Node node) {
    nodes_.push_back(std::move(node));
    return static_cast<Value>(nodes_.size()) - 1;
  }

  Value Replace(Node old, const std::vector<Part>& parts) {
    const Block& weight = old.blocks[0];
    Block piece_block{0, weight.columns, {}}, rest_block{0, weight.columns, {}};
    std::vector<PiecewiseColumn> columns;
    std::vector<Value> rest;
    int64_t row = 0;
    for (const Part& part : parts) {
      Block& block = part.pieces != nullptr ? piece_block : rest_block;
      if (part.pieces != nullptr) {
        columns.push_back({part.pieces->slot(), part.pieces->number_offset(), block.rows, part.width});
      } else {
        rest.push_back(renamed_[part.value]);
      }
      AppendRows(weight, row, part.width, block.rows, block.pieces);
      block.rows += part.width;
      row += part.width;
    }
    const int table = graph_.AddDerivedTable({old.name + " pieces", piece_block.rows, 2 * weight.columns});
    Node sum{old.name + " + pieces",
             std::make_unique<PiecewiseDenseOp>(old.shape, std::move(columns)),
             {},
             {},
             {},
             old.shape,
             {table}};
    sum.blocks.push_back(std::move(piece_block));
    if (rest.empty()) {
      sum.name = old.name;
      if (old.blocks.size() > 1) sum.blocks.push_back(std::move(old.blocks[1]));
    } else {
      old.inputs = {Join(old.name, rest)};
      old.blocks[0] = std::move(rest_block);
      sum.inputs = {Push(std::move(old))};
    }
    return Push(std::move(sum));
  }

  Value Join(const std::string& name, const std::vector<Value>& rest) {
    if (rest.size() == 1) return rest[0];
    Node node{name + " without pieces", std::make_unique<ConcatOp>(), rest, {}, {}, {1, 0}};
    for (const Value part : rest) node.shape.width += nodes_[part].shape.size();
    return Push(std::move(node));
  }

  Graph& graph_;
  std::vector<Value> renamed_;
  std::vector<Node> nodes_;
};

}  // namespace

void SumInsteadOfPieces(Graph& graph) {
  Rewriter(graph).Run();
  RemoveUnusedNodes(graph);
}

}  // namespace manygate
