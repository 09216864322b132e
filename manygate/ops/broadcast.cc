// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/broadcast.h"

#include <algorithm>

#include "manygate/math/gemm.h"

namespace manygate {
namespace {

// Block 0: the parameter [1, width].
class BroadcastOp final : public Op {
 public:
  explicit BroadcastOp(int64_t width) : width_(width) {}
  Shape OutputShape(std::span<const Shape>) const override { return {1, width_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) std::copy_n(c.blocks[0], width_, c.output.data + r * c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    ColumnSums(c.rows, width_, c.d_output.data, c.d_output.stride, c.d_blocks[0]);
  }
  std::string Describe() const override { return "the same for all rows"; }

 private:
  int64_t width_;
};

}  // namespace

Value Broadcast(Graph& graph, std::string name, int64_t width, const Initializer& initializer) {
  const int parameter = graph.AddParameter({name, {width}, initializer, false});
  std::vector<Block> blocks = {{1, width, {{parameter, 0, 1, width, 0, 0}}}};
  return graph.AddNode(std::move(name), std::make_unique<BroadcastOp>(width), {}, std::move(blocks));
}

}  // namespace manygate
