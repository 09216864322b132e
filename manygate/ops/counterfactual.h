// SPDX-License-Identifier: Apache-2.0
// The counterfactual terms of ESCM² (Wang et al. 2022): conversions are seen after clicks only, so the loss of a clicked
// row is weighted with the inverse of its click's probability, its propensity.
#ifndef MANYGATE_OPS_COUNTERFACTUAL_H_
#define MANYGATE_OPS_COUNTERFACTUAL_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

struct Counterfactual {
  Value click;            // logits [B, 1]: the propensity p = sigmoid(click); no gradient reaches it
  Value conversion;       // logits [B, 1] of a conversion given a click
  Value imputation = -1;  // [B, 1]: the imputed loss e = log(1 + exp(imputation)); -1: inverse propensity weighting
  int click_label = 0;    // columns of InputBatch::labels
  int conversion_label = 0;
  float max_inverse_propensity = 15;  // >= 1
};

// [B, 1], per row, with o and y the labels of click and conversion, δ = log(1 + exp(conversion)) − y · conversion and
// w = min(1 / p, max_inverse_propensity):
//   inverse propensity weighting   o·w·δ
//   doubly robust                  e + o·w·(δ − e) + o·w·(δ − e)²
// All terms of the second train both the conversion and the imputation, jointly. The imputed loss is never negative, as
// δ is not: a linear e would have no lower bound on the rows without a click, whose term is e alone. A row is 0 where the
// click's label is missing, or the conversion's after a click; without a click no conversion label is needed. 0 in all
// rows where there are no labels (prediction).
Value CounterfactualLoss(Graph& graph, const Counterfactual& terms, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_COUNTERFACTUAL_H_
