// SPDX-License-Identifier: Apache-2.0
// Pass: dense nodes that read the same value become one wide product whose outputs are slices. The first layers of all
// experts and all gates of an MMoE become one product, with no work by the model's author:
//
//   x ─┬─ dense experts [8·16]            x ── dense [144] ─┬─ columns   0..127  experts
//      ├─ dense gate a  [8]         =>                      ├─ columns 128..135  gate a
//      └─ dense gate b  [8]                                 └─ columns 136..143  gate b
//
// Each output element is the same chain of multiply-adds as before. Products with a bias and without are merged apart.
#ifndef MANYGATE_OPS_MERGE_PRODUCTS_H_
#define MANYGATE_OPS_MERGE_PRODUCTS_H_

#include "manygate/graph/graph.h"

namespace manygate {

void MergeParallelProducts(Graph& graph);

// Drops nodes that no output needs.
void RemoveUnusedNodes(Graph& graph);

}  // namespace manygate

#endif  // MANYGATE_OPS_MERGE_PRODUCTS_H_
