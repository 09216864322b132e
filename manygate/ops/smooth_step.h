// SPDX-License-Identifier: Apache-2.0
// The gate of DSelect-k (Hazimeh et al. 2021, section 3): selectors that each pick one of E experts by a code of
// M = ceil(log2 E) bits, made differentiable by the smooth step
//   S(t) = 0 for t <= -γ/2;  1 for t >= γ/2;  -2/γ³ t³ + 3/(2γ) t + 1/2 between.
//
//   codes [B, k, M] ── SelectExperts ── [B, k, E] ── Mix with the selectors' weights [B, k] ── gate [B, E]
#ifndef MANYGATE_OPS_SMOOTH_STEP_H_
#define MANYGATE_OPS_SMOOTH_STEP_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// ceil(log2 num_expert), the bits of a code; 0 for one expert.
int64_t NumCodeBits(int64_t num_expert);

// codes: [B, k, M] -> [B, k, E]: out[b, i, e] = Π_m (bit m of e is 1 ? S(codes[b, i, m]) : 1 - S(codes[b, i, m])); bit 0 is
// the highest (equation 5). Once every |code| >= γ/2, each selector has one expert of weight 1. Where E is no power of two,
// codes beyond E select nothing, and a selector's weights may sum to less than 1: see SelectorsOutOfReach. E >= 2.
Value SelectExperts(Graph& graph, Value codes, int64_t num_expert, float gamma, std::string name);

// selectors: [B, k, E] -> [B, 1]: Σ over selectors of their entropy, -Σ_e p log(p + 1e-6) (section 3.3): 0 when every
// selector has settled on one expert.
Value SelectorEntropy(Graph& graph, Value selectors, std::string name);

// selectors: [B, k, E] -> [B, 1]: Σ over selectors of 1 / t - 1 with t = Σ_e p_e: keeps selectors away from codes that mean
// no expert, where E is no power of two; 0 once each selector has an expert. The authors' program adds the same term, less
// the constant; below t = 0.05 it goes on here as its tangent, so that no row's gradient exceeds 400.
Value SelectorsOutOfReach(Graph& graph, Value selectors, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_SMOOTH_STEP_H_
