// SPDX-License-Identifier: Apache-2.0
// The only place where names of the configuration meet objects: one switch per family. A new model, loss, metric or
// optimizer is a file in its folder and a line here.
#ifndef MANYGATE_CATALOG_CATALOG_H_
#define MANYGATE_CATALOG_CATALOG_H_

#include <memory>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/features/schema.pb.h"
#include "manygate/graph/graph.h"
#include "manygate/losses/loss.h"
#include "manygate/metrics/task_metrics.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {

struct GraphChoice {
  bool rewrite = true;  // apply the rewriting passes; off only to test that they change nothing
};

// The graph of a resolved and validated configuration over fitted features; outputs in the order of the towers. Output
// biases start from the training labels (Loss::InitialBias).
Graph BuildGraph(const config::Pipeline& pipeline, const features::Schema& schema, GraphChoice choice = {});

// Wires any model onto an input value; used by BuildGraph and by tests that have their own input.
void WireModel(Graph& graph, Value x, const config::ModelConfig& model);

// The passes, in order.
void RewriteGraph(Graph& graph);

std::unique_ptr<Loss> MakeLoss(const config::LossConfig& config);
std::unique_ptr<Metric> MakeMetric(const config::MetricConfig& config);
std::unique_ptr<Optimizer> MakeOptimizer(const config::Optimizer& config);
// One per tower, in order.
std::vector<TaskMetrics> MakeTaskMetrics(const config::ModelConfig& model);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_CATALOG_H_
