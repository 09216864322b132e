// SPDX-License-Identifier: Apache-2.0
// The inner products of the tasks that have a gradient in this batch. A task without one (no row in the batch, or a
// loss at its minimum) has no say: a method works as if there were only the others.
//
//   const TaskGram gram(*measures.products);
//   for (int i = 0; i < gram.size(); ++i) factors[gram.task(i)] = ... gram.Of(i, j) ...
#ifndef MANYGATE_BALANCING_TASK_GRAM_H_
#define MANYGATE_BALANCING_TASK_GRAM_H_

#include <vector>

#include "manygate/balancing/balancer.h"

namespace manygate {

class TaskGram {
 public:
  // Over all shared parameters.
  explicit TaskGram(const GradientProducts& products);

  int size() const { return static_cast<int>(tasks_.size()); }
  int task(int i) const { return tasks_[i]; }
  double Of(int i, int j) const { return values_[static_cast<size_t>(i) * tasks_.size() + j]; }
  // [size][size].
  const std::vector<double>& values() const { return values_; }
  // Σ_ij w_i w_j Of(i, j), at least 0: the squared norm of Σ_i w_i g_i.
  double SquaredNorm(const std::vector<double>& weights) const;
  // Σ_j w_j Of(i, j): g_i · Σ_j w_j g_j.
  double Dot(int i, const std::vector<double>& weights) const;

 private:
  std::vector<int> tasks_;
  std::vector<double> values_;
};

}  // namespace manygate

#endif  // MANYGATE_BALANCING_TASK_GRAM_H_
