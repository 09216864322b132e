// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/add.h"

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

class AddOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override {
    for (const Shape& input : inputs)
      MG_CHECK(input == inputs[0], "sum of [{}, {}] and [{}, {}]", inputs[0].groups, inputs[0].width, input.groups,
               input.width);
    return inputs[0];
  }
  OpTraits Traits(std::span<const Shape>) const override { return {.memory = OpTraits::Memory::kInPlace}; }
  void Forward(const OpContext& c) const override {
    if (c.output.data != c.inputs[0].data) Copy(c, c.inputs[0], false, c.output);
    for (size_t i = 1; i < c.inputs.size(); ++i) Copy(c, c.inputs[i], true, c.output);
  }
  void Backward(const OpContext& c) const override {
    for (size_t i = 0; i < c.inputs.size(); ++i)
      if (c.d_inputs[i].data != nullptr && c.d_inputs[i].data != c.d_output.data)
        Copy(c, c.d_output, c.accumulate[i], c.d_inputs[i]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    Tensor sum = c.inputs[0];
    for (size_t i = 1; i < c.inputs.size(); ++i) sum = c.program->Add(sum, c.inputs[i]);
    return sum;
  }
  std::string Describe() const override { return "sum"; }

 private:
  static void Copy(const OpContext& c, View from, bool accumulate, View to) {
    CopyOrAdd(c.rows, c.shape.size(), from.data, from.stride, accumulate, to.data, to.stride);
  }
};

}  // namespace

Value Add(Graph& graph, std::vector<Value> values, std::string name) {
  MG_CHECK(!values.empty(), "{} is the sum of no values", name);
  if (values.size() == 1) return values[0];
  return graph.AddNode(std::move(name), std::make_unique<AddOp>(), std::move(values));
}

}  // namespace manygate
