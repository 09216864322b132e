// SPDX-License-Identifier: Apache-2.0
// Embeddings of numbers: a vector that depends on a number without cutting it into ids.
//
//   Value age = MlpEmbedding(graph, Numbers(graph, "age", 0, 1), 16, "dense_embeddings.age");
//   Value price = AutoDisEmbedding(graph, Numbers(graph, "price", 1, 1), 16,
//                                  {.num_channels = 8, .temperature = 0.1, .keep_prob = 0.8}, "dense_embeddings.price");
//
// Each call has parameters of its own, which start as draws from N(0, 1).
#ifndef MANYGATE_MODELS_DENSE_EMBEDDING_H_
#define MANYGATE_MODELS_DENSE_EMBEDDING_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// x: [B, n] -> [B, n·dim]: number j times its own row w_j, no bias. Parameter "<name>.weight", [n, 1, dim] or, of one
// number, [1, dim].
Value MlpEmbedding(Graph& graph, Value x, int64_t dim, const std::string& name);

struct AutoDis {
  int64_t num_channels = 1;  // C >= 1, rows of the meta embedding
  float temperature = 1;     // > 0
  float keep_prob = 0;       // weight of the connection around the second product
};

// Guo et al. 2021, "An Embedding Learning Framework for Numerical Features in CTR Prediction": h = LeakyReLU(x·w),
// z = h·M + keep_prob·h, weights = softmax(z / temperature), y = weights·E. x: [B, 1] -> [B, dim]. Parameters
// "<name>.input.weight" [1, C], "<name>.channels.weight" [C, C] (rows: inputs), "<name>.meta.weight" [C, dim].
Value AutoDisEmbedding(Graph& graph, Value x, int64_t dim, const AutoDis& options, const std::string& name);

}  // namespace manygate

#endif  // MANYGATE_MODELS_DENSE_EMBEDDING_H_
