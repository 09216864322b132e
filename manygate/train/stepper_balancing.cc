// SPDX-License-Identifier: Apache-2.0
// The part of Stepper that balances the tasks (train_config.balancing).
#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/base/check.h"
#include "manygate/train/stepper.h"

namespace manygate {

std::vector<double> Stepper::TaskLosses() const {
  std::vector<double> losses;
  for (size_t k = 0; k < model_.tasks.size(); ++k) {
    losses.push_back(row_weight_sums_[k] > 0 ? model_.tasks[k].weight * batch_losses_[k] / row_weight_sums_[k]
                                             : std::numeric_limits<double>::quiet_NaN());
  }
  return losses;
}

// The training executor, so that dropout is that of the step.
void Stepper::ForwardLosses(int n) {
  const size_t tasks = model_.tasks.size(), outputs = labels_.size();
  const std::vector<View> no_gradients(outputs);
  executor_.ParametersChanged();
  executor_.Forward(
      batch_,
      [&](const Slice& slice) {
        Slice values = slice;
        values.d_logits = no_gradients;
        for (size_t k = 0; k < tasks; ++k) slice_losses_[slice.index * outputs + k] = SliceLoss(k, values);
      },
      step() + 1);
  SumSliceLosses(n);
}

// Methods that weigh losses: one factor per task, for all parameters.
void Stepper::FactorsOfLosses(int n) {
  std::vector<double> losses;
  if (balancer_->reads() == Balancer::Reads::kLosses) {
    ForwardLosses(n);
    losses = TaskLosses();
  }
  factors_.resize(model_.tasks.size());
  balancer_->Factors({.losses = losses, .step = step() + 1}, factors_);
  std::copy(factors_.begin(), factors_.end(), loss_factors_.begin());
}

// A pass per task, and one for the terms of the loss that belong to none. The gradients of all rows are 0 before and after.
Status Stepper::TakeTaskGradients(int n, bool for_balancer) {
  const size_t tasks = model_.tasks.size(), outputs = labels_.size();
  task_gradients_->StartBatch();
  const size_t passes = tasks + (for_balancer && task_gradients_->has_row_losses() ? 1 : 0);
  bool first_pass = for_balancer;
  Status status = OkStatus();
  for (size_t k = 0; k < passes && status.ok(); ++k) {
    if (k < tasks && row_weight_sums_[k] == 0) continue;
    for (size_t i = 0; i < outputs; ++i) loss_factors_[i] = i == k || (k == tasks && i >= tasks) ? 1.f : 0.f;
    status = ForwardBackward(n, first_pass);
    first_pass = false;
    Balancer::Preparation preparation;
    if (for_balancer && k < tasks) preparation = balancer_->Prepare(TaskLosses()[k], step() + 1);
    task_gradients_->Take(static_cast<int>(k), preparation);
  }
  std::fill(loss_factors_.begin(), loss_factors_.end(), 1.f);
  return status;
}

Status Stepper::BalancedForwardBackward(int n) {
  if (balancer_->reads() != Balancer::Reads::kGradients) {
    FactorsOfLosses(n);
    return ForwardBackward(n, true);
  }
  MG_RETURN_IF_ERROR(TakeTaskGradients(n, true));
  const GradientProducts products = task_gradients_->Products();
  const std::vector<double> losses = TaskLosses();
  factors_.resize((products.parameters() + 1) * model_.tasks.size());
  balancer_->Factors({.losses = losses, .products = &products, .step = step() + 1}, factors_);
  task_gradients_->Combine(factors_);
  return OkStatus();
}

// After the weights have moved; step() is that of this batch now.
void Stepper::TellBalancer(int n) {
  const std::vector<double> losses = TaskLosses();
  const size_t tasks = losses.size();
  for (size_t k = 0; k < tasks; ++k) {
    if (row_weight_sums_[k] == 0) continue;
    epoch_losses_[k] += static_cast<float>(model_.tasks[k].weight * batch_losses_[k]);
    epoch_losses_[tasks + k] += static_cast<float>(row_weight_sums_[k]);
  }
  std::vector<double> after;
  if (balancer_->ReadsLossesAfter()) {
    SettleTouched();  // the rows' own step still waits
    ForwardLosses(n);
    after = TaskLosses();
  }
  balancer_->AfterStep(losses, after);
  if (step() % steps_per_epoch_ != 0) return;
  std::vector<double> means;
  for (size_t k = 0; k < tasks; ++k)
    means.push_back(epoch_losses_[tasks + k] > 0 ? epoch_losses_[k] / epoch_losses_[tasks + k]
                                                 : std::numeric_limits<double>::quiet_NaN());
  balancer_->AfterEpoch(means);
  std::fill(epoch_losses_.begin(), epoch_losses_.end(), 0.f);
}

GradientProducts Stepper::MeasureProducts(const features::EncodedTable& table, const uint32_t* rows, int n) {
  MG_CHECK(settled_step() == step(), "gradients are measured at step {}, settled at {}", step(), settled_step());
  if (task_gradients_ == nullptr) task_gradients_ = std::make_unique<TaskGradients>(model_);
  FillBatch(table, rows, n);
  SettleTouched();
  // A loss that is not finite ends the run in its own step; here it makes products that are not finite.
  const Status ignored = TakeTaskGradients(n, false);
  static_cast<void>(ignored);
  return task_gradients_->Products();
}

}  // namespace manygate
