// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/dense_embedding.h"

#include "manygate/base/check.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/add.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/multiply.h"

namespace manygate {
namespace {

// Lets the weight of a product without a bias start as draws from N(0, 1).
Value StartNormal(Graph& graph, Value product) {
  const int parameter = graph.node(product).blocks[0].pieces[0].parameter;
  graph.parameters[parameter].initializer = {Initializer::Kind::kNormal, 0, 1};
  return product;
}

Value NormalDense(Graph& graph, Value x, int64_t width, const std::string& name) {
  return StartNormal(graph, Dense(graph, x, {1, width}, name, false));
}

}  // namespace

Value MlpEmbedding(Graph& graph, Value x, int64_t dim, const std::string& name) {
  const int64_t numbers = graph.shape(x).size();
  if (numbers == 1) return NormalDense(graph, x, dim, name);
  const Value single = SliceColumns(graph, name + ".numbers", x, 0, {numbers, 1});
  const Value each = StartNormal(graph, DenseBank(graph, single, dim, name, false));
  return SliceColumns(graph, name + ".side_by_side", each, 0, {1, numbers * dim});
}

Value AutoDisEmbedding(Graph& graph, Value x, int64_t dim, const AutoDis& options, const std::string& name) {
  MG_CHECK(graph.shape(x).size() == 1, "{}: {} numbers", name, graph.shape(x).size());
  const int64_t channels = options.num_channels;
  const Value first = NormalDense(graph, x, channels, name + ".input");
  const Value hidden = Activate(graph, first, Activation::kLeakyRelu, name + ".activation");
  const Value mixed = NormalDense(graph, hidden, channels, name + ".channels");
  const Value around = Scale(graph, hidden, options.keep_prob, name + ".around");
  const Value scores = Add(graph, {mixed, around}, name + ".sum");
  return NormalDense(graph, Softmax(graph, scores, name + ".softmax", options.temperature), dim, name + ".meta");
}

}  // namespace manygate
