// SPDX-License-Identifier: Apache-2.0
// Low-rank intervention: a hidden vector is changed in a space of few dimensions only, by how it differs there from another
// one. The representation finetuning of Wu et al. 2024 (LoReFT, equation 2), as TorchEasyRec's DC2VR uses it.
//
//   Value moved = Intervene(graph, hidden, StopGradient(graph, source, "stop"), 4, "interventions.buy");
#ifndef MANYGATE_OPS_INTERVENTION_H_
#define MANYGATE_OPS_INTERVENTION_H_

#include <cstdint>
#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// base: [B, H], source: [B, S] -> [B, H] = base + (base · P^T - source · Q^T) · P, with P: [rank, H] and Q: [rank, S] of
// orthonormal rows: those that Gram-Schmidt makes of "<name>.base" and "<name>.source", which are what is trained. These
// start normal, so that P and Q start as any rotation equally likely. 1 <= rank <= H, S.
Value Intervene(Graph& graph, Value base, Value source, int64_t rank, std::string name);

// Orthonormal rows of w: [rows, columns], rows <= columns: w = lower · q with lower: [rows, rows] lower triangular, its
// diagonal above 0. A row that depends on those before it (its rest is below 1e-12 of it) becomes 0, and teaches nothing.
void OrthonormalRows(int64_t rows, int64_t columns, const float* w, float* lower, float* q);
// d_q: gradient of q, d_w: of w; they may be one array.
void OrthonormalRowsGradient(int64_t rows, int64_t columns, const float* lower, const float* q, const float* d_q,
                             float* d_w);

}  // namespace manygate

#endif  // MANYGATE_OPS_INTERVENTION_H_
