// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence_attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gate.h"
#include "manygate/math/gemm.h"
#include "manygate/ops/dense.h"

namespace manygate {
namespace {

int64_t LengthOf(View length, int64_t row, int64_t most) {
  return std::min(static_cast<int64_t>(length.data[row * length.stride]), most);
}

// [1, positions]: whether a position stands before the end.
Tensor ExportedMask(const ExportContext& c, Tensor length, int64_t positions) {
  TensorProgram& program = *c.program;
  const Tensor ids = program.Cast(program.Flat(length), TensorType::kId);
  return program.Binary(BinaryKind::kLess, program.Counting(positions), ids);
}

// Inputs: query, sequence, length. Block 0: W [4·S, N], the parts W1 .. W4 one below the other; block 1, if any: b [1, N].
class AttentionDenseOp final : public Op {
 public:
  explicit AttentionDenseOp(int64_t width) : width_(width) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return {inputs[1].groups, width_}; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .scratch = 4 * inputs[1].width * width_ + width_};
  }

  void Forward(const OpContext& c) const override {
    const auto [positions, in] = c.input_shapes[1];
    const Parts parts = PartsOf(c);
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* q = c.inputs[0].data + r * c.inputs[0].stride;
      float* out = c.output.data + r * c.output.stride;
      const int64_t length = LengthOf(c.inputs[2], r, positions);
      if (length > 0) {
        MakeRowWeight(c, parts, q);
        MultiplyNN(1, width_, c.input_shapes[0].size(), q, 0, parts.query, width_,
                   c.blocks.size() > 1 ? c.blocks[1] : nullptr, parts.sums, 0);
        MultiplyNN(length, width_, in, c.inputs[1].data + r * c.inputs[1].stride, in, parts.row, width_, parts.sums,
                   out, width_);
      }
      std::fill_n(out + length * width_, (positions - length) * width_, 0.f);
    }
  }

  void Backward(const OpContext& c) const override {
    const auto [positions, in] = c.input_shapes[1];
    const View d_query = c.d_inputs[0], d_sequence = c.d_inputs[1];
    const Parts parts = PartsOf(c);
    for (size_t b = 0; b < c.d_blocks.size(); ++b) std::fill_n(c.d_blocks[b], (b == 0 ? 4 * in : 1) * width_, 0.f);
    for (int64_t r = 0; r < c.rows; ++r) {
      const int64_t length = LengthOf(c.inputs[2], r, positions);
      const float* d_out = c.d_output.data + r * c.d_output.stride;
      if (d_query.data != nullptr && !c.accumulate[0])
        std::fill_n(d_query.data + r * d_query.stride, c.input_shapes[0].size(), 0.f);
      if (d_sequence.data != nullptr) {
        float* d_s = d_sequence.data + r * d_sequence.stride;
        if (!c.accumulate[1]) std::fill_n(d_s + length * in, (positions - length) * in, 0.f);
        MakeRowWeight(c, parts, c.inputs[0].data + r * c.inputs[0].stride);
        MultiplyNT(length, width_, in, d_out, width_, parts.row, width_, c.accumulate[1], d_s, in, parts.free);
      }
      if (length == 0) continue;
      MultiplyTN(length, width_, in, c.inputs[1].data + r * c.inputs[1].stride, in, d_out, width_, parts.row, width_);
      ColumnSums(length, width_, d_out, width_, parts.sums);
      AddRowGradients(c, parts, r);
    }
    // W3 is in both sums with different signs.
    for (int64_t i = 0; i < in * width_; ++i)
      c.d_blocks[0][2 * in * width_ + i] = c.d_blocks[0][i] - c.d_blocks[0][in * width_ + i];
  }
  // As Forward: s·(W2 − W3) + (q ∘ s)·W4 + q·(W1 + W3) + bias.
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor s = c.inputs[1];
    const auto [positions, in] = program.shape(s);
    const Tensor q = program.Pad(program.Flat(c.inputs[0]), {1, in});
    const auto size = static_cast<size_t>(in * width_);
    const std::span<const float> w = c.blocks[0];
    std::vector<float> of_position(size), of_query(size);
    for (size_t i = 0; i < size; ++i) {
      of_query[i] = w[i] + w[2 * size + i];
      of_position[i] = w[size + i] - w[2 * size + i];
    }
    const Shape shape{in, width_};
    Tensor y = program.Add(program.MatMul(s, shape, of_position),
                           program.MatMul(program.Multiply(q, s), shape, w.subspan(3 * size)));
    Tensor once = program.MatMul(q, shape, of_query);
    if (c.blocks.size() > 1) once = program.Add(once, program.Numbers({1, width_}, c.blocks[1]));
    const Tensor mask = program.Reshape(ExportedMask(c, c.inputs[2], positions), {positions, 1});
    return program.Select(mask, program.Add(y, once), program.Number(0.f));
  }
  std::string Describe() const override {
    return fmt::format("query, position, difference and product, dense to {}", width_);
  }

 private:
  // Of a slice, in its scratch.
  struct Parts {
    float* query;     // W1 + W3 [S, N]
    float* position;  // W2 − W3 [S, N]
    float* row;       // of a row: position + diag(q)·W4 [S, N]; then the gradient of that
    float* free;      // [S, N]
    float* sums;      // [N]
  };

  Parts PartsOf(const OpContext& c) const {
    const int64_t size = c.input_shapes[1].width * width_;
    const Parts parts = {c.scratch, c.scratch + size, c.scratch + 2 * size, c.scratch + 3 * size, c.scratch + 4 * size};
    const float* w = c.blocks[0];
    for (int64_t i = 0; i < size; ++i) parts.query[i] = w[i] + w[2 * size + i];
    for (int64_t i = 0; i < size; ++i) parts.position[i] = w[size + i] - w[2 * size + i];
    return parts;
  }

  void MakeRowWeight(const OpContext& c, const Parts& parts, const float* q) const {
    const int64_t in = c.input_shapes[1].width, wide = c.input_shapes[0].size();
    const float* product = c.blocks[0] + 3 * in * width_;
    std::copy_n(parts.position, in * width_, parts.row);
    for (int64_t i = 0; i < wide; ++i) AddScaled(width_, q[i], product + i * width_, parts.row + i * width_);
  }

  // Hands the gradient of the row's weight (parts.row) and of its bias (parts.sums) on.
  void AddRowGradients(const OpContext& c, const Parts& parts, int64_t r) const {
    const int64_t in = c.input_shapes[1].width, wide = c.input_shapes[0].size(), size = in * width_;
    const float* q = c.inputs[0].data + r * c.inputs[0].stride;
    float* d_query = c.d_inputs[0].data == nullptr ? nullptr : c.d_inputs[0].data + r * c.d_inputs[0].stride;
    AddTo(size, parts.row, c.d_blocks[0] + size);
    if (c.d_blocks.size() > 1) AddTo(width_, parts.sums, c.d_blocks[1]);
    for (int64_t i = 0; i < wide; ++i) {
      const int64_t at = i * width_;
      AddScaled(width_, q[i], parts.sums, c.d_blocks[0] + at);
      AddScaled(width_, q[i], parts.row + at, c.d_blocks[0] + 3 * size + at);
      if (d_query != nullptr)
        d_query[i] += static_cast<float>(Dot(width_, parts.query + at, parts.sums) +
                                         Dot(width_, c.blocks[0] + 3 * size + at, parts.row + at));
    }
  }

  int64_t width_;
};

// Inputs: query, sequence.
class PositionScoresOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[1].groups}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }
  void Forward(const OpContext& c) const override {
    const auto [positions, width] = c.input_shapes[1];
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* q = c.inputs[0].data + r * c.inputs[0].stride;
      const float* s = c.inputs[1].data + r * c.inputs[1].stride;
      float* scores = c.output.data + r * c.output.stride;
      for (int64_t l = 0; l < positions; ++l) scores[l] = static_cast<float>(Dot(width, q, s + l * width));
    }
  }
  void Backward(const OpContext& c) const override {
    const auto [positions, width] = c.input_shapes[1];
    const View d_q = c.d_inputs[0], d_s = c.d_inputs[1];
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* d = c.d_output.data + r * c.d_output.stride;
      // d_q = Σ_l d[l]·s[l] and d_s[l] = d[l]·q
      if (d_q.data != nullptr) {
        float* to = d_q.data + r * d_q.stride;
        const float* s = c.inputs[1].data + r * c.inputs[1].stride;
        if (!c.accumulate[0]) std::fill_n(to, width, 0.f);
        for (int64_t l = 0; l < positions; ++l) AddScaled(width, d[l], s + l * width, to);
      }
      if (d_s.data != nullptr) {
        const float* q = c.inputs[0].data + r * c.inputs[0].stride;
        for (int64_t l = 0; l < positions; ++l) {
          float* to = d_s.data + r * d_s.stride + l * width;
          c.accumulate[1] ? AddScaled(width, d[l], q, to) : CopyScaled(width, d[l], q, to);
        }
      }
    }
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    return program.Flat(program.SumWidth(program.Multiply(program.Flat(c.inputs[0]), c.inputs[1])));
  }
  std::string Describe() const override { return "query times each position"; }
};

// Inputs: scores, length.
class MaskedSoftmaxOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[0].size()}; }
  OpTraits Traits(std::span<const Shape>) const override {
    return {.memory = OpTraits::Memory::kInPlace, .backward_reads_output = true};
  }
  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) {
      const int64_t length = LengthOf(c.inputs[1], r, c.shape.width);
      float* y = c.output.data + r * c.output.stride;
      if (length > 0) SoftmaxForward(1, length, c.inputs[0].data + r * c.inputs[0].stride, 0, y, 0);
      std::fill_n(y + length, c.shape.width - length, 0.f);
    }
  }
  // Where y is 0 the gradient is too.
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr) return;
    SoftmaxBackward(c.rows, c.shape.width, c.output.data, c.output.stride, c.d_output.data, c.d_output.stride,
                    c.accumulate[0], c.d_inputs[0].data, c.d_inputs[0].stride);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor mask = ExportedMask(c, c.inputs[1], c.shape.width);
    const Tensor least = program.Number(std::numeric_limits<float>::lowest());
    const Tensor scores = program.Select(mask, program.Flat(c.inputs[0]), least);
    return program.Select(mask, program.Softmax(scores), program.Number(0.f));
  }
  std::string Describe() const override { return "softmax over the positions before the end"; }
};

}  // namespace

Value AttentionDense(Graph& graph, const Attention& inputs, int64_t width, std::string name, bool bias, float gain) {
  const int64_t wide = graph.shape(inputs.query).size(), in = graph.shape(inputs.sequence).width;
  MG_CHECK(wide <= in, "{}: a query of {} numbers, positions of {}", name, wide, in);
  MG_CHECK(graph.shape(inputs.length).size() == 1, "{}: {} lengths per row", name, graph.shape(inputs.length).size());
  return graph.AddNode(name, std::make_unique<AttentionDenseOp>(width), {inputs.query, inputs.sequence, inputs.length},
                       DenseBlocks(graph, 4 * in, width, name, bias, gain));
}

Value PositionScores(Graph& graph, Value query, Value sequence, std::string name) {
  const int64_t wide = graph.shape(query).size(), width = graph.shape(sequence).width;
  MG_CHECK(wide == width, "{}: a query of {} numbers, positions of {}", name, wide, width);
  return graph.AddNode(std::move(name), std::make_unique<PositionScoresOp>(), {query, sequence});
}

Value MaskedSoftmax(Graph& graph, Value scores, Value length, std::string name) {
  const Shape shape = graph.shape(scores);
  MG_CHECK(shape.groups == 1 || shape.width == 1, "{}: {} scores at each of {} positions", name, shape.width,
           shape.groups);
  MG_CHECK(graph.shape(length).size() == 1, "{}: {} lengths per row", name, graph.shape(length).size());
  return graph.AddNode(std::move(name), std::make_unique<MaskedSoftmaxOp>(), {scores, length});
}

}  // namespace manygate
