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

// Training needs row losses and no extra outputs, prediction the other way round (graph/graph.h).
enum class Purpose { kTrain, kPredict };

struct GraphChoice {
  Purpose purpose = Purpose::kTrain;
  bool rewrite = true;  // apply the rewriting passes; off only to test that they change nothing
};

// The graph of a resolved and validated configuration over fitted features; outputs in the order of the towers. Output
// biases start from the training labels (Loss::InitialBias).
Graph BuildGraph(const config::Pipeline& pipeline, const features::Schema& schema, GraphChoice choice = {});

// The passes, in order. batch_rows: of a training batch, for their cost rules.
void RewriteGraph(Graph& graph, int64_t batch_rows);

// tower: whose loss it is; labels: of its training rows.
std::unique_ptr<Loss> MakeLoss(const config::LossConfig& config, const config::TaskTower& tower,
                               const LabelStatistics& labels);
std::unique_ptr<Metric> MakeMetric(const config::MetricConfig& config);
// row_decay: kEveryStep for dense_optimizer, kWhenTouched for sparse_optimizer.
std::unique_ptr<Optimizer> MakeOptimizer(const config::Optimizer& config, RowDecay row_decay);
// One per tower, in order.
std::vector<TaskMetrics> MakeTaskMetrics(const config::ModelConfig& model);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_CATALOG_H_
