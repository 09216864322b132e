// SPDX-License-Identifier: Apache-2.0
// The memory of a graph's parameters. Dense parameters, their gradients and the optimizer's state lie in flat arrays of
// equal layout, so that an optimizer step is one pass and a checkpoint one write:
//
//   dense:  [ batch-only decayed | decayed | not decayed | not trainable ]   every block starts at a multiple of 16 floats
//
// What slices sum up starts behind the batch-only part (Block::batch_only). Tables of rows are RowTables; derived tables,
// too, but only operations see them. Parameters are read and written by name whatever their place.
//
//   ParameterStore store(graph, {.dense_states = 2, .embedding_states = 2});
//   store.Initialize(seed);
//   std::vector<float> values = store.Read(0);   // row-major, parameters[0].shape
#ifndef MANYGATE_GRAPH_PARAMETER_STORE_H_
#define MANYGATE_GRAPH_PARAMETER_STORE_H_

#include <memory>
#include <span>
#include <vector>

#include "manygate/base/memory.h"
#include "manygate/graph/graph.h"
#include "manygate/math/row_table.h"

namespace manygate {

struct StateCounts {
  int dense_states = -1;      // optimizer values per dense weight; -1: predict only, no gradients
  int embedding_states = -1;  // the same for embedding tables
};

class ParameterStore {
 public:
  ParameterStore(const Graph& graph, StateCounts counts);

  // Every parameter from its initializer; parameter i draws from its own stream of `seed`, by name, so that adding a
  // parameter does not change the others.
  void Initialize(uint64_t seed);

  // Values of graph.parameters[index], row-major. Write expects exactly as many.
  std::vector<float> Read(int index) const;
  void Write(int index, std::span<const float> values);
  // The present gradient of a parameter (of the last batch; rows not touched have 0).
  std::vector<float> ReadGradient(int index) const;

  float* weights() { return weights_.data(); }
  float* gradient() { return gradient_.data(); }
  float* state(int k) { return states_[k].data(); }
  int num_states() const { return static_cast<int>(states_.size()); }
  // Floats of the dense arrays: [0, decayed_size) take weight decay, [decayed_size, trainable_size) do not,
  // [trainable_size, size) are statistics that no optimizer touches. Gradients of slices are those of
  // [slice_first, trainable_size).
  int64_t slice_first() const { return slice_first_; }
  int64_t decayed_size() const { return decayed_size_; }
  int64_t trainable_size() const { return trainable_size_; }
  int64_t size() const { return static_cast<int64_t>(weights_.size()); }
  // Offset of a node's block in the dense arrays.
  int64_t BlockOffset(Value node, int block) const { return block_offsets_[node][block]; }
  std::vector<std::unique_ptr<RowTable>>& tables() { return tables_; }
  const std::vector<std::unique_ptr<RowTable>>& tables() const { return tables_; }
  std::vector<std::unique_ptr<RowTable>>& derived() { return derived_; }

 private:
  enum class Part { kWeights, kGradient };
  // Calls visit(float* memory, parameter offset, count) for each contiguous run of the parameter.
  template <typename Visit>
  void VisitRuns(int index, Part part, Visit visit) const;

  const Graph& graph_;
  mutable FloatBuffer weights_, gradient_;
  std::vector<FloatBuffer> states_;
  std::vector<std::vector<int64_t>> block_offsets_;
  std::vector<std::unique_ptr<RowTable>> tables_, derived_;
  int64_t slice_first_ = 0, decayed_size_ = 0, trainable_size_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_GRAPH_PARAMETER_STORE_H_
