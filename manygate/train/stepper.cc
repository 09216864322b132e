// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/stepper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/catalog/balancing.h"
#include "manygate/config/accessors.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/optimizer_steps.h"

namespace manygate {
namespace {

// Adds the time since the last lap to a phase. Five clock readings a step are below 1 % of the shortest steps.
class Stopwatch {
 public:
  void Lap(double& phase) {
    const auto now = std::chrono::steady_clock::now();
    phase += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Ranges of this many values, or rows of tables, are worth another thread.
constexpr int64_t kParallelValues = 1 << 15;
constexpr int64_t kParallelRows = 256;
constexpr int kMaxStates = 4;

bool NeedsWholeBatch(const std::vector<Task>& tasks) {
  return std::any_of(tasks.begin(), tasks.end(), [](const Task& task) { return task.NeedsWholeBatch(); });
}

// Which group columns the losses read.
std::vector<bool> GroupsOfLosses(const Model& model) {
  std::vector<bool> read(model.schema.group_column_size(), false);
  for (const Task& task : model.tasks)
    for (const Task::WeightedLoss& part : task.losses)
      if (part.sessions >= 0) read[part.sessions] = true;
  return read;
}

}  // namespace

Stepper::Stepper(Model& model, RunLength run, ThreadPool& pool)
    : model_(model),
      pool_(pool),
      executor_(model.graph, *model.store,
                {.training = true,
                 .slice_rows = static_cast<int64_t>(model.pipeline.train_config().slice_rows()),
                 .max_batch_rows = static_cast<int64_t>(model.pipeline.data_config().batch_size()),
                 .whole_batch_losses = NeedsWholeBatch(model.tasks),
                 .seed = model.pipeline.train_config().seed()},
                pool),
      dense_(MakeOptimizer(model.pipeline.train_config().dense_optimizer(), RowDecay::kEveryStep)),
      sparse_(MakeOptimizer(model.pipeline.train_config().sparse_optimizer(), RowDecay::kWhenTouched)),
      dense_schedule_(model.pipeline.train_config().dense_optimizer(), run),
      sparse_schedule_(model.pipeline.train_config().sparse_optimizer(), run),
      steps_per_epoch_(run.steps_per_epoch) {
  const size_t outputs = model.graph.outputs.size();
  const int64_t batch_size = model.pipeline.data_config().batch_size();
  labels_.assign(outputs, std::vector<float>(batch_size));
  weights_.assign(outputs, std::vector<float>(batch_size, 1.f));
  scales_.resize(outputs);
  row_weight_sums_.resize(outputs);
  loss_factors_.assign(outputs, 1.f);
  batch_losses_.resize(outputs);
  loss_sums_.resize(outputs);
  loss_weights_.resize(outputs);
  ids_.resize(batch_size * model.schema.num_id_slots());
  numbers_.resize(batch_size * model.schema.number_width());
  row_labels_.resize(batch_size * model.schema.labels_size());
  row_weights_.resize(batch_size * model.schema.weight_column_size());
  slice_losses_.resize(executor_.NumSlices(batch_size) * outputs);
  scratch_.resize(executor_.NumSlices(batch_size));
  const std::vector<bool> groups = GroupsOfLosses(model);
  groups_.resize(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g]) groups_[g].resize(batch_size);
    group_pointers_.push_back(groups_[g].data());
  }

  if (model.pipeline.train_config().has_balancing()) {
    task_gradients_ = std::make_unique<TaskGradients>(model);
    balancer_ = MakeBalancer(model.pipeline, task_gradients_->shared_parameters());
    if (balancer_->KeepsGradients()) task_gradients_->KeepGradients();
    epoch_losses_.resize(2 * model.tasks.size());
  }
  ParameterStore& store = *model.store;
  for (int k = 0; k < dense_->StatePerValue(); ++k) std::fill_n(store.state(k), store.size(), dense_->InitialState());
  for (size_t t = 0; t < store.tables().size(); ++t) {
    RowTable& table = *store.tables()[t];
    const float start = OptimizerOf(static_cast<int>(t)).InitialState();
    for (int64_t row = 0; row < table.rows(); ++row)
      for (int k = 0; k < table.num_states(); ++k) std::fill_n(table.state(row, k), table.padded_width(), start);
  }
  if (model.pipeline.train_config().has_ema()) {
    average_.Resize(store.size());
    for (const auto& table : store.tables()) table_averages_.emplace_back(table->rows() * table->padded_width());
    std::copy_n(store.weights(), store.size(), average_.data());
    for (size_t t = 0; t < store.tables().size(); ++t) {
      RowTable& table = *store.tables()[t];
      for (int64_t row = 0; row < table.rows(); ++row)
        std::copy_n(table.weights(row), table.padded_width(), table_averages_[t].data() + row * table.padded_width());
    }
  }
}

void Stepper::FillBatch(const features::EncodedTable& table, const uint32_t* rows, int n) {
  table.CopyRows(rows, n, ids_.data(), numbers_.data(), row_labels_.data(), row_weights_.data());
  batch_ = {n,
            ids_.data(),
            table.num_id_slots(),
            numbers_.data(),
            table.number_width(),
            row_labels_.data(),
            table.num_labels()};
  for (size_t g = 0; g < groups_.size(); ++g)
    for (size_t r = 0; r < (groups_[g].empty() ? 0 : static_cast<size_t>(n)); ++r)
      groups_[g][r] = table.groups(static_cast<int>(g))[rows[r]];
  const RowTargets targets{n, row_labels_.data(), table.num_labels(), row_weights_.data(), table.num_weights()};
  for (size_t i = 0; i < labels_.size(); ++i) FillOutput(i, targets);
}

void Stepper::FillOutput(size_t output, const RowTargets& targets) {
  double total = 0, factor = 0;
  if (output < model_.tasks.size()) {
    total = model_.tasks[output].FillRows(targets, labels_[output].data(), weights_[output].data());
    factor = model_.tasks[output].weight;
  } else {
    // A row loss is the model's own and belongs to no task: rows weigh what the only column of weights says.
    const bool weighted = targets.weight_stride == 1;
    for (int64_t r = 0; r < targets.rows; ++r) total += weights_[output][r] = weighted ? targets.weights[r] : 1.f;
    factor = model_.graph.outputs[output].weight;
  }
  // A batch without a row of this task moves nothing.
  scales_[output] = total > 0 ? static_cast<float>(factor / total) : 0.f;
  row_weight_sums_[output] = total;
}

void Stepper::SettleTouched() {
  executor_.Touch(batch_);
  auto& tables = model_.store->tables();
  for (size_t t = 0; t < tables.size(); ++t) {
    Optimizer& optimizer = OptimizerOf(static_cast<int>(t));
    for (const std::span<const int32_t> touched : tables[t]->touched()) {
      const int64_t rows = static_cast<int64_t>(touched.size());
      if (pool_.size() == 1 || rows < 2 * kParallelRows) {
        optimizer.SettleRows(*tables[t], touched);
        continue;
      }
      pool_.ParallelFor((rows + kParallelRows - 1) / kParallelRows, [&](int64_t part, int) {
        const int64_t first = part * kParallelRows;
        optimizer.SettleRows(*tables[t], touched.subspan(first, std::min(kParallelRows, rows - first)));
      });
    }
  }
}

// d_logits of the slice may be null: only the loss is wanted then.
double Stepper::SliceLoss(size_t output, const Slice& slice) {
  const View& logits = slice.logits[output];
  const View& d_logits = slice.d_logits[output];
  const float* weights = weights_[output].data() + slice.first_row;
  const float scale = scales_[output] * loss_factors_[output];
  if (output < model_.tasks.size()) {
    return model_.tasks[output].Compute({.logits = logits.data,
                                         .logit_stride = logits.stride,
                                         .labels = labels_[output].data() + slice.first_row,
                                         .weights = weights,
                                         .rows = slice.rows,
                                         .scale = scale},
                                        group_pointers_, scratch_[slice.index], d_logits.data);
  }
  double sum = 0;
  for (int64_t r = 0; r < slice.rows; ++r) {
    sum += weights[r] * logits.data[r * logits.stride];
    d_logits.data[r * d_logits.stride] = scale * weights[r];
  }
  return sum;
}

void Stepper::SumSliceLosses(int n) {
  const size_t outputs = labels_.size();
  for (size_t i = 0; i < outputs; ++i) {
    batch_losses_[i] = 0;
    for (int s = 0; s < executor_.NumSlices(n); ++s) batch_losses_[i] += slice_losses_[s * outputs + i];
  }
}

Status Stepper::ForwardBackward(int n, bool first_pass) {
  const size_t outputs = labels_.size();
  const auto losses = [&](const Slice& slice) {
    for (size_t i = 0; i < outputs; ++i) slice_losses_[slice.index * outputs + i] = SliceLoss(i, slice);
  };
  executor_.ForwardBackward(batch_, step() + 1, losses, first_pass);
  SumSliceLosses(n);
  for (size_t i = 0; i < outputs; ++i) {
    if (std::isfinite(batch_losses_[i])) continue;
    return Failed(
        fmt::format("the loss of {} \"{}\" is {} at step {}: training diverged. Try a lower learning rate "
                    "(now {:g}), train_config.grad_clipping, or standardise large numbers.",
                    i < model_.tasks.size() ? "tower" : "term", model_.graph.outputs[i].name, batch_losses_[i],
                    step() + 1, dense_schedule_.LearningRate(step() + 1)));
  }
  return OkStatus();
}

void Stepper::AddLosses() {
  for (size_t i = 0; i < labels_.size(); ++i) {
    loss_sums_[i] += batch_losses_[i];
    loss_weights_[i] += row_weight_sums_[i];
  }
}

void Stepper::ClipGradients() {
  const config::GradClipping& clip = model_.pipeline.train_config().grad_clipping();
  ParameterStore& store = *model_.store;
  const auto each_run = [&](auto visit) {
    visit(store.gradient(), store.trainable_size());
    for (const auto& table : store.tables())
      for (const auto& touched : table->touched())
        for (const int32_t row : touched) visit(table->gradient(row), table->padded_width());
  };
  if (clip.clipping_type() == "none") return;
  if (clip.clipping_type() == "value") {
    each_run([&](float* g, int64_t n) {
      for (int64_t i = 0; i < n; ++i) g[i] = std::clamp(g[i], -clip.max_gradient(), clip.max_gradient());
    });
    return;
  }
  double norm = 0;
  if (std::isinf(clip.norm_type())) {
    each_run([&](const float* g, int64_t n) {
      for (int64_t i = 0; i < n; ++i) norm = std::max(norm, std::abs(double{g[i]}));
    });
  } else {
    each_run([&](const float* g, int64_t n) { norm += SumOfSquares(n, g); });
    norm = std::sqrt(norm);
  }
  if (norm <= clip.max_gradient()) return;
  const float factor = static_cast<float>(clip.max_gradient() / norm);
  each_run([&](float* g, int64_t n) { ScaleBy(n, factor, g); });
}

void Stepper::Update() {
  ParameterStore& store = *model_.store;
  learning_rate_ = dense_schedule_.LearningRate(step() + 1);
  sparse_->BeginStep(sparse_schedule_.LearningRate(step() + 1));
  dense_->BeginStep(learning_rate_);
  const auto update = [&](int64_t first, int64_t last, bool decay) {
    std::array<float*, kMaxStates> state{};  // no allocation in a step
    const int num_states = store.num_states();
    MG_CHECK(num_states <= kMaxStates, "{} optimizer values per weight", num_states);
    for (int k = 0; k < num_states; ++k) state[k] = store.state(k) + first;
    dense_->UpdateDense(last - first, store.weights() + first, store.gradient() + first,
                        std::span<float* const>(state.data(), num_states), decay);
  };
  const auto update_range = [&](int64_t first, int64_t last, bool decay) {
    if (pool_.size() == 1 || last - first < 2 * kParallelValues) return update(first, last, decay);
    pool_.ParallelFor((last - first + kParallelValues - 1) / kParallelValues, [&](int64_t part, int) {
      const int64_t from = first + part * kParallelValues;
      update(from, std::min(last, from + kParallelValues), decay);
    });
  };
  update_range(0, store.decayed_size(), true);
  update_range(store.decayed_size(), store.trainable_size(), false);
}

// With an average every row moves in every step: the average of a row that was not touched changes too.
void Stepper::UpdateAverage() {
  Settle();
  ParameterStore& store = *model_.store;
  const double t = static_cast<double>(step());
  const float decay =
      static_cast<float>(std::min<double>(model_.pipeline.train_config().ema().decay(), (1 + t) / (10 + t)));
  EmaPass(store.size(), decay, store.weights(), average_.data());
  for (size_t i = 0; i < store.tables().size(); ++i) {
    RowTable& table = *store.tables()[i];
    const int64_t width = table.padded_width();
    for (int64_t row = 0; row < table.rows(); ++row)
      EmaPass(width, decay, table.weights(row), table_averages_[i].data() + row * width);
  }
}

Status Stepper::Step(const features::EncodedTable& table, const uint32_t* rows, int n) {
  Stopwatch watch;
  FillBatch(table, rows, n);
  watch.Lap(phases_.batch);
  SettleTouched();
  watch.Lap(phases_.settle);
  MG_RETURN_IF_ERROR(balancer_ == nullptr ? ForwardBackward(n, true) : BalancedForwardBackward(n));
  AddLosses();
  watch.Lap(phases_.forward_backward);
  if (model_.pipeline.train_config().has_grad_clipping()) ClipGradients();
  Update();
  if (balancer_ != nullptr) TellBalancer(n);
  if (!average_.empty()) UpdateAverage();
  watch.Lap(phases_.optimizer);
  return OkStatus();
}

void Stepper::Settle() {
  auto& tables = model_.store->tables();
  for (size_t t = 0; t < tables.size(); ++t) OptimizerOf(static_cast<int>(t)).SettleAll(*tables[t]);
  settled_step_ = step();
  dense_->Forget();
  sparse_->Forget();
}

void Stepper::Restart(int64_t step, int64_t settled_step) {
  settled_step_ = settled_step;
  dense_->Restart(settled_step);
  sparse_->Restart(settled_step);
  for (int64_t s = settled_step + 1; s <= step; ++s) {
    dense_->BeginStep(dense_schedule_.LearningRate(s));
    sparse_->BeginStep(sparse_schedule_.LearningRate(s));
  }
}

void Stepper::SwapAverage() {
  if (average_.empty()) return;
  ParameterStore& store = *model_.store;
  std::swap_ranges(store.weights(), store.weights() + store.size(), average_.data());
  for (size_t i = 0; i < store.tables().size(); ++i) {
    RowTable& table = *store.tables()[i];
    const int64_t width = table.padded_width();
    for (int64_t row = 0; row < table.rows(); ++row)
      std::swap_ranges(table.weights(row), table.weights(row) + width, table_averages_[i].data() + row * width);
  }
}

std::vector<std::pair<std::string, std::span<float>>> Stepper::CheckpointParts() {
  std::vector<std::pair<std::string, std::span<float>>> parts;
  if (!average_.empty()) parts.emplace_back("average.dense", average_.span());
  for (size_t i = 0; i < table_averages_.size(); ++i)
    parts.emplace_back(fmt::format("average.table.{}", i), table_averages_[i].span());
  if (balancer_ == nullptr) return parts;
  parts.emplace_back("balancing.epoch_losses", epoch_losses_);
  if (!balancer_->State().empty()) parts.emplace_back("balancing.state", balancer_->State());
  for (auto& part : task_gradients_->Kept()) parts.push_back(part);
  return parts;
}

std::vector<std::pair<std::string, double>> Stepper::Losses() const {
  std::vector<std::pair<std::string, double>> losses;
  for (size_t t = 0; t < loss_sums_.size(); ++t)
    losses.emplace_back(model_.graph.outputs[t].name, loss_weights_[t] > 0 ? loss_sums_[t] / loss_weights_[t] : 0.0);
  return losses;
}

std::vector<std::pair<std::string, double>> Stepper::TakeLosses() {
  auto losses = Losses();
  std::fill(loss_sums_.begin(), loss_sums_.end(), 0.0);
  std::fill(loss_weights_.begin(), loss_weights_.end(), 0.0);
  return losses;
}

}  // namespace manygate
