// SPDX-License-Identifier: Apache-2.0
// Scalar throughout: a row has a handful of codes.
#include "manygate/ops/smooth_step.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {
namespace {

constexpr float kTiny = 1e-6f;  // keeps the entropy's logarithm finite
constexpr int64_t kMaxBits = 31;

class SelectExpertsOp final : public Op {
 public:
  SelectExpertsOp(int64_t num_expert, float gamma) : num_expert_(num_expert), gamma_(gamma) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return {inputs[0].groups, num_expert_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }

  void Forward(const OpContext& c) const override {
    const auto [selectors, bits] = c.input_shapes[0];
    std::array<float, kMaxBits> step;
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t i = 0; i < selectors; ++i) {
        const float* code = c.inputs[0].data + r * c.inputs[0].stride + i * bits;
        float* out = c.output.data + r * c.output.stride + i * num_expert_;
        for (int64_t m = 0; m < bits; ++m) step[m] = Step(code[m]);
        for (int64_t e = 0; e < num_expert_; ++e) {
          out[e] = 1;
          for (int64_t m = 0; m < bits; ++m) out[e] *= Bit(e, m, bits) ? step[m] : 1.f - step[m];
        }
      }
    }
  }

  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr) return;
    const auto [selectors, bits] = c.input_shapes[0];
    std::array<float, kMaxBits> step, d_step;
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t i = 0; i < selectors; ++i) {
        const float* code = c.inputs[0].data + r * c.inputs[0].stride + i * bits;
        const float* d_out = c.d_output.data + r * c.d_output.stride + i * num_expert_;
        float* d_code = c.d_inputs[0].data + r * c.d_inputs[0].stride + i * bits;
        for (int64_t m = 0; m < bits; ++m) step[m] = Step(code[m]), d_step[m] = 0;
        for (int64_t e = 0; e < num_expert_; ++e) AddProductGradient(e, bits, step, d_out[e], d_step);
        for (int64_t m = 0; m < bits; ++m)
          d_code[m] = (c.accumulate[0] ? d_code[m] : 0.f) + d_step[m] * Slope(code[m]);
      }
    }
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor u = program.Divide(ExportClip(program, c.inputs[0]), program.Number(gamma_));
    const Tensor cubic = program.Subtract(
        program.Number(1.5f), program.Multiply(program.Multiply(program.Number(2.f), u), u));
    const Tensor steps = program.Add(program.Multiply(cubic, u), program.Number(0.5f));
    const int64_t bits = program.shape(steps).width;
    Tensor product = -1;
    for (int64_t m = 0; m < bits; ++m) {
      // S where the bit is 1, else 1 - S.
      std::vector<float> start, sign;
      for (int64_t e = 0; e < num_expert_; ++e) {
        start.push_back(Bit(e, m, bits) ? 0.f : 1.f);
        sign.push_back(Bit(e, m, bits) ? 1.f : -1.f);
      }
      const Tensor signed_step =
          program.Multiply(program.Slice(steps, m, 1), program.Numbers({1, num_expert_}, std::move(sign)));
      const Tensor factor = program.Add(signed_step, program.Numbers({1, num_expert_}, std::move(start)));
      product = product < 0 ? factor : program.Multiply(product, factor);
    }
    return product;
  }
  std::string Describe() const override {
    return fmt::format("select of {} experts by smooth steps of width {:g}", num_expert_, gamma_);
  }

 private:
  Tensor ExportClip(TensorProgram& program, Tensor codes) const {
    const Tensor low = program.Binary(BinaryKind::kLarger, codes, program.Number(-gamma_ / 2));
    return program.Binary(BinaryKind::kSmaller, low, program.Number(gamma_ / 2));
  }
  static bool Bit(int64_t e, int64_t m, int64_t bits) { return (e >> (bits - 1 - m)) & 1; }
  float Step(float t) const {
    if (t <= -gamma_ / 2) return 0;
    if (t >= gamma_ / 2) return 1;
    const float u = t / gamma_;
    return (1.5f - 2 * u * u) * u + 0.5f;
  }
  float Slope(float t) const {
    const float u = t / gamma_;
    return u <= -0.5f || u >= 0.5f ? 0.f : (1.5f - 6 * u * u) / gamma_;
  }
  // d_step[m] += d · ± the product of the factors other than m, without dividing: factors may be 0.
  static void AddProductGradient(int64_t e, int64_t bits, const std::array<float, kMaxBits>& step, float d,
                                 std::array<float, kMaxBits>& d_step) {
    std::array<float, kMaxBits> before;  // d times the factors before m
    float product = d;
    for (int64_t m = 0; m < bits; ++m) {
      before[m] = product;
      product *= Bit(e, m, bits) ? step[m] : 1.f - step[m];
    }
    float after = 1;
    for (int64_t m = bits; m-- > 0;) {
      const bool bit = Bit(e, m, bits);
      d_step[m] += (bit ? before[m] : -before[m]) * after;
      after *= bit ? step[m] : 1.f - step[m];
    }
  }

  int64_t num_expert_;
  float gamma_;
};

// [B, k, E] -> [B, 1]: a sum over selectors. Term has Of(p, E), the value of one selector, and Slopes(p, E, d, accumulate,
// d_p), which writes or adds d times its derivatives.
template <class Term>
class SelectorSumOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }
  void Forward(const OpContext& c) const override {
    const auto [selectors, experts] = c.input_shapes[0];
    for (int64_t r = 0; r < c.rows; ++r) {
      float sum = 0;
      for (int64_t i = 0; i < selectors; ++i)
        sum += Term::Of(c.inputs[0].data + r * c.inputs[0].stride + i * experts, experts);
      c.output.data[r * c.output.stride] = sum;
    }
  }
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr) return;
    const auto [selectors, experts] = c.input_shapes[0];
    for (int64_t r = 0; r < c.rows; ++r)
      for (int64_t i = 0; i < selectors; ++i)
        Term::Slopes(c.inputs[0].data + r * c.inputs[0].stride + i * experts, experts,
                     c.d_output.data[r * c.d_output.stride], c.accumulate[0],
                     c.d_inputs[0].data + r * c.d_inputs[0].stride + i * experts);
  }
  std::string Describe() const override { return Term::kName; }
};

struct Entropy {
  static constexpr const char* kName = "entropy of selectors";
  static float Of(const float* p, int64_t n) {
    float sum = 0;
    for (int64_t e = 0; e < n; ++e) sum -= p[e] * std::log(p[e] + kTiny);
    return sum;
  }
  static void Slopes(const float* p, int64_t n, float d, bool accumulate, float* d_p) {
    for (int64_t e = 0; e < n; ++e) {
      const float slope = -std::log(p[e] + kTiny) - p[e] / (p[e] + kTiny);
      d_p[e] = (accumulate ? d_p[e] : 0.f) + d * slope;
    }
  }
};

struct OutOfReach {
  static constexpr const char* kName = "selectors out of reach";
  static constexpr float kLeast = 0.05f;
  static float Total(const float* p, int64_t n) {
    float sum = 0;
    for (int64_t e = 0; e < n; ++e) sum += p[e];
    return sum;
  }
  static float Slope(float total) { return total < kLeast ? -1.f / (kLeast * kLeast) : -1.f / (total * total); }
  static float Of(const float* p, int64_t n) {
    const float total = Total(p, n);
    return total < kLeast ? 1.f / kLeast - 1.f + (total - kLeast) * Slope(kLeast) : 1.f / total - 1.f;
  }
  static void Slopes(const float* p, int64_t n, float d, bool accumulate, float* d_p) {
    const float slope = Slope(Total(p, n));
    for (int64_t e = 0; e < n; ++e) d_p[e] = (accumulate ? d_p[e] : 0.f) + d * slope;
  }
};

}  // namespace

int64_t NumCodeBits(int64_t num_expert) {
  int64_t bits = 0;
  while ((int64_t{1} << bits) < num_expert) ++bits;
  return bits;
}

Value SelectExperts(Graph& graph, Value codes, int64_t num_expert, float gamma, std::string name) {
  MG_CHECK(num_expert >= 2 && graph.shape(codes).width == NumCodeBits(num_expert), "{}: {} experts by codes of {} bits",
           name, num_expert, graph.shape(codes).width);
  return graph.AddNode(std::move(name), std::make_unique<SelectExpertsOp>(num_expert, gamma), {codes});
}

Value SelectorEntropy(Graph& graph, Value selectors, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<SelectorSumOp<Entropy>>(), {selectors});
}

Value SelectorsOutOfReach(Graph& graph, Value selectors, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<SelectorSumOp<OutOfReach>>(), {selectors});
}

}  // namespace manygate
