// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/intervention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"

namespace manygate {

void OrthonormalRows(int64_t rows, int64_t columns, const float* w, float* lower, float* q) {
  std::vector<double> basis(rows * columns), row(columns);
  std::fill_n(lower, rows * rows, 0.f);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(w + i * columns, columns, row.begin());
    double whole = 0, rest = 0;
    for (const double x : row) whole += x * x;
    for (int64_t k = 0; k < i; ++k) {
      const double* before = basis.data() + k * columns;
      double product = 0;
      for (int64_t j = 0; j < columns; ++j) product += row[j] * before[j];
      for (int64_t j = 0; j < columns; ++j) row[j] -= product * before[j];
      lower[i * rows + k] = static_cast<float>(product);
    }
    for (const double x : row) rest += x * x;
    const bool depends = rest <= 1e-24 * whole;
    const double length = depends ? 0 : std::sqrt(rest);
    lower[i * rows + i] = static_cast<float>(length);
    for (int64_t j = 0; j < columns; ++j) {
      basis[i * columns + j] = depends ? 0 : row[j] / length;
      q[i * columns + j] = static_cast<float>(basis[i * columns + j]);
    }
  }
}

// With w = lower · q and q of orthonormal rows, c = the symmetric matrix whose lower triangle is that of -d_q · q^T:
//   d_w = lower^-T · (d_q + c · q)
void OrthonormalRowsGradient(int64_t rows, int64_t columns, const float* lower, const float* q, const float* d_q,
                             float* d_w) {
  std::vector<double> d(d_q, d_q + rows * columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < rows; ++k) {
      const double c = -Dot(columns, d_q + std::max(i, k) * columns, q + std::min(i, k) * columns);
      for (int64_t j = 0; j < columns; ++j) d[i * columns + j] += c * q[k * columns + j];
    }
  }
  for (int64_t i = rows - 1; i >= 0; --i) {
    double* row = d.data() + i * columns;
    for (int64_t k = i + 1; k < rows; ++k) {
      const double factor = lower[k * rows + i];
      for (int64_t j = 0; j < columns; ++j) row[j] -= factor * d[k * columns + j];
    }
    const double length = lower[i * rows + i];
    for (int64_t j = 0; j < columns; ++j) row[j] = length > 0 ? row[j] / length : 0;
  }
  std::copy(d.begin(), d.end(), d_w);
}

namespace {

std::vector<float> Transposed(int64_t rows, int64_t columns, const std::vector<float>& x) {
  std::vector<float> y;
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) y.push_back(x[static_cast<size_t>(i * columns + j)]);
  return y;
}

// Block 0: what P is made of, [rank, H]; block 1: what Q is made of, [rank, S].
class InterventionOp final : public Op {
 public:
  explicit InterventionOp(int64_t rank) : rank_(rank) {}

  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  // A row of the workspace: by how much base and source differ. Behind the rows: P, Q and their triangles.
  OpTraits Traits(std::span<const Shape> inputs) const override {
    const int64_t base = inputs[0].width, source = inputs[1].width;
    return {.backward_reads_inputs = true,
            .workspace_per_row = rank_,
            .workspace_fixed = rank_ * (base + source + 2 * rank_),
            .scratch = 2 * rank_ * std::max(base, source)};
  }

  void Forward(const OpContext& c) const override {
    const Fixed f = FixedOf(c);
    const int64_t base = c.shape.width, source = c.input_shapes[1].width;
    OrthonormalRows(rank_, base, c.blocks[0], f.p_lower, f.p);
    OrthonormalRows(rank_, source, c.blocks[1], f.q_lower, f.q);
    float* difference = c.workspace;
    MultiplyNT(c.rows, source, rank_, c.inputs[1].data, c.inputs[1].stride, f.q, source, false, difference, rank_,
               c.scratch);
    for (int64_t i = 0; i < c.rows * rank_; ++i) difference[i] = -difference[i];
    MultiplyNT(c.rows, base, rank_, c.inputs[0].data, c.inputs[0].stride, f.p, base, true, difference, rank_,
               c.scratch);
    CopyOrAdd(c.rows, base, c.inputs[0].data, c.inputs[0].stride, false, c.output.data, c.output.stride);
    AddProducts(c.rows, difference, f.p, base, c.output);
  }

  void Backward(const OpContext& c) const override {
    const Fixed f = FixedOf(c);
    const int64_t base = c.shape.width, source = c.input_shapes[1].width;
    const View &x = c.inputs[0], &s = c.inputs[1], &d_out = c.d_output;
    float *difference = c.workspace, *d_p = c.scratch;
    // P is used twice: the difference is made with it and put back with it.
    MultiplyTN(c.rows, base, rank_, difference, rank_, d_out.data, d_out.stride, d_p, base);
    float* d_difference = difference;
    MultiplyNT(c.rows, base, rank_, d_out.data, d_out.stride, f.p, base, false, d_difference, rank_,
               c.scratch + rank_ * std::max(base, source));
    MultiplyTN(c.rows, base, rank_, d_difference, rank_, x.data, x.stride, c.d_blocks[0], base);
    AddTo(rank_ * base, c.d_blocks[0], d_p);
    OrthonormalRowsGradient(rank_, base, f.p_lower, f.p, d_p, c.d_blocks[0]);
    if (c.d_inputs[0].data != nullptr) {
      CopyOrAdd(c.rows, base, d_out.data, d_out.stride, c.accumulate[0], c.d_inputs[0].data, c.d_inputs[0].stride);
      AddProducts(c.rows, d_difference, f.p, base, c.d_inputs[0]);
    }

    for (int64_t i = 0; i < c.rows * rank_; ++i) d_difference[i] = -d_difference[i];
    MultiplyTN(c.rows, source, rank_, d_difference, rank_, s.data, s.stride, c.d_blocks[1], source);
    OrthonormalRowsGradient(rank_, source, f.q_lower, f.q, c.d_blocks[1], c.d_blocks[1]);
    if (const View d_s = c.d_inputs[1]; d_s.data != nullptr) {
      for (int64_t r = 0; r < (c.accumulate[1] ? 0 : c.rows); ++r) std::fill_n(d_s.data + r * d_s.stride, source, 0.f);
      AddProducts(c.rows, d_difference, f.q, source, d_s);
    }
  }

  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const int64_t base = c.shape.width, source = program.shape(c.inputs[1]).width;
    std::vector<float> p(c.blocks[0].size()), q(c.blocks[1].size()), lower(static_cast<size_t>(rank_ * rank_));
    OrthonormalRows(rank_, base, c.blocks[0].data(), lower.data(), p.data());
    OrthonormalRows(rank_, source, c.blocks[1].data(), lower.data(), q.data());
    const Tensor difference =
        program.Subtract(program.MatMul(c.inputs[0], {base, rank_}, Transposed(rank_, base, p)),
                         program.MatMul(c.inputs[1], {source, rank_}, Transposed(rank_, source, q)));
    return program.Add(c.inputs[0], program.MatMul(difference, {rank_, base}, p));
  }

  std::string Describe() const override { return fmt::format("intervention of rank {}", rank_); }

 private:
  struct Fixed {
    float *p, *q, *p_lower, *q_lower;
  };

  Fixed FixedOf(const OpContext& c) const {
    Fixed f{};
    f.p = c.workspace + c.rows * rank_;
    f.q = f.p + rank_ * c.shape.width;
    f.p_lower = f.q + rank_ * c.input_shapes[1].width;
    f.q_lower = f.p_lower + rank_ * rank_;
    return f;
  }

  // to[r, :] += Σ_k factors[r, k] · m[k, :]
  void AddProducts(int64_t rows, const float* factors, const float* m, int64_t width, View to) const {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t k = 0; k < rank_; ++k)
        AddScaled(width, factors[r * rank_ + k], m + k * width, to.data + r * to.stride);
  }

  const int64_t rank_;
};

// The rows are about 1 long to start with.
Block RowsBlock(Graph& graph, int64_t rank, int64_t width, const std::string& name) {
  const float deviation = 1.f / std::sqrt(static_cast<float>(width));
  const int parameter = graph.AddParameter({name, {rank, width}, {Initializer::Kind::kNormal, 0, deviation}});
  return {rank, width, {{parameter, 0, rank, width, 0, 0}}};
}

}  // namespace

Value Intervene(Graph& graph, Value base, Value source, int64_t rank, std::string name) {
  const Shape b = graph.shape(base), s = graph.shape(source);
  MG_CHECK(b.groups == 1 && s.groups == 1 && rank >= 1 && rank <= b.width && rank <= s.width,
           "{}: rank {} between [{}, {}] and [{}, {}]", name, rank, b.groups, b.width, s.groups, s.width);
  Block of_base = RowsBlock(graph, rank, b.width, name + ".base");
  Block of_source = RowsBlock(graph, rank, s.width, name + ".source");
  return graph.AddNode(std::move(name), std::make_unique<InterventionOp>(rank), {base, source},
                       {std::move(of_base), std::move(of_source)});
}

}  // namespace manygate
