// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence_attention.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gate.h"

namespace manygate {
namespace {

// Inputs: query, sequence.
class AttentionInputOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {inputs[1].groups, 4 * inputs[1].width}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }

  void Forward(const OpContext& c) const override {
    const auto [positions, width] = c.input_shapes[1];
    const int64_t wide = c.input_shapes[0].size();
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* q = c.inputs[0].data + r * c.inputs[0].stride;
      for (int64_t l = 0; l < positions; ++l) {
        const float* s = c.inputs[1].data + r * c.inputs[1].stride + l * width;
        float* out = c.output.data + r * c.output.stride + 4 * l * width;
        std::copy_n(q, wide, out);
        std::copy_n(s, width, out + width);
        float* difference = out + 2 * width;
        float* product = out + 3 * width;
        for (int64_t i = 0; i < wide; ++i) difference[i] = q[i] - s[i];
        for (int64_t i = 0; i < wide; ++i) product[i] = q[i] * s[i];
        // The query's zeros.
        std::fill_n(out + wide, width - wide, 0.f);
        for (int64_t i = wide; i < width; ++i) difference[i] = -s[i];
        std::fill_n(product + wide, width - wide, 0.f);
      }
    }
  }

  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data != nullptr) QueryGradient(c);
    if (c.d_inputs[1].data != nullptr) SequenceGradient(c);
  }
  std::string Describe() const override { return "query, position, difference and product"; }

 private:
  // d_q = Σ_l d_query + d_difference + d_product ∘ s
  static void QueryGradient(const OpContext& c) {
    const auto [positions, width] = c.input_shapes[1];
    const int64_t wide = c.input_shapes[0].size();
    for (int64_t r = 0; r < c.rows; ++r) {
      float* d_q = c.d_inputs[0].data + r * c.d_inputs[0].stride;
      if (!c.accumulate[0]) std::fill_n(d_q, wide, 0.f);
      for (int64_t l = 0; l < positions; ++l) {
        const float* s = c.inputs[1].data + r * c.inputs[1].stride + l * width;
        const float* d = c.d_output.data + r * c.d_output.stride + 4 * l * width;
        for (int64_t i = 0; i < wide; ++i) d_q[i] += d[i] + d[2 * width + i] + d[3 * width + i] * s[i];
      }
    }
  }

  // d_s = d_position − d_difference + d_product ∘ q
  static void SequenceGradient(const OpContext& c) {
    const auto [positions, width] = c.input_shapes[1];
    const int64_t wide = c.input_shapes[0].size();
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* q = c.inputs[0].data + r * c.inputs[0].stride;
      for (int64_t l = 0; l < positions; ++l) {
        const float* d = c.d_output.data + r * c.d_output.stride + (4 * l + 1) * width;
        float* d_s = c.d_inputs[1].data + r * c.d_inputs[1].stride + l * width;
        if (!c.accumulate[1]) std::fill_n(d_s, width, 0.f);
        for (int64_t i = 0; i < wide; ++i) d_s[i] += d[i] - d[width + i] + d[2 * width + i] * q[i];
        for (int64_t i = wide; i < width; ++i) d_s[i] += d[i] - d[width + i];
      }
    }
  }
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
      const float given = c.inputs[1].data[r * c.inputs[1].stride];
      const int64_t length = std::min(static_cast<int64_t>(given), c.shape.width);
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
  std::string Describe() const override { return "softmax over the positions before the end"; }
};

}  // namespace

Value AttentionInput(Graph& graph, Value query, Value sequence, std::string name) {
  const int64_t wide = graph.shape(query).size(), width = graph.shape(sequence).width;
  MG_CHECK(wide <= width, "{}: a query of {} numbers, positions of {}", name, wide, width);
  return graph.AddNode(std::move(name), std::make_unique<AttentionInputOp>(), {query, sequence});
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
