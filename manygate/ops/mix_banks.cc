// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/mix_banks.h"

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gate.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

// Inputs: the banks, then the gates. Workspace: the mixture of one bank, before it is added.
class MixBanksOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[0].width}; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .workspace_per_row = inputs[0].width};
  }
  void Forward(const OpContext& c) const override {
    const View gates = c.inputs.back();
    const int64_t width = c.shape.width;
    for (size_t i = 0, first = 0; i + 1 < c.inputs.size(); first += c.input_shapes[i++].groups) {
      const bool add = i > 0;
      MixForward(c.rows, c.input_shapes[i].groups, width, c.inputs[i].data, c.inputs[i].stride, gates.data + first,
                 gates.stride, add ? c.workspace : c.output.data, add ? width : c.output.stride);
      if (add) CopyOrAdd(c.rows, width, c.workspace, width, true, c.output.data, c.output.stride);
    }
  }
  void Backward(const OpContext& c) const override {
    const View gates = c.inputs.back(), d_gates = c.d_inputs.back();
    for (size_t i = 0, first = 0; i + 1 < c.inputs.size(); first += c.input_shapes[i++].groups)
      MixBackward(c.rows, c.input_shapes[i].groups, c.shape.width, c.inputs[i].data, c.inputs[i].stride,
                  gates.data + first, gates.stride, c.d_output.data, c.d_output.stride, c.accumulate[i],
                  c.d_inputs[i].data, c.d_inputs[i].stride, c.accumulate.back(), d_gates.data + first, d_gates.stride);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor gates = program.Flat(c.inputs.back());
    Tensor sum = -1;
    int64_t first = 0;
    for (const Tensor bank : c.inputs.first(c.inputs.size() - 1)) {
      const int64_t experts = program.shape(bank).groups;
      const Tensor mixed = program.RowMatMul(program.Slice(gates, first, experts), bank);
      sum = sum < 0 ? mixed : program.Add(sum, mixed);
      first += experts;
    }
    return sum;
  }
  std::string Describe() const override { return "mix banks of experts by gate"; }
};

}  // namespace

Value MixBanks(Graph& graph, std::vector<Value> banks, Value gates, std::string name) {
  MG_CHECK(!banks.empty(), "{} mixes no experts", name);
  if (banks.size() == 1) return Mix(graph, banks[0], gates, std::move(name));
  int64_t experts = 0;
  for (const Value bank : banks) {
    const Shape shape = graph.shape(bank);
    MG_CHECK(shape.width == graph.shape(banks[0]).width, "{} mixes experts of width {} and {}", name,
             graph.shape(banks[0]).width, shape.width);
    experts += shape.groups;
  }
  MG_CHECK(experts == graph.shape(gates).width, "{}: {} experts, {} gate weights", name, experts,
           graph.shape(gates).width);
  banks.push_back(gates);
  return graph.AddNode(std::move(name), std::make_unique<MixBanksOp>(), std::move(banks));
}

bool IsMixBanks(const Graph& graph, Value value) {
  return dynamic_cast<const MixBanksOp*>(graph.node(value).op.get()) != nullptr;
}

}  // namespace manygate
