// SPDX-License-Identifier: Apache-2.0
// Runs a model, or the members of an ensemble, forward over rows: predictions, and all metrics of all tasks.
//
//   Evaluator evaluator(*model, pool);                       // or Evaluator(Pointers(members), pool)
//   Predictions predictions = evaluator.Predict(selection);
//   EvaluationResult result = evaluator.Score(predictions, selection);
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

// Of an ensemble, logits and values are means over its members.
struct Predictions {
  int64_t rows = 0;
  std::vector<std::vector<float>> logits;  // by tower, [rows, num_logits]
  std::vector<std::vector<float>> values;  // by tower, [rows, num_predictions]: probabilities or numbers (Loss::Link)
  std::vector<std::vector<float>> extras;  // by extra output of the graph, [rows] probabilities
  // [member][tower]: mean loss of the tower is computed from these, because it does not follow from averages.
  std::vector<std::vector<std::vector<float>>> member_logits;
};

class Evaluator {
 public:
  // The models and the pool must outlive this; the models' parameters may change between calls. Members of an ensemble
  // differ in their parameters only.
  Evaluator(Model& model, ThreadPool& pool) : Evaluator(std::vector<Model*>{&model}, pool) {}
  Evaluator(std::vector<Model*> members, ThreadPool& pool);

  // Rows in the order of the selection. A row's numbers do not depend on the others.
  Predictions Predict(const RowSelection& selection);
  // predictions: of the same rows in the same order. The table must have been encoded with labels.
  EvaluationResult Score(const Predictions& predictions, const RowSelection& selection) const;
  EvaluationResult Evaluate(const RowSelection& selection) { return Score(Predict(selection), selection); }
  // The rows of each value of a column by themselves. codes: [rows of the selection], indices into texts; values without
  // a row are left out; the others come in the order of texts.
  ColumnSlices ScoreBy(const std::string& column, std::span<const int32_t> codes, std::span<const std::string> texts,
                       const Predictions& predictions, const RowSelection& selection) const;

 private:
  void PredictMember(size_t member, const RowSelection& selection, Predictions* predictions);
  double TaskLoss(size_t task, const Predictions& predictions, const std::vector<float>& labels,
                  const std::vector<float>& weights, std::span<const int32_t* const> groups) const;
  const Model& model() const { return *members_[0]; }

  std::vector<Model*> members_;
  ThreadPool& pool_;
  std::vector<std::unique_ptr<Executor>> executors_;  // by member
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_EVALUATION_H_
