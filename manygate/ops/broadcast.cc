// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/broadcast.h"

#include <algorithm>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/gemm.h"

namespace manygate {
namespace {

// Block 0: the parameter [1, size].
class BroadcastOp final : public Op {
 public:
  explicit BroadcastOp(Shape shape) : shape_(shape) {}
  Shape OutputShape(std::span<const Shape>) const override { return shape_; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) std::copy_n(c.blocks[0], shape_.size(), c.output.data + r * c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    ColumnSums(c.rows, shape_.size(), c.d_output.data, c.d_output.stride, c.d_blocks[0]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    return c.program->Repeat(c.program->Numbers(shape_, c.blocks[0]));
  }
  std::string Describe() const override { return "the same in every row"; }

 private:
  Shape shape_;
};

}  // namespace

Value Broadcast(Graph& graph, std::string name, Shape shape, const Initializer& initializer) {
  std::vector<int64_t> dimensions = {shape.width};
  if (shape.groups > 1) dimensions.insert(dimensions.begin(), shape.groups);
  const int parameter = graph.AddParameter({name, std::move(dimensions), initializer, false});
  std::vector<Block> blocks = {{1, shape.size(), {{parameter, 0, 1, shape.size(), 0, 0}}}};
  return graph.AddNode(std::move(name), std::make_unique<BroadcastOp>(shape), {}, std::move(blocks));
}

}  // namespace manygate
