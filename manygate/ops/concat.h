// SPDX-License-Identifier: Apache-2.0
// Values side by side, and a range of columns of one value (a view, no copy).
#ifndef MANYGATE_OPS_CONCAT_H_
#define MANYGATE_OPS_CONCAT_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, Σ widths]. One value is returned as it is.
Value Concat(Graph& graph, std::string name, std::vector<Value> values);

// What a value that Concat made is made of, in order; any other value is its only part.
std::vector<Value> ConcatParts(const Graph& graph, Value value);

// Columns offset .. offset + shape.size() of a value, seen as `shape`.
Value SliceColumns(Graph& graph, std::string name, Value value, int64_t offset, Shape shape);

class ConcatOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override;
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext& context) const override;
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override { return "concat"; }
};

class SliceOp final : public Op {
 public:
  SliceOp(int64_t offset, Shape shape) : offset_(offset), shape_(shape) {}
  Shape OutputShape(std::span<const Shape>) const override { return shape_; }
  OpTraits Traits(std::span<const Shape>) const override {
    return {.memory = OpTraits::Memory::kView, .view_offset = offset_};
  }
  void Forward(const OpContext&) const override {}
  void Backward(const OpContext&) const override {}
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override;

 private:
  int64_t offset_;
  Shape shape_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_CONCAT_H_
