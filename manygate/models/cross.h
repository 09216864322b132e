// SPDX-License-Identifier: Apache-2.0
// The cross layers of DCN-V2 (Wang et al. 2021): products of features of every order up to cross_num + 1, below any model.
//
//   inputs.x = Cross(graph, inputs.x, model_config.cross());   // where model_config.has_cross()
#ifndef MANYGATE_MODELS_CROSS_H_
#define MANYGATE_MODELS_CROSS_H_

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"

namespace manygate {

// x: [B, D] -> [B, D]; x_0 = x, x_{l+1} = x_0 ∘ (x_l W_l + b_l) + x_l (equation 1). Parameters of layer l:
// "cross.layers.<l>.weight" [D, D] and ".bias" [D]; with low_rank R > 0, W_l = V_l U_l (equation 2):
// "cross.layers.<l>.down.weight" [D, R], "cross.layers.<l>.up.weight" [R, D] and ".up.bias" [D].
Value Cross(Graph& graph, Value x, const config::CrossV2& config);

}  // namespace manygate

#endif  // MANYGATE_MODELS_CROSS_H_
