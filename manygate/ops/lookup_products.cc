// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_products.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/lookup_dense.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

// What becomes of a dense node's parts, in order.
enum class Fate { kLookUp, kTabulate, kMultiply };

class Rewriter {
 public:
  Rewriter(Graph& graph, const LookupOptions& options)
      : graph_(graph), options_(options), renamed_(graph.nodes.size()) {}

  void Run() {
    // Nodes are moved one by one; what a rewrite asks of earlier nodes it asks of `graph_` before they go.
    std::vector<std::vector<std::pair<Value, Fate>>> plans(graph_.nodes.size());
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      if (dynamic_cast<const DenseOp*>(graph_.nodes[i].op.get()) != nullptr) plans[i] = PlanOf(graph_.nodes[i]);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (plans[i].empty()) {
        Copy(static_cast<Value>(i));
      } else {
        Replace(static_cast<Value>(i), plans[i]);
      }
    }
    graph_.nodes = std::move(nodes_);
    for (auto& output : graph_.outputs) output.logits = renamed_[output.logits];
  }

 private:
  // Empty: the node stays as it is.
  std::vector<std::pair<Value, Fate>> PlanOf(const Node& dense) const {
    std::vector<std::pair<Value, Fate>> plan;
    std::vector<std::pair<int64_t, size_t>> candidates;  // vocabulary, part
    const int64_t width = dense.blocks[0].columns;
    bool any = false;
    for (const Value part : ConcatParts(graph_, dense.inputs[0])) {
      const Op* op = graph_.node(part).op.get();
      const bool one_hot = dynamic_cast<const OneHotOp*>(op) != nullptr;
      if (const auto* lookup = dynamic_cast<const LookupOp*>(op); lookup != nullptr && CanTabulate(*lookup, width))
        candidates.emplace_back(lookup->column().rows, plan.size());
      plan.emplace_back(part, one_hot ? Fate::kLookUp : Fate::kMultiply);
      any |= one_hot;
    }
    std::sort(candidates.begin(), candidates.end());
    const int64_t record_bytes = 2 * ((width + 15) / 16 * 16) * static_cast<int64_t>(sizeof(float));
    int64_t left = options_.table_bytes;
    for (const auto& [vocabulary, part] : candidates) {
      left -= vocabulary * record_bytes;
      if (left < 0) break;
      if (!Pays(dynamic_cast<const LookupOp&>(*graph_.node(plan[part].first).op), width)) break;
      plan[part].second = Fate::kTabulate;
      any = true;
    }
    if (!any) plan.clear();
    return plan;
  }

  bool Pays(const LookupOp& lookup, int64_t width) const {
    const LookupColumn column = lookup.column();
    return TabulationPays(column.rows, lookup.dim(), width, options_.batch_rows, column.num_slots);
  }

  // A mean is no sum of products. Of several values a small vocabulary need not pay where a larger one of single values
  // does, so it is asked before they are sorted.
  bool CanTabulate(const LookupOp& lookup, int64_t width) const {
    return lookup.pooling() == Pooling::kSum && (lookup.column().num_slots == 1 || Pays(lookup, width));
  }

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

  // A dense node on its way to become a LookupDenseOp.
  struct Split {
    LookupDenseOp::Inputs inputs;
    TableBlock one_hots;
    DerivedTable products;
    std::vector<int> embeddings;  // tables of the graph, each once
    Block rest_block;
    std::vector<Value> rest;
    std::vector<Block> tabulated_blocks;
  };

  void Replace(Value i, const std::vector<std::pair<Value, Fate>>& plan) {
    Node old = std::move(graph_.nodes[i]);
    const int64_t width = old.blocks[0].columns;
    Split split{{}, {old.name, 0, width, {}, false}, {old.name + " products", 0, width}, {}, {0, width, {}}, {}, {}};
    int64_t row = 0;
    for (const auto& [part, fate] : plan) {
      AddPart(old.blocks[0], row, part, fate, split);
      row += Renamed(part).shape.size();
    }
    split.inputs.has_rest = !split.rest.empty();
    split.inputs.has_bias = old.blocks.size() > 1;
    Node node{old.name, nullptr, {}, {}, {}, old.shape};
    // Tables in the order that LookupDenseOp expects.
    const bool has_one_hots = !split.inputs.one_hots.empty();
    for (TabulatedColumn& column : split.inputs.tabulated) column.table += has_one_hots ? 1 : 0;
    auto op = std::make_unique<LookupDenseOp>(old.shape, std::move(split.inputs));
    split.one_hots.differences = op->has_one_hot_defaults();
    node.op = std::move(op);
    if (has_one_hots) node.tables.push_back(graph_.AddTable(std::move(split.one_hots)));
    node.tables.insert(node.tables.end(), split.embeddings.begin(), split.embeddings.end());
    if (split.products.rows > 0) node.derived.push_back(graph_.AddDerivedTable(std::move(split.products)));
    if (!split.rest.empty()) {
      node.inputs = {JoinRest(old.name, split.rest)};
      node.blocks.push_back(std::move(split.rest_block));
    }
    if (old.blocks.size() > 1) node.blocks.push_back(std::move(old.blocks[1]));
    for (Block& block : split.tabulated_blocks) node.blocks.push_back(std::move(block));
    renamed_[i] = Push(std::move(node));
  }

  // Rows [row, row + width of the part) of the weight go where the part goes.
  void AddPart(const Block& weight, int64_t row, Value part, Fate fate, Split& split) {
    const Node& node = Renamed(part);
    const int64_t width = node.shape.size();
    if (fate == Fate::kLookUp) {
      LookupColumn column = dynamic_cast<const OneHotOp*>(node.op.get())->column();
      column.row0 = split.one_hots.rows;
      split.inputs.one_hots.push_back(column);
      AppendRows(weight, row, width, split.one_hots.rows, split.one_hots.pieces);
      split.one_hots.rows += width;
    } else if (fate == Fate::kTabulate) {
      const auto found = std::find(split.embeddings.begin(), split.embeddings.end(), node.tables[0]);
      const int table = static_cast<int>(found - split.embeddings.begin());
      if (found == split.embeddings.end()) split.embeddings.push_back(node.tables[0]);
      LookupColumn column = dynamic_cast<const LookupOp*>(node.op.get())->column();
      column.row0 = split.products.rows;
      split.products.rows += column.rows;
      split.inputs.tabulated.push_back({column, table});
      Block& block = split.tabulated_blocks.emplace_back(Block{width, weight.columns, {}, true});
      AppendRows(weight, row, width, 0, block.pieces);
    } else {
      AppendRows(weight, row, width, split.rest_block.rows, split.rest_block.pieces);
      split.rest_block.rows += width;
      split.rest.push_back(renamed_[part]);
    }
  }

  Value JoinRest(const std::string& name, const std::vector<Value>& rest) {
    if (rest.size() == 1) return rest[0];
    Node node{name + " rest", std::make_unique<ConcatOp>(), rest, {}, {}, {1, 0}};
    for (const Value part : rest) node.shape.width += nodes_[part].shape.size();
    return Push(std::move(node));
  }

  Graph& graph_;
  const LookupOptions options_;
  std::vector<Value> renamed_;
  std::vector<Node> nodes_;
};

}  // namespace

bool TabulationPays(int64_t vocabulary, int64_t dim, int64_t width, int64_t batch_rows, int64_t most_values) {
  const double v = static_cast<double>(vocabulary), b = static_cast<double>(batch_rows), d = static_cast<double>(dim);
  const double values = b * static_cast<double>(most_values);
  const double distinct = v * (1 - std::exp(-values / v));
  return width >= 16 && 3 * d * distinct + 5 * values < 3 * d * b;
}

void LookUpInsteadOfMultiply(Graph& graph, const LookupOptions& options) {
  Rewriter(graph, options).Run();
  RemoveUnusedNodes(graph);
}

}  // namespace manygate
