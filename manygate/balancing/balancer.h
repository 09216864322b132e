// SPDX-License-Identifier: Apache-2.0
// Balancing: several tasks' losses -> one direction of descent. Every method here combines the tasks' gradients linearly,
// with factors that follow from the losses and from the inner products of the gradients; so a balancer never sees a
// gradient itself, and the same code serves any number of parameters (train/task_gradients.h applies the factors).
//
//   std::unique_ptr<Balancer> balancer = MakeCaGrad(config);            // catalog/ chooses by the configuration
//   std::vector<double> factors((products.parameters() + 1) * tasks);
//   balancer->Factors({.losses = losses, .products = &products, .step = 17}, factors);
//   // the direction in shared parameter p: Σ_k factors[p * tasks + k] · g_k
//   // in parameters that only task k has:  factors[products.parameters() * tasks + k] · g_k
//
// One method per file. Tasks are numbered as the towers. A task's loss is the mean over the batch times its tower's
// weight; NaN where the batch has no row of the task, whose gradient is then 0: nothing may be learnt from such a NaN.
#ifndef MANYGATE_BALANCING_BALANCER_H_
#define MANYGATE_BALANCING_BALANCER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Inner products g_i · g_j of the task gradients, apart by shared parameter (a weight matrix, an embedding table).
class GradientProducts {
 public:
  GradientProducts(int parameters, int tasks)
      : parameters_(parameters), tasks_(tasks), values_(static_cast<size_t>(parameters) * tasks * tasks) {}
  int parameters() const { return parameters_; }
  int tasks() const { return tasks_; }
  double Of(int parameter, int i, int j) const { return values_[(static_cast<size_t>(parameter) * tasks_ + i) * tasks_ + j]; }
  void Set(int parameter, int i, int j, double value) {
    values_[(static_cast<size_t>(parameter) * tasks_ + i) * tasks_ + j] = value;
    values_[(static_cast<size_t>(parameter) * tasks_ + j) * tasks_ + i] = value;
  }
  // Over all shared parameters.
  double Total(int i, int j) const;
  // Total(i, j) / √(Total(i, i) Total(j, j)); NaN where a gradient is 0.
  double Cosine(int i, int j) const;

 private:
  int parameters_, tasks_;
  std::vector<double> values_;  // [parameter][i][j], symmetric
};

// What a step tells of its batch.
struct StepMeasures {
  std::span<const double> losses;              // [tasks]; empty for Reads::kNothing
  const GradientProducts* products = nullptr;  // for Reads::kGradients, after Prepare
  int64_t step = 0;                            // from 1
};

class Balancer {
 public:
  virtual ~Balancer() = default;

  // What the factors of a step depend on, and so what a step costs.
  enum class Reads {
    kNothing,   // of this batch: one backward pass
    kLosses,    // a forward pass before it
    kGradients  // a backward pass per task
  };
  virtual Reads reads() const = 0;

  // factors: [parameters + 1][tasks], where parameters is that of the products, or 0 without; the last row is that of the
  // parameters that belong to one task only. Without products there is one row, for all parameters. All factors 1: the
  // plain sum.
  virtual void Factors(const StepMeasures& measures, std::span<double> factors) = 0;

  // For kGradients: before a task's gradients are measured they become keep · (what this made of them in the last step) +
  // (1 − keep) · scale · gradient. The average (keep) is over dense parameters, tables take scale · gradient.
  struct Preparation {
    double scale = 1;
    double keep = 0;
  };
  virtual Preparation Prepare(double loss, int64_t step) const { return {}; }
  // Whether Prepare ever keeps anything.
  virtual bool KeepsGradients() const { return false; }

  // After the weights have moved. losses: of the batch before the step. after: of the same batch with the new weights, if
  // ReadsLossesAfter; else empty.
  virtual bool ReadsLossesAfter() const { return false; }
  virtual void AfterStep(std::span<const double> losses, std::span<const double> after) {}
  // losses: means over the epoch's rows.
  virtual void AfterEpoch(std::span<const double> losses) {}

  // All that the balancer remembers from step to step, of a fixed size, for checkpoints. All arithmetic on it must be
  // stored back here, so that a resumed run equals an uninterrupted one.
  virtual std::span<float> State() { return {}; }
};

// What a method must know of the tasks.
struct BalancedTasks {
  std::vector<bool> is_regression;     // [tasks], squared-error kinds (l2_loss, huber_loss)
  std::vector<double> lower_bounds;    // [tasks], pareto_min_loss_weight
  int target = 0;                      // MetaBalance's target_tower
  int shared_parameters = 0;           // parameters() of the products to come
  uint64_t seed = 1;                   // of the run
  int size() const { return static_cast<int>(is_regression.size()); }
};

std::unique_ptr<Balancer> MakeUncertaintyWeights(const config::UncertaintyWeights& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeDynamicWeightAverage(const config::DynamicWeightAverage& config,
                                                   const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeGradNorm(const config::GradNorm& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeMetaBalance(const config::MetaBalance& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakePcGrad(const config::PCGrad& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeCaGrad(const config::CAGrad& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeFamo(const config::Famo& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakeDbMtl(const config::DbMtl& config, const BalancedTasks& tasks);
std::unique_ptr<Balancer> MakePareto(const config::Pareto& config, const BalancedTasks& tasks);

}  // namespace manygate

#endif  // MANYGATE_BALANCING_BALANCER_H_
