// SPDX-License-Identifier: Apache-2.0
// For tests: a small MMoE with inputs of every kind, wired by hand.
//
//   one-hot a (5) ─┐
//   one-hot b (40) ┤            ┌─ experts [4·10] ─ relu ─ bank [4·7] ─ relu ─┬─ mix x ─ tower x ─ logits x
//   embedding c (6)┼─ concat ───┼─ gate x ─ softmax ─────────────────────────┘ │
//   embedding d (6)┤  (60)      └─ gate y ─ softmax ────────────────────────── mix y ─ tower y ─ logits y
//   numbers (3)   ─┘
//
// c and d share one table of 11 rows.
#ifndef MANYGATE_OPS_MMOE_GRAPH_TESTING_H_
#define MANYGATE_OPS_MMOE_GRAPH_TESTING_H_

#include <string>

#include "manygate/graph/graph.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/graph_runner_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/lookup_products.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/mix.h"

namespace manygate {

struct MmoeChoice {
  bool merge = false;       // MergeParallelProducts
  bool look_up = false;     // LookUpInsteadOfMultiply, with batches of 512 rows
  int32_t default_id = -1;  // of the one-hot columns and embeddings
  float dropout = 0;        // in the towers
  Activation activation = Activation::kRelu;
  bool bias = true;  // of the first layer of the experts
};

inline Graph MakeMmoeGraph(const MmoeChoice& choice = {}) {
  Graph graph;
  const int table = AddEmbedding(graph, "shared", 11, 6, {Initializer::Kind::kUniform, -1.f, 1.f});
  const Value x = Concat(graph, "input",
                         {OneHot(graph, "a", 0, 5, choice.default_id), OneHot(graph, "b", 1, 40, choice.default_id),
                          Lookup(graph, "c", 2, table, choice.default_id), Lookup(graph, "d", 3, table, choice.default_id),
                          Numbers(graph, "numbers", 0, 3)});
  Value experts = Dense(graph, x, {4, 10}, "experts.layers.0", choice.bias);
  experts = Activate(graph, experts, choice.activation, "experts.layers.0.activation");
  experts = DenseBank(graph, experts, 7, "experts.layers.1");
  experts = Activate(graph, experts, choice.activation, "experts.layers.1.activation");
  for (const std::string task : {"x", "y"}) {
    const Value gate = Softmax(graph, Dense(graph, x, {1, 4}, "gates." + task + ".output"), "gates." + task);
    Value tower = Mix(graph, experts, gate, "mix." + task);
    tower = Dense(graph, tower, {1, 5}, "towers." + task + ".layers.0");
    tower = Activate(graph, tower, choice.activation, "towers." + task + ".activation");
    tower = Dropout(graph, tower, choice.dropout, "towers." + task + ".dropout");
    graph.AddOutput(task, Dense(graph, tower, {1, 1}, "towers." + task + ".output"));
  }
  if (choice.merge) MergeParallelProducts(graph);
  if (choice.look_up) LookUpInsteadOfMultiply(graph);
  return graph;
}

inline TestBatch MakeMmoeBatch(int64_t rows, uint64_t seed = 3) {
  return MakeTestBatch(rows, {5, 40, 11, 11}, 3, seed);
}

}  // namespace manygate

#endif  // MANYGATE_OPS_MMOE_GRAPH_TESTING_H_
