// SPDX-License-Identifier: Apache-2.0
// For tests: a model's equations row by row in double, from the names of its parameters.
//
//   const LayerEquations e(runner);
//   Row q = e.Mlp(x, "bottoms.a", {5, 4});    // two layers with ReLU
//   double z = e.Tower(q, "a", {3});          // hidden layer and output unit
#ifndef MANYGATE_MODELS_LAYER_EQUATIONS_TESTING_H_
#define MANYGATE_MODELS_LAYER_EQUATIONS_TESTING_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/ops/graph_runner_testing.h"

namespace manygate {

using Row = std::vector<double>;

template <class Message>
Message ParseMessage(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline Row RowOf(const TestBatch& batch, int64_t r) {
  return Row(batch.numbers.begin() + r * batch.number_width, batch.numbers.begin() + (r + 1) * batch.number_width);
}

inline double SigmoidOf(double z) { return 1 / (1 + std::exp(-z)); }

// Rows one behind the other.
inline Row Joined(Row first, const Row& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

class LayerEquations {
 public:
  explicit LayerEquations(const GraphRunner& runner) : runner_(runner) {}

  // x·W + b; without a bias where has_bias is false.
  Row Linear(const Row& x, const std::string& name, int64_t out, bool has_bias = true) const {
    const std::vector<float> w = runner_.Read(name + ".weight");
    const std::vector<float> b = has_bias ? runner_.Read(name + ".bias") : std::vector<float>(out);
    EXPECT_EQ(w.size(), x.size() * out) << name;
    Row y(b.begin(), b.end());
    for (int64_t j = 0; j < out; ++j)
      for (size_t k = 0; k < x.size(); ++k) y[j] += x[k] * w[k * out + j];
    return y;
  }

  // Expert e of a bank of one layer: weights [D, E, H].
  Row Expert(const Row& x, int64_t e, int64_t num_expert, int64_t out) const {
    const Row all = Linear(x, "experts.layers.0", num_expert * out);
    return Relu(Row(all.begin() + e * out, all.begin() + (e + 1) * out));
  }

  // What a linear softmax gate `name` mixes of experts of one layer.
  Row Mixture(const Row& x, const std::string& name, int64_t num_expert, int64_t width) const {
    const Row gate = Linear(x, name + ".output", num_expert);
    double sum = 0;
    for (const double z : gate) sum += std::exp(z);
    Row mixed(width);
    for (int64_t e = 0; e < num_expert; ++e) {
      const Row expert = Expert(x, e, num_expert, width);
      for (int64_t h = 0; h < width; ++h) mixed[h] += std::exp(gate[e]) / sum * expert[h];
    }
    return mixed;
  }

  static Row Relu(Row x) {
    for (double& v : x) v = std::max(v, 0.0);
    return x;
  }

  // "<name>.layers.<i>", each with ReLU.
  Row Mlp(Row x, const std::string& name, const std::vector<int64_t>& hidden_units) const {
    for (size_t i = 0; i < hidden_units.size(); ++i)
      x = Relu(Linear(x, name + ".layers." + std::to_string(i), hidden_units[i]));
    return x;
  }

  double Tower(const Row& x, const std::string& tower, const std::vector<int64_t>& hidden_units) const {
    return Linear(Mlp(x, "towers." + tower, hidden_units), "towers." + tower + ".output", 1)[0];
  }

 private:
  const GraphRunner& runner_;
};

}  // namespace manygate

#endif  // MANYGATE_MODELS_LAYER_EQUATIONS_TESTING_H_
