// SPDX-License-Identifier: Apache-2.0
// One operation of the graph: shape, forward, backward. To add one, write ops/<name>.{h,cc} with a class derived from Op
// and a function that adds its node; nothing else needs to know it.
//
// An operation has no state of its own that changes: everything a call needs comes in an OpContext, so one graph runs in
// many threads. Forward and Backward are called once per slice of a batch (at most a few hundred rows), never per row.
#ifndef MANYGATE_GRAPH_OP_H_
#define MANYGATE_GRAPH_OP_H_

#include <cstdint>
#include <span>
#include <string>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/math/row_table.h"

namespace manygate {

// [B, groups, width]; a row is groups * width floats, group after group.
struct Shape {
  int64_t groups = 1;
  int64_t width = 0;
  int64_t size() const { return groups * width; }
  bool operator==(const Shape&) const = default;
};

// Rows of a value or of its gradient: row r starts at data + r * stride. data is null where there is none.
struct View {
  float* data = nullptr;
  int64_t stride = 0;
};

// The rows that enter the graph. ids: [rows, id_stride], one column per id slot; numbers: [rows, number_stride];
// labels: [rows, label_stride], one column per label of the schema, NaN = missing; null when predicting. Only operations
// behind row losses read labels.
struct InputBatch {
  int64_t rows = 0;
  const int32_t* ids = nullptr;
  int64_t id_stride = 0;
  const float* numbers = nullptr;
  int64_t number_stride = 0;
  const float* labels = nullptr;
  int64_t label_stride = 0;
};

struct OpContext {
  int64_t rows = 0;
  int64_t first_row = 0;  // of this slice within the batch
  bool training = false;
  uint64_t seed = 0;      // of the run; with step and first_row it makes the random numbers of dropout
  int64_t step = 0;
  bool first_pass = true;  // false when a batch runs forward once more: running statistics must not count it again
  const InputBatch* input = nullptr;  // the rows of this slice
  Shape shape;
  std::span<const Shape> input_shapes;
  std::span<const View> inputs;
  View output;
  // Backward. d_inputs[i].data is null where no gradient is wanted; where accumulate[i], add to it instead of writing.
  View d_output;
  std::span<const View> d_inputs;
  std::span<const uint8_t> accumulate;
  std::span<float* const> blocks;
  std::span<float* const> d_blocks;  // Backward overwrites these, except where a block is batch_only
  std::span<RowTable* const> tables;  // the node's tables, then its derived tables
  ThreadPool* pool = nullptr;         // BeginBatch and EndBatch: what they may share out, with results that do not show it
  float* workspace = nullptr;  // kept from Forward to Backward: workspace_per_row * rows + workspace_fixed floats
  float* scratch = nullptr;    // any content, for one call: `scratch` floats
};

// What Export is given and writes to; a Tensor is a value of the program (graph/tensor_program.h).
struct ExportContext;
using Tensor = int;

// What the memory plan must know of an operation.
struct OpTraits {
  enum class Memory {
    kOwn,      // the output has a buffer of its own
    kInPlace,  // the output may overwrite input 0 where nothing else reads it
    kView      // the output is a range of columns of input 0, starting at view_offset
  };
  Memory memory = Memory::kOwn;
  int64_t view_offset = 0;
  bool backward_reads_inputs = false;
  bool backward_reads_output = false;
  bool commits = false;      // Commit does something, and reads d_output
  bool stops_gradient = false;  // what lies behind it does not learn from what lies after it
  bool whole_batch = false;  // needs all rows of a batch in one slice when training
  int64_t workspace_per_row = 0;
  int64_t workspace_fixed = 0;
  int64_t scratch = 0;
};

class Op {
 public:
  virtual ~Op() = default;
  virtual Shape OutputShape(std::span<const Shape> inputs) const = 0;
  virtual OpTraits Traits(std::span<const Shape> inputs) const = 0;
  virtual void Forward(const OpContext& context) const = 0;
  virtual void Backward(const OpContext& context) const = 0;
  // Adds the row gradients of this slice to the node's tables; called in the order of slices.
  virtual void Commit(const OpContext& context) const {}
  // Tells the node's tables, and its derived tables behind them, which rows the batch reads. input holds the whole batch.
  virtual void Touch(const InputBatch& input, std::span<RowTable* const> tables) const {}
  // Called once per batch before the first slice, with the parameters as they are now; what follows from parameters alone
  // is computed here. Training: for the touched rows of the tables; predicting: for all, when parameters have changed.
  virtual void BeginBatch(const OpContext& context) const {}
  // Called once per training batch after the last slice; d_blocks are those of the whole batch. The gradients of blocks
  // that are `batch_only` are written here.
  virtual void EndBatch(const OpContext& context) const {}
  // Forward, when predicting, as a few plain tensor operations: what ONNX files and C sources are written from. Exported
  // graphs are not rewritten, so operations that only passes add, or only training has, need none. InvalidInput: what of it
  // cannot be exported.
  virtual StatusOr<Tensor> Export(const ExportContext& context) const;
  // The operation and its kernel in a few words: "dense, native".
  virtual std::string Describe() const = 0;
};

}  // namespace manygate

#endif  // MANYGATE_GRAPH_OP_H_
