// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/piecewise.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/graph/tensor_program.h"

namespace manygate {

void PiecesOp::Forward(const OpContext& c) const {
  for (int64_t r = 0; r < c.rows; ++r) {
    float* row = c.output.data + r * c.output.stride;
    const int32_t piece = c.input->ids[r * c.input->id_stride + slot_];
    std::fill_n(row, piece, 1.f);
    row[piece] = c.input->numbers[r * c.input->number_stride + number_offset_];
    std::fill_n(row + piece + 1, pieces_ - piece - 1, 0.f);
  }
}

StatusOr<Tensor> PiecesOp::Export(const ExportContext& c) const {
  TensorProgram& program = *c.program;
  const Tensor piece = c.IdsAt(slot_, 1), all = program.Counting(pieces_);
  const Tensor below = program.Cast(program.Binary(BinaryKind::kLess, all, piece), TensorType::kNumber);
  const Tensor here = program.Binary(BinaryKind::kEqual, all, piece);
  return program.Select(here, c.NumbersAt(number_offset_, 1), below);
}

std::string PiecesOp::Describe() const { return fmt::format("{} linear pieces, written out", pieces_); }

Value Pieces(Graph& graph, std::string name, int slot, int64_t number_offset, int64_t pieces) {
  return graph.AddNode(std::move(name), std::make_unique<PiecesOp>(slot, number_offset, pieces), {});
}

}  // namespace manygate
