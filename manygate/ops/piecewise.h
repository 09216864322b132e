// SPDX-License-Identifier: Apache-2.0
// Piecewise-linear encoding of a number (Gorishniy et al. 2022, "On Embeddings for Numerical Features", equation 1):
// piece t reaches from b_{t-1} to b_t and becomes e_t = clip((x - b_{t-1}) / (b_t - b_{t-1}), 0, 1). A row stores what
// follows from x once and for all, the piece k = 0 .. T-1 that it lies in and the fraction f of that piece below it:
//
//   e = 1, ..., 1, f, 0, ..., 0     k ones
#ifndef MANYGATE_OPS_PIECEWISE_H_
#define MANYGATE_OPS_PIECEWISE_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, pieces]: e from k = ids[row, slot] and f = numbers[row, number_offset]. Written out only where no pass turned the
// product behind it into sums (ops/piecewise_products.h).
Value Pieces(Graph& graph, std::string name, int slot, int64_t number_offset, int64_t pieces);

// What the pass asks of a node.
class PiecesOp final : public Op {
 public:
  PiecesOp(int slot, int64_t number_offset, int64_t pieces)
      : slot_(slot), number_offset_(number_offset), pieces_(pieces) {}
  int slot() const { return slot_; }
  int64_t number_offset() const { return number_offset_; }
  int64_t pieces() const { return pieces_; }
  Shape OutputShape(std::span<const Shape>) const override { return {1, pieces_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext&) const override {}
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override;

 private:
  int slot_;
  int64_t number_offset_, pieces_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_PIECEWISE_H_
