// SPDX-License-Identifier: Apache-2.0
// Runs a model forward over rows: predictions, and all metrics of all tasks.
#ifndef MANYGATE_TRAIN_EVALUATION_H_
#define MANYGATE_TRAIN_EVALUATION_H_

#include <memory>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/catalog/model.h"
#include "manygate/graph/executor.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/train/dataset.h"

namespace manygate {

// By tower, [rows] each.
struct Predictions {
  std::vector<std::vector<float>> logits;
  std::vector<std::vector<float>> values;  // probabilities, or numbers for regression (Loss::Link)
};

class Evaluator {
 public:
  // The model and pool must outlive this; the model's parameters may change between calls.
  Evaluator(Model& model, ThreadPool& pool);

  // Rows in the order of the selection. A row's numbers do not depend on the others.
  Predictions Predict(const RowSelection& selection);
  // The table must have been encoded with labels.
  EvaluationResult Evaluate(const RowSelection& selection);

 private:
  Model& model_;
  ThreadPool& pool_;
  Executor executor_;
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_EVALUATION_H_
