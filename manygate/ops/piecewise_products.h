// SPDX-License-Identifier: Apache-2.0
// Pass: a dense node over piecewise-linear inputs adds prefix sums of its weight rows instead of multiplying.
//
//   pieces a ─┐                             others ── dense ─┐
//   pieces b ─┼─ concat ── dense     =>     ids, fractions ──┴─ piecewise dense (adds A[k] + f·W[k] of a and of b)
//   others   ─┘
//
// Applied after MergeParallelProducts, so that products over the same pieces are one, and before
// LookUpInsteadOfMultiply, which then finds the other inputs alone (ops/lookup_products.h). Equal up to the order of
// sums.
//
// Where: a row then costs two additions of N columns per feature instead of T, and T additions once per slice; but the
// product of a full matrix has the better kernel. So products of more than 64 columns keep features of fewer than 16
// pieces written out.
#ifndef MANYGATE_OPS_PIECEWISE_PRODUCTS_H_
#define MANYGATE_OPS_PIECEWISE_PRODUCTS_H_

#include "manygate/graph/graph.h"

namespace manygate {

void SumInsteadOfPieces(Graph& graph);

}  // namespace manygate

#endif  // MANYGATE_OPS_PIECEWISE_PRODUCTS_H_
