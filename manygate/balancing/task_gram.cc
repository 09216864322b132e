// SPDX-License-Identifier: Apache-2.0
#include "manygate/balancing/task_gram.h"

#include <algorithm>
#include <cmath>

namespace manygate {

TaskGram::TaskGram(const GradientProducts& products) {
  for (int k = 0; k < products.tasks(); ++k) {
    const double square = products.Total(k, k);
    if (square > 0 && std::isfinite(square)) tasks_.push_back(k);
  }
  for (int i : tasks_) {
    for (int j : tasks_) values_.push_back(products.Total(i, j));
  }
}

double TaskGram::Dot(int i, const std::vector<double>& weights) const {
  double sum = 0;
  for (int j = 0; j < size(); ++j) sum += weights[j] * Of(i, j);
  return sum;
}

double TaskGram::SquaredNorm(const std::vector<double>& weights) const {
  double sum = 0;
  for (int i = 0; i < size(); ++i) sum += weights[i] * Dot(i, weights);
  return std::max(sum, 0.0);
}

}  // namespace manygate
