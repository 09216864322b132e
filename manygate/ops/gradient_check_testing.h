// SPDX-License-Identifier: Apache-2.0
// For tests: every parameter gradient of a graph against central finite differences of its loss.
//
//   Graph graph;
//   graph.AddOutput("t", Dense(graph, Softmax(graph, Dense(graph, x, {1, 4}, "first"), "softmax"), {1, 2}, "last"));
//   GraphRunner runner(graph);
//   CheckGradients(graph, runner, batch.Rows());
#ifndef MANYGATE_OPS_GRADIENT_CHECK_TESTING_H_
#define MANYGATE_OPS_GRADIENT_CHECK_TESTING_H_

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "manygate/ops/graph_runner_testing.h"

namespace manygate {

// The forward pass works in float: a loss of about 10 known to 1e-6, differenced over 2·step, is good to 1e-4, and the
// error of the central difference is of the order of step². Wrong formulas are wrong by far more than `tolerance`.
inline void CheckGradients(const Graph& graph, GraphRunner& runner, const InputBatch& batch, double tolerance = 2e-3,
                           float step = 1e-2f) {
  const RunResult here = runner.Train(batch);
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    if (!graph.parameters[i].trainable) continue;
    const int index = static_cast<int>(i);
    std::vector<float> values = runner.store().Read(index);
    double largest = 0;
    for (size_t j = 0; j < values.size(); ++j) {
      const float old = values[j], above = old + step, below = old - step;
      values[j] = above;
      runner.store().Write(index, values);
      const double loss_above = runner.Train(batch).loss;
      values[j] = below;
      runner.store().Write(index, values);
      const double loss_below = runner.Train(batch).loss;
      values[j] = old;
      const double want = (loss_above - loss_below) / (double{above} - below);
      EXPECT_NEAR(here.gradients[i][j], want, tolerance * (1 + std::abs(want)))
          << graph.parameters[i].name << " [" << j << "]";
      largest = std::max(largest, std::abs(want));
    }
    runner.store().Write(index, values);
    EXPECT_GT(largest, 10 * tolerance) << graph.parameters[i].name << " does not matter here: nothing was checked";
  }
}

}  // namespace manygate

#endif  // MANYGATE_OPS_GRADIENT_CHECK_TESTING_H_
