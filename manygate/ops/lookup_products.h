// SPDX-License-Identifier: Apache-2.0
// Pass: a dense node over one-hot inputs and embeddings looks rows up instead of multiplying.
//
//   one-hot a ───┐                                 ids ──┐
//   embedding b ─┼─ concat ── dense    =>                ├─ look-up dense (rows of W for a, rows of E_b·W_b for b; rest·W)
//   numbers     ─┘                          numbers ─────┘
//
// Applied after MergeParallelProducts, so that one look-up serves all experts and gates. Equal up to the order of sums.
//
// One-hot columns are always looked up. An embedding is tabulated, its products with W made once per batch for each value
// that the batch holds, where that is less work than multiplying in every row (TabulationPays), and as long as all
// products of the node, smallest vocabularies first, fit LookupOptions::table_bytes. Otherwise it stays a lookup whose
// rows are multiplied; `inspect` shows it as a node of its own. So does a mean of several values.
#ifndef MANYGATE_OPS_LOOKUP_PRODUCTS_H_
#define MANYGATE_OPS_LOOKUP_PRODUCTS_H_

#include "manygate/graph/graph.h"

namespace manygate {

struct LookupOptions {
  int64_t batch_rows = 512;        // rows of a training batch
  int64_t table_bytes = 16 << 20;  // products and their gradients, per node
};

// Per column of W and batch of B rows, in multiply-adds, forward and backward:
//   multiplied: 3·d·B          tabulated: 3·d·U + 5·B·K
// K: the most values of a row. U = V·(1 − e^(−B·K/V)): the distinct values of a batch if all are equally frequent and all
// rows have K, which is the worst case. A row's
// product added forward and its gradient added backward cost as much as 5 multiply-adds of a product (Zen 3, C2 of
// benchmarks/ at batch 4096: 0.12 ns against 0.022 ns).
// Products narrower than 16 columns are not tabulated: a record is padded to 16 floats.
bool TabulationPays(int64_t vocabulary, int64_t dim, int64_t width, int64_t batch_rows, int64_t most_values = 1);

void LookUpInsteadOfMultiply(Graph& graph, const LookupOptions& options = {});

}  // namespace manygate

#endif  // MANYGATE_OPS_LOOKUP_PRODUCTS_H_
