// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/merge_products.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"

namespace manygate {
namespace {

// Column `column` of the wide block starts the columns of one of its parts.
void AppendPieces(const Block& part, int64_t column, Block& wide) {
  for (Piece piece : part.pieces) {
    piece.column += column;
    wide.pieces.push_back(piece);
  }
}

Node WideProduct(const Graph& graph, const std::vector<Value>& members) {
  const Node& first = graph.node(members[0]);
  int64_t columns = 0;
  for (const Value member : members) columns += graph.shape(member).size();
  std::vector<Block> blocks;
  for (const Block& block : first.blocks) blocks.push_back({block.rows, columns, {}});
  int64_t column = 0;
  for (const Value member : members) {
    for (size_t b = 0; b < blocks.size(); ++b) AppendPieces(graph.node(member).blocks[b], column, blocks[b]);
    column += graph.shape(member).size();
  }
  const Shape shape{1, columns};
  return {fmt::format("{} + {} more", first.name, members.size() - 1), std::make_unique<DenseOp>(shape), first.inputs,
          std::move(blocks), {}, shape};
}

}  // namespace

void MergeParallelProducts(Graph& graph) {
  std::map<std::pair<Value, size_t>, std::vector<Value>> groups;  // (input, number of blocks) -> dense nodes
  for (Value i = 0; i < static_cast<Value>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[i];
    if (dynamic_cast<const DenseOp*>(node.op.get()) != nullptr)
      groups[{node.inputs[0], node.blocks.size()}].push_back(i);
  }
  std::vector<Value> renamed(graph.nodes.size());
  std::map<Value, std::pair<Value, int64_t>> merged;  // old node -> (wide node, first column)
  std::vector<Node> nodes;
  for (Value i = 0; i < static_cast<Value>(graph.nodes.size()); ++i) {
    const Node& old = graph.nodes[i];
    const bool dense = dynamic_cast<const DenseOp*>(old.op.get()) != nullptr;
    const auto members = dense ? groups[{old.inputs[0], old.blocks.size()}] : std::vector<Value>{};
    if (members.size() > 1 && members[0] == i) {
      Node wide = WideProduct(graph, members);
      wide.inputs = {renamed[old.inputs[0]]};
      nodes.push_back(std::move(wide));
      int64_t column = 0;
      for (const Value member : members) {
        merged[member] = {static_cast<Value>(nodes.size()) - 1, column};
        column += graph.shape(member).size();
      }
    }
    Node node = std::move(graph.nodes[i]);
    if (const auto found = merged.find(i); found != merged.end()) {
      node.op = std::make_unique<SliceOp>(found->second.second, node.shape);
      node.inputs = {found->second.first};
      node.blocks.clear();
    } else {
      for (Value& input : node.inputs) input = renamed[input];
    }
    graph.nodes[i].shape = node.shape;  // WideProduct of a later group still asks for shapes
    nodes.push_back(std::move(node));
    renamed[i] = static_cast<Value>(nodes.size()) - 1;
  }
  graph.nodes = std::move(nodes);
  for (auto& output : graph.outputs) output.logits = renamed[output.logits];
}

void RemoveUnusedNodes(Graph& graph) {
  std::vector<uint8_t> used(graph.nodes.size(), 0);
  for (const auto& output : graph.outputs) used[output.logits] = 1;
  for (size_t i = graph.nodes.size(); i-- > 0;)
    if (used[i])
      for (const Value input : graph.nodes[i].inputs) used[input] = 1;
  std::vector<Value> renamed(graph.nodes.size(), -1);
  std::vector<Node> nodes;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!used[i]) continue;
    for (Value& input : graph.nodes[i].inputs) input = renamed[input];
    nodes.push_back(std::move(graph.nodes[i]));
    renamed[i] = static_cast<Value>(nodes.size()) - 1;
  }
  graph.nodes = std::move(nodes);
  for (auto& output : graph.outputs) output.logits = renamed[output.logits];
}

}  // namespace manygate
