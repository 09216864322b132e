// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/stop_gradient.h"

#include <algorithm>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

// The output is a copy, not a view: a view would share the input's gradient buffer, into which the readers of the output
// write.
class StopGradientOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape>) const override { return {.stops_gradient = true}; }
  void Forward(const OpContext& c) const override {
    CopyOrAdd(c.rows, c.shape.size(), c.inputs[0].data, c.inputs[0].stride, false, c.output.data, c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    const View d_x = c.d_inputs[0];
    if (d_x.data == nullptr || c.accumulate[0]) return;
    for (int64_t r = 0; r < c.rows; ++r) std::fill_n(d_x.data + r * d_x.stride, c.shape.size(), 0.f);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override { return c.inputs[0]; }
  std::string Describe() const override { return "stop gradient"; }
};

}  // namespace

Value StopGradient(Graph& graph, Value x, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<StopGradientOp>(), {x});
}

}  // namespace manygate
