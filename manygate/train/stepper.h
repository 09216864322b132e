// SPDX-License-Identifier: Apache-2.0
// One training step after another: batch, touched rows, forward and backward, optimizers. Knows nothing of files,
// epochs or evaluations.
//
//   Stepper stepper(model, {.steps_per_epoch = 6236, .total_steps = 62360}, pool);
//   for (...) MG_RETURN_IF_ERROR(stepper.Step(table, rows + first, n));
//   stepper.Settle();                       // before weights are read
//   stepper.SwapAverage();  evaluate, save;  stepper.SwapAverage();   // only if train_config.ema is set
#ifndef MANYGATE_TRAIN_STEPPER_H_
#define MANYGATE_TRAIN_STEPPER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "manygate/balancing/balancer.h"
#include "manygate/base/memory.h"
#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/catalog/model.h"
#include "manygate/features/encode.h"
#include "manygate/graph/executor.h"
#include "manygate/optimizers/schedule.h"
#include "manygate/train/task_gradients.h"
#include "manygate/train/trainer.h"

namespace manygate {

class Stepper {
 public:
  Stepper(Model& model, RunLength run, ThreadPool& pool);

  // One step on n rows of the table, n <= data_config.batch_size. Failed: a loss is not finite; the weights are then
  // those before the step, but for rows of tables that were brought up to date.
  Status Step(const features::EncodedTable& table, const uint32_t* rows, int n);

  int64_t step() const { return dense_->step(); }
  // The step after which all rows of tables were last brought up to date.
  int64_t settled_step() const { return settled_step_; }
  // Brings every row of every table up to date.
  void Settle();
  // Goes on after `step`; rows of tables wait for steps after settled_step at most.
  void Restart(int64_t step, int64_t settled_step);

  // Exponential moving average of the weights (train_config.ema): exchanges it with the weights. No-op without one.
  void SwapAverage();
  // Floats that a checkpoint must hold besides the store: the average, and what the balancer remembers.
  std::vector<std::pair<std::string, std::span<float>>> CheckpointParts();

  // The inner products of the tasks' gradients on n rows, n <= data_config.batch_size, with the present weights. Only
  // after Settle; changes nothing of the run.
  GradientProducts MeasureProducts(const features::EncodedTable& table, const uint32_t* rows, int n);

  // Mean training loss per output of the graph (towers, then row losses) since the last call, in that order.
  std::vector<std::pair<std::string, double>> TakeLosses();
  std::vector<std::pair<std::string, double>> Losses() const;
  double learning_rate() const { return learning_rate_; }
  PhaseSeconds& phases() { return phases_; }

 private:
  Optimizer& OptimizerOf(int table) { return model_.graph.tables[table].embedding ? *sparse_ : *dense_; }
  void FillBatch(const features::EncodedTable& table, const uint32_t* rows, int n);
  void FillOutput(size_t output, const RowTargets& targets);
  void SettleTouched();
  // One pass over the batch with the losses times loss_factors_; leaves the outputs' mean losses in batch_losses_.
  Status ForwardBackward(int n, bool first_pass);
  // Only the losses, with the present weights.
  void ForwardLosses(int n);
  Status BalancedForwardBackward(int n);
  void FactorsOfLosses(int n);
  Status TakeTaskGradients(int n, bool for_balancer);
  void TellBalancer(int n);
  void AddLosses();
  void ClipGradients();
  void Update();
  void UpdateAverage();

  Model& model_;
  ThreadPool& pool_;
  Executor executor_;
  std::unique_ptr<Optimizer> dense_, sparse_;
  Schedule dense_schedule_, sparse_schedule_;
  int64_t steps_per_epoch_;
  int64_t settled_step_ = 0;
  double learning_rate_ = 0;
  PhaseSeconds phases_;

  // Loss of one output over one slice; fills its d_logits.
  double SliceLoss(size_t output, const Slice& slice);
  void SumSliceLosses(int n);
  // By task: mean loss of the batch times the tower's weight, NaN without a row of it.
  std::vector<double> TaskLosses() const;

  // One batch. ids: [B, slots], numbers: [B, width], row_labels: [B, labels], row_weights: [B, weights].
  std::vector<int32_t> ids_;
  std::vector<float> numbers_, row_labels_, row_weights_;
  // By output of the graph: [B]. A row loss has weights and no labels.
  std::vector<std::vector<float>> labels_, weights_;
  std::vector<std::vector<int32_t>> groups_;      // by group column: [B]; empty where no loss asks for it
  std::vector<const int32_t*> group_pointers_;    // by group column
  std::vector<float> scales_;                     // by output: its weight / Σ row weights
  std::vector<double> row_weight_sums_;           // by output
  std::vector<float> loss_factors_;               // by output: what balancing multiplies its loss by
  std::vector<double> batch_losses_;              // by output: Σ row weight · loss of the batch
  std::vector<double> slice_losses_;              // [slice][output]
  std::vector<double> loss_sums_, loss_weights_;  // by output, since TakeLosses
  std::vector<std::vector<float>> scratch_;       // [slice][...], for towers with several losses
  InputBatch batch_;

  std::unique_ptr<Balancer> balancer_;  // null: the losses are summed
  std::unique_ptr<TaskGradients> task_gradients_;
  std::vector<double> factors_;      // Balancer::Factors
  std::vector<float> epoch_losses_;  // by task: Σ weight · loss of the epoch; then Σ weight

  FloatBuffer average_;                      // dense
  std::vector<FloatBuffer> table_averages_;  // [rows, padded width]
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_STEPPER_H_
