// SPDX-License-Identifier: Apache-2.0
// y = x·W + b, and a bank of such products, one per expert.
// Initial values are those of torch.nn.Linear times `gain`: weights and biases uniform in ±gain/√in; gain 0: zeros.
#ifndef MANYGATE_OPS_DENSE_H_
#define MANYGATE_OPS_DENSE_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// x: [B, K] (groups are flattened). out: shape [B, groups, width]. Parameters "<name>.weight" [K, width] or, with
// several groups, [K, groups, width]; "<name>.bias" [width] or [groups, width].
Value Dense(Graph& graph, Value x, Shape out, std::string name, bool bias = true, float gain = 1);

// out[b, e, :] = x[b, e, :]·W[e] + bias[e]. x: [B, E, K]; out: [B, E, width].
// Parameters "<name>.weight" [E, K, width], "<name>.bias" [E, width].
Value DenseBank(Graph& graph, Value x, int64_t width, std::string name, bool bias = true, float gain = 1);

// The parameters "<name>.weight" [in, width] and, with a bias, "<name>.bias" [width], each in a block of its own; for other
// products of one weight.
std::vector<Block> DenseBlocks(Graph& graph, int64_t in, int64_t width, const std::string& name, bool bias, float gain);

// Block 0: W [K, N]; block 1, if any: b [1, N].
class DenseOp final : public Op {
 public:
  explicit DenseOp(Shape out) : out_(out) {}
  Shape OutputShape(std::span<const Shape>) const override { return out_; }
  OpTraits Traits(std::span<const Shape> inputs) const override;
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext& context) const override;
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override;

 private:
  Shape out_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_DENSE_H_
