// SPDX-License-Identifier: Apache-2.0
// MaskNet: Wang, She, Zhang: MaskNet: Introducing Feature-Wise Multiplication to CTR Ranking Models by Instance-Guided Mask,
// DLP-KDD 2021, with the layers and their order as TorchEasyRec has them.
//
//   x [B,D] ─ layer norm ─┬─ ∘ ─ dense ─ layer norm ─ ReLU ─┬─ concat ─ top_mlp
//      └─ dense ─ ReLU ─ dense                              │     (use_parallel; else the next block reads it)
//
// The mask is made of x itself; it is as wide as what it multiplies.
#ifndef MANYGATE_MODELS_MASK_NET_H_
#define MANYGATE_MODELS_MASK_NET_H_

#include <string>

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"

namespace manygate {

// x: [B, D] -> [B, n_mask_blocks · hidden_dim], or hidden_dim where blocks stand in a row, or as wide as top_mlp. Names
// "<name>.norm", "<name>.blocks.<i>.mask.0", "<name>.blocks.<i>.mask.1", "<name>.blocks.<i>.layer", "<name>.top.layers.<i>".
Value MaskNet(Graph& graph, Value x, const config::MaskNetModule& config, const std::string& name);

}  // namespace manygate

#endif  // MANYGATE_MODELS_MASK_NET_H_
