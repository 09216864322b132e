// SPDX-License-Identifier: Apache-2.0
// Pass: a dense node over one-hot inputs looks rows of its weights up instead of multiplying.
//
//   one-hot a ─┐                                   ids ──┐
//   one-hot b ─┼─ concat ── dense      =>                ├─ look-up dense (rows of a, b; rest · W)
//   numbers   ─┘                            numbers ─────┘
//
// Applied after MergeParallelProducts, so that one look-up serves all experts and gates. Equal up to the order of sums.
#ifndef MANYGATE_OPS_LOOKUP_PRODUCTS_H_
#define MANYGATE_OPS_LOOKUP_PRODUCTS_H_

#include "manygate/graph/graph.h"

namespace manygate {

void LookUpInsteadOfMultiply(Graph& graph);

}  // namespace manygate

#endif  // MANYGATE_OPS_LOOKUP_PRODUCTS_H_
