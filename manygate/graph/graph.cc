// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate {

int64_t Parameter::size() const {
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  return size;
}

void AppendRows(const Block& from, int64_t first, int64_t rows, int64_t to, std::vector<Piece>& pieces) {
  for (const Piece& piece : from.pieces) {
    const int64_t low = std::max(first, piece.row), high = std::min(first + rows, piece.row + piece.rows);
    if (low >= high) continue;
    pieces.push_back({piece.parameter, piece.parameter_row + low - piece.row, high - low, piece.columns,
                      to + low - first, piece.column});
  }
}

Value Graph::AddNode(std::string name, std::unique_ptr<Op> op, std::vector<Value> inputs, std::vector<Block> blocks,
                     std::vector<int> node_tables) {
  std::vector<Shape> shapes;
  for (const Value input : inputs) {
    MG_CHECK(input >= 0 && input < static_cast<Value>(nodes.size()), "node {} reads value {} of {}", name, input,
             nodes.size());
    shapes.push_back(nodes[input].shape);
  }
  const Shape shape = op->OutputShape(shapes);
  nodes.push_back(
      {std::move(name), std::move(op), std::move(inputs), std::move(blocks), std::move(node_tables), shape});
  return static_cast<Value>(nodes.size()) - 1;
}

int Graph::AddParameter(Parameter parameter) {
  for (const Parameter& other : parameters)
    MG_CHECK(other.name != parameter.name, "two parameters are named {}", parameter.name);
  parameters.push_back(std::move(parameter));
  return static_cast<int>(parameters.size()) - 1;
}

int Graph::AddTable(TableBlock table) {
  tables.push_back(std::move(table));
  return static_cast<int>(tables.size()) - 1;
}

int Graph::AddDerivedTable(DerivedTable table) {
  derived_tables.push_back(std::move(table));
  return static_cast<int>(derived_tables.size()) - 1;
}

std::vector<int> Graph::NumReaders() const {
  std::vector<int> readers(nodes.size(), 0);
  for (const Node& node : nodes)
    for (const Value input : node.inputs) ++readers[input];
  for (const Output& output : outputs) ++readers[output.logits];
  return readers;
}

int64_t Graph::NumParameters() const {
  int64_t total = 0;
  for (const Parameter& parameter : parameters)
    if (parameter.trainable) total += parameter.size();
  return total;
}

std::string Graph::Describe() const {
  std::string text;
  for (const Node& node : nodes) {
    const std::string shape = node.shape.groups == 1 ? fmt::format("[B, {}]", node.shape.width)
                                                     : fmt::format("[B, {}, {}]", node.shape.groups, node.shape.width);
    text += fmt::format("{:<40} {:<16} {}\n", node.name, shape, node.op->Describe());
  }
  return text;
}

}  // namespace manygate
