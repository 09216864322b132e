// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence_dense.h"

#include <fmt/format.h>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"
#include "manygate/ops/dense.h"

namespace manygate {
namespace {

// Where the rows of x and y follow each other without a gap, all positions of a slice are one matrix; else those of one row.
struct Runs {
  int64_t count, positions;  // of matrices; of rows of each
};

Runs RunsOf(const OpContext& c, View x, View y) {
  const Shape in = c.input_shapes[0], out = c.shape;
  const bool packed = c.rows <= 1 || (x.stride == in.size() && y.stride == out.size());
  return packed ? Runs{1, c.rows * in.groups} : Runs{c.rows, in.groups};
}

// Block 0: W [K, N]; block 1, if any: b [1, N].
class SharedDenseOp final : public Op {
 public:
  explicit SharedDenseOp(int64_t width) : width_(width) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return {inputs[0].groups, width_}; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .scratch = inputs[0].width * width_};
  }
  void Forward(const OpContext& c) const override {
    const View x = c.inputs[0], y = c.output;
    const Runs runs = RunsOf(c, x, y);
    const int64_t in = c.input_shapes[0].width;
    const float* bias = c.blocks.size() > 1 ? c.blocks[1] : nullptr;
    for (int64_t r = 0; r < runs.count; ++r)
      MultiplyNN(runs.positions, width_, in, x.data + r * x.stride, in, c.blocks[0], width_, bias,
                 y.data + r * y.stride, width_);
  }
  void Backward(const OpContext& c) const override {
    const View x = c.inputs[0], d_y = c.d_output, d_x = c.d_inputs[0];
    const Runs runs = RunsOf(c, x, d_y);
    const int64_t in = c.input_shapes[0].width;
    // The first run is written in its place; the others are computed aside and added.
    const auto add = [&](int64_t r, float* to, int64_t size, auto compute) {
      compute(r == 0 ? to : c.scratch);
      if (r > 0) AddTo(size, c.scratch, to);
    };
    for (int64_t r = 0; r < runs.count; ++r) {
      const float* d_out = d_y.data + r * d_y.stride;
      add(r, c.d_blocks[0], in * width_, [&](float* to) {
        MultiplyTN(runs.positions, width_, in, x.data + r * x.stride, in, d_out, width_, to, width_);
      });
      if (c.blocks.size() > 1)
        add(r, c.d_blocks[1], width_, [&](float* to) { ColumnSums(runs.positions, width_, d_out, width_, to); });
    }
    if (d_x.data == nullptr) return;
    // d_x lies as x does.
    for (int64_t r = 0; r < runs.count; ++r)
      MultiplyNT(runs.positions, width_, in, d_y.data + r * d_y.stride, width_, c.blocks[0], width_, c.accumulate[0],
                 d_x.data + r * d_x.stride, in, c.scratch);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor y = program.MatMul(c.inputs[0], {program.shape(c.inputs[0]).width, width_}, c.blocks[0]);
    return c.blocks.size() > 1 ? program.Add(y, program.Numbers({1, width_}, c.blocks[1])) : y;
  }
  std::string Describe() const override { return fmt::format("dense to {} at each position", width_); }

 private:
  int64_t width_;
};

}  // namespace

Value SharedDense(Graph& graph, Value x, int64_t width, std::string name, bool bias, float gain) {
  std::vector<Block> blocks = DenseBlocks(graph, graph.shape(x).width, width, name, bias, gain);
  return graph.AddNode(std::move(name), std::make_unique<SharedDenseOp>(width), {x}, std::move(blocks));
}

}  // namespace manygate
