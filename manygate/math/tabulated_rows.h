// SPDX-License-Identifier: Apache-2.0
// Products of embedding rows with the weights behind them, made once per batch for each value that the batch holds, so
// that an input row adds a row of products instead of multiplying (ops/lookup_dense.h):
//
//   embeddings E [V, d] ── T[v] = E[v]·W ──> products T, rows row0 .. row0 + V of a derived table of width N
//
//   TabulateRows(embeddings, {0, row0, V, default_id}, w, rows, products);           // before the first slice
//   ... GatherSum, ScatterAdd (math/row_table.h) ...
//   TabulateRowsBackward(embeddings, {0, row0, V}, w, rows, products, d_w);          // after the last one
//
// `rows` are rows of the derived table, those of the batch's values; w: [d, N], N floats from row to row. The result of a
// row does not depend on the other rows; d_w sums in the order of `rows`. 2·d·N flops per row forward, 4·d·N backward.
#ifndef MANYGATE_MATH_TABULATED_ROWS_H_
#define MANYGATE_MATH_TABULATED_ROWS_H_

#include <cstdint>
#include <span>

#include "manygate/math/row_table.h"

namespace manygate {

// products.weights(row) = (E[v] − E[default])·w, v = row − row0; for the default's own row E[default]·w, which is what the
// base adds. Without a default: E[v]·w. Gradients of these rows, where the table has any, become 0.
void TabulateRows(const RowTable& embeddings, const LookupColumn& column, const float* w, std::span<const int32_t> rows,
                  RowTable& products);

// From the gradients of E[v]·w: embeddings.gradient(v) += products.gradient(row)·wᵀ; d_w = Σ E[v]ᵀ·products.gradient(row),
// overwritten.
void TabulateRowsBackward(RowTable& embeddings, const LookupColumn& column, const float* w,
                          std::span<const int32_t> rows, RowTable& products, float* d_w);

}  // namespace manygate

#endif  // MANYGATE_MATH_TABULATED_ROWS_H_
