// SPDX-License-Identifier: Apache-2.0
// One task of a model: which label it learns, what a row weighs in it, and by which losses.
//
//   std::vector<Task> tasks = MakeTasks(pipeline, schema);
//   double total = tasks[t].FillRows(rows, labels, weights);      // labels NaN and weights 0 where the row has no part
//   double sum = tasks[t].Compute({...}, groups, scratch, d_logits);
//   tasks[t].Link(logits, stride, n, predictions);                // [n, num_predictions]
#ifndef MANYGATE_CATALOG_TASK_H_
#define MANYGATE_CATALOG_TASK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "manygate/config/accessors.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/features/schema.pb.h"
#include "manygate/losses/loss.h"

namespace manygate {

// Labels and weights of rows as features::EncodedTable copies them, row-major.
struct RowTargets {
  int64_t rows;
  const float* labels;  // [rows, label_stride], NaN = missing
  int64_t label_stride;
  const float* weights;  // [rows, weight_stride], not read where weight_stride is 0
  int64_t weight_stride;
};

struct Task {
  std::string tower;
  config::TaskKind kind = config::TaskKind::kBinary;
  int label = 0;      // column of RowTargets::labels
  double weight = 1;  // of the task in the sum of losses

  // Each row's label, and its weight in this task's loss (config::TaskTower, fields 8 to 11 and class_weights); 0 where
  // the label is missing. Returns Σ weights.
  double FillRows(const RowTargets& targets, float* labels, float* weights) const;
  // The weight of each row in this task's metrics: its sample weight, or 0 where its weight in the loss is 0.
  void FillMetricWeights(const RowTargets& targets, const float* loss_weights, float* weights) const;

  // As Loss::Compute, for the sum of the task's losses. groups: by column of schema.group_column, [batch.rows] each;
  // scratch: any vector, kept by the caller so that a step does not allocate.
  double Compute(LossBatch batch, std::span<const int32_t* const> groups, std::vector<float>& scratch,
                 float* d_logits) const;
  // As Loss::Link of the first loss.
  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const {
    losses[0].loss->Link(logits, logit_stride, rows, predictions);
  }
  int num_logits() const { return losses[0].loss->NumLogits(); }
  int num_predictions() const { return losses[0].loss->NumPredictions(); }
  // Whether a loss must be given all rows of a batch at once.
  bool NeedsWholeBatch() const;

  struct WeightedLoss {
    std::unique_ptr<Loss> loss;
    float weight;
    int sessions;  // column of schema.group_column; -1: none
  };
  std::vector<WeightedLoss> losses;
  int sample_weight = -1;  // column of RowTargets::weights; -1: every row weighs 1
  int indicator = -1;      // label of the task space; -1: none
  float in_space = 1, out_space = 1;
  std::vector<float> class_weights;  // by label; empty: 1
};

// One per tower, in order. The configuration is resolved, and the schema fitted to it.
std::vector<Task> MakeTasks(const config::Pipeline& pipeline, const features::Schema& schema);

LabelStatistics StatisticsOf(const features::LabelSchema& label);

// Index of a label in the schema; -1 if it is not there.
int FindLabel(const features::Schema& schema, const std::string& name);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_TASK_H_
