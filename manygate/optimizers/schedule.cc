// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace manygate {
namespace {

double PeakRate(const config::Optimizer& config) {
  switch (config.optimizer_case()) {
    case config::Optimizer::kSgdOptimizer: return config.sgd_optimizer().lr();
    case config::Optimizer::kAdagradOptimizer: return config.adagrad_optimizer().lr();
    case config::Optimizer::kAdamwOptimizer: return config.adamw_optimizer().lr();
    case config::Optimizer::kFtrlOptimizer: return config.ftrl_optimizer().lr();
    case config::Optimizer::kRmspropOptimizer: return config.rmsprop_optimizer().lr();
    case config::Optimizer::kAdadeltaOptimizer: return config.adadelta_optimizer().lr();
    case config::Optimizer::kRowwiseAdagradOptimizer: return config.rowwise_adagrad_optimizer().lr();
    case config::Optimizer::kPartialRowwiseAdamOptimizer: return config.partial_rowwise_adam_optimizer().lr();
    default: return config.adam_optimizer().lr();
  }
}

// Half a cosine from `peak` down to `lowest`; part: how much of it is done.
double HalfCosine(double peak, double lowest, double part) {
  return lowest + (peak - lowest) * 0.5 * (1 + std::cos(std::numbers::pi * part));
}

// From `start` to `peak` in a straight line; 1 - done is the part that is left.
double WarmUp(double start, double peak, double elapsed, double size) {
  return start + (peak - start) * elapsed / size;
}

}  // namespace

Schedule::Schedule(const config::Optimizer& config, RunLength run)
    : config_(config), run_(run), peak_(PeakRate(config)) {}

double Schedule::Elapsed(int64_t step, bool by_epoch) const {
  return static_cast<double>(by_epoch ? (step - 1) / std::max<int64_t>(1, run_.steps_per_epoch) : step - 1);
}

double Schedule::Exponential(int64_t step) const {
  const auto& c = config_.exponential_decay_learning_rate();
  const double elapsed = Elapsed(step, c.by_epoch()), warmup = static_cast<double>(c.warmup_size());
  if (elapsed < warmup) return WarmUp(c.warmup_learning_rate(), peak_, elapsed, warmup);
  double decays = (elapsed - warmup) / static_cast<double>(c.decay_size());
  if (c.staircase()) decays = std::floor(decays);
  return std::max<double>(c.min_learning_rate(), peak_ * std::pow(double{c.decay_factor()}, decays));
}

double Schedule::Manual(int64_t step) const {
  const auto& c = config_.manual_step_learning_rate();
  const double elapsed = Elapsed(step, c.by_epoch());
  double rate = peak_;
  for (int i = 0; i < c.schedule_sizes_size(); ++i) {
    const double from = static_cast<double>(c.schedule_sizes(i));
    if (elapsed >= from) {
      rate = c.learning_rates(i);
    } else {
      if (i == 0 && c.warmup()) return WarmUp(peak_, c.learning_rates(0), elapsed, from);
      break;
    }
  }
  return rate;
}

double Schedule::Cosine(int64_t step) const {
  const auto& c = config_.cosine_annealing_learning_rate();
  if (c.epochs() > 0) return CosineByEpochs(step);
  const double elapsed = Elapsed(step, c.by_epoch()), warmup = static_cast<double>(c.warmup_size());
  if (elapsed < warmup) return WarmUp(c.warmup_learning_rate(), peak_, elapsed, warmup);
  const double whole =
      c.t_max() > 0 ? static_cast<double>(c.t_max()) : Elapsed(run_.total_steps + 1, c.by_epoch()) - warmup;
  const double part = std::min(1.0, (elapsed - warmup) / std::max(1.0, whole));
  return HalfCosine(peak_, c.min_learning_rate(), part);
}

double Schedule::CosineByEpochs(int64_t step) const {
  const auto& c = config_.cosine_annealing_learning_rate();
  const double elapsed = static_cast<double>(step - 1);
  const double whole = double{c.epochs()} * static_cast<double>(std::max<int64_t>(1, run_.steps_per_epoch));
  const double warmup = double{c.warmup_share()} * whole;
  if (elapsed < warmup) return WarmUp(c.warmup_learning_rate(), peak_, elapsed, warmup);
  const double part = std::min(1.0, (elapsed - warmup) / (whole - warmup));
  return HalfCosine(peak_, c.min_learning_rate(), part);
}

double Schedule::CosineRestarts(int64_t step) const {
  const auto& c = config_.cosine_annealing_warm_restarts_learning_rate();
  const double elapsed = Elapsed(step, c.by_epoch()), warmup = static_cast<double>(c.warmup_size());
  if (elapsed < warmup) return WarmUp(c.warmup_learning_rate(), peak_, elapsed, warmup);
  double done = elapsed - warmup, length = static_cast<double>(c.t_0());
  if (c.t_mult() == 1) {
    done = std::fmod(done, length);
  } else {
    for (; done >= length; length *= static_cast<double>(c.t_mult())) done -= length;
  }
  return HalfCosine(peak_, c.min_learning_rate(), done / length);
}

double Schedule::Noam(int64_t step) const {
  const auto& c = config_.noam_learning_rate();
  const double a = static_cast<double>(c.warmup_size()) * (c.by_epoch() ? run_.steps_per_epoch : 1);
  const double s = static_cast<double>(step);
  return peak_ * std::sqrt(a) * std::min(s * std::pow(a, -1.5), 1 / std::sqrt(s));
}

double Schedule::LearningRate(int64_t step) const {
  switch (config_.learning_rate_case()) {
    case config::Optimizer::kExponentialDecayLearningRate: return Exponential(step);
    case config::Optimizer::kManualStepLearningRate: return Manual(step);
    case config::Optimizer::kCosineAnnealingLearningRate: return Cosine(step);
    case config::Optimizer::kCosineAnnealingWarmRestartsLearningRate: return CosineRestarts(step);
    case config::Optimizer::kNoamLearningRate: return Noam(step);
    default: return peak_;
  }
}

}  // namespace manygate
