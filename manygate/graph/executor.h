// SPDX-License-Identifier: Apache-2.0
// Runs a graph. A batch is cut into slices of at most slice_rows rows, by its rows alone, and the slices are spread over
// the threads; each slice uses the thread's own arena, so activations stay in its cache. Gradients are committed in the
// order of slices, each slice waiting for its turn, so the number of threads changes the time and nothing else.
//
//   Executor executor(graph, store, {.training = true, .slice_rows = 256}, pool);
//   executor.Touch(batch);                        // then the optimizer brings the touched rows up to date
//   executor.ForwardBackward(batch, step, loss);  // leaves gradients in the store
//   executor.ParametersChanged();                 // before the first Forward, and whenever the store was written to
//   executor.Forward(batch, [&](const Slice& slice) { ... slice.logits[task] ... });
//
// A graph that holds an operation over the whole batch (batch normalisation) trains in one slice per batch, on one
// thread (docs/adr/0001).
#ifndef MANYGATE_GRAPH_EXECUTOR_H_
#define MANYGATE_GRAPH_EXECUTOR_H_

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "manygate/base/memory.h"
#include "manygate/base/thread_pool.h"
#include "manygate/graph/graph.h"
#include "manygate/graph/memory_plan.h"
#include "manygate/graph/parameter_store.h"

namespace manygate {

struct ExecutorOptions {
  bool training = false;
  int64_t slice_rows = 256;
  int64_t max_batch_rows = 256;     // only for graphs with whole-batch operations or losses
  bool whole_batch_losses = false;  // training: the loss needs all rows of a batch in one slice
  uint64_t seed = 0;
  std::vector<Value> probes = {};  // prediction: values inside the graph that each Slice shows besides its outputs
};

// One slice after its forward pass. logits and d_logits are in the order of graph.outputs, one row per row of the slice.
struct Slice {
  int64_t first_row, rows;
  int index;
  std::span<const View> logits;
  std::span<const View> d_logits;     // training: to be filled by the loss
  std::span<const View> probes = {};  // prediction: in the order of ExecutorOptions::probes
};

class Executor {
 public:
  Executor(const Graph& graph, ParameterStore& store, const ExecutorOptions& options, ThreadPool& pool);

  // Slices that a batch of this many rows is cut into.
  int NumSlices(int64_t rows) const;
  // Records in the store's tables which rows the batch reads. Ids are trusted to be in range.
  void Touch(const InputBatch& batch);
  // loss is called once per slice, from several threads, slice.index < NumSlices(batch.rows). first_pass: false when the
  // same batch runs once more, by another loss.
  void ForwardBackward(const InputBatch& batch, int64_t step, const std::function<void(const Slice&)>& loss,
                       bool first_pass = true);
  // Prediction: computes once what follows from the parameters alone.
  void ParametersChanged();
  // Forward only; visit is called once per slice, from several threads. step: of a training executor, whose batch then
  // runs as it does in that step (the same dropout), but for running statistics, which stay.
  void Forward(const InputBatch& batch, const std::function<void(const Slice&)>& visit, int64_t step = 0);

  const MemoryPlan& plan() const { return plan_; }
  int64_t slice_rows() const { return slice_rows_; }

 private:
  // Everything that one thread needs, prepared once: contexts hold pointers into its arena.
  struct Worker {
    FloatBuffer arena;
    FloatBuffer gradient;  // of one slice, where a batch has several
    std::vector<OpContext> contexts;
    std::vector<std::vector<View>> inputs, d_inputs;
    std::vector<std::vector<Shape>> input_shapes;
    std::vector<std::vector<float*>> blocks, d_blocks;
    std::vector<std::vector<RowTable*>> tables;
    std::vector<View> logits, d_logits, probes;
    InputBatch input;
  };

  std::unique_ptr<Worker> MakeWorker() const;
  void PointGradientsAt(Worker& worker, float* gradient) const;
  void SetSlice(Worker& worker, const InputBatch& batch, int slice, int64_t step, bool first_pass) const;
  void RunForward(Worker& worker) const;
  void RunBackward(Worker& worker) const;
  void Commit(Worker& worker) const;
  void BeginBatch();
  void EndBatch();
  void RunTrainingSlice(Worker& worker, const InputBatch& batch, int slice, int64_t step,
                        const std::function<void(const Slice&)>& loss, bool first_pass) const;

  const Graph& graph_;
  ParameterStore& store_;
  const ExecutorOptions options_;
  ThreadPool& pool_;
  int64_t slice_rows_;
  MemoryPlan plan_;
  std::vector<std::unique_ptr<Worker>> workers_;  // by thread
};

}  // namespace manygate

#endif  // MANYGATE_GRAPH_EXECUTOR_H_
