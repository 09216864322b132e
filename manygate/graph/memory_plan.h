// SPDX-License-Identifier: Apache-2.0
// Decides, before the first row, where each value, gradient and workspace of a graph lies in one arena. Times run
// 0 .. N-1 (forward of node i at i), N (losses), N+1 .. 2N (backward of node i at 2N - i), 2N + 1 (commit). Two buffers
// whose lives do not overlap may share memory:
//
//   time      0   1   2   3 | loss | 3'  2'  1'  0' | commit
//   dense out     ================================             kept: its backward reads it
//   slice         (the same memory, a view)
//   gradient                  =========                        dead once its producer's backward has run
//
// In place: an operation that can, and whose input nobody else needs, writes over its input; a slice is a view.
#ifndef MANYGATE_GRAPH_MEMORY_PLAN_H_
#define MANYGATE_GRAPH_MEMORY_PLAN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

struct MemoryPlan {
  struct Place {
    int64_t offset = -1;  // floats from the start of the arena; -1: no memory
    int64_t stride = 0;   // floats from row to row
  };
  std::vector<Place> values;     // by node
  std::vector<Place> gradients;  // by node; none when predicting or where no parameter lies behind the value
  std::vector<int64_t> workspaces;
  std::vector<std::vector<uint8_t>> accumulate;  // by node and input: this reader adds to the gradient
  int64_t scratch = 0;
  int64_t size = 0;  // floats of one arena
};

// capacity: rows of one slice at most. probes: values that are kept for the visitor, as outputs are; only for prediction.
// The same graph and arguments give the same plan.
MemoryPlan PlanMemory(const Graph& graph, int64_t capacity, bool training, std::span<const Value> probes = {});

}  // namespace manygate

#endif  // MANYGATE_GRAPH_MEMORY_PLAN_H_
