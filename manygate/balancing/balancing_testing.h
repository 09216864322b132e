// SPDX-License-Identifier: Apache-2.0
// For tests: task gradients written out -> their inner products, and one call of a balancer on them.
//
//   const GradientProducts products = ProductsOf({{{3, 0}, {0, 1}}});   // one shared parameter: (3, 0), (0, 1)
//   FactorsOf(*balancer, products, {0.5, 0.2}, /*step=*/1);             // {shared, shared, own, own}
#ifndef MANYGATE_BALANCING_BALANCING_TESTING_H_
#define MANYGATE_BALANCING_BALANCING_TESTING_H_

#include <vector>

#include "manygate/balancing/balancer.h"

namespace manygate {

using TaskGradients = std::vector<std::vector<double>>;  // [task][number]

inline GradientProducts ProductsOf(const std::vector<TaskGradients>& parameters) {
  const int tasks = static_cast<int>(parameters[0].size());
  GradientProducts products(static_cast<int>(parameters.size()), tasks);
  for (int p = 0; p < products.parameters(); ++p) {
    for (int i = 0; i < tasks; ++i) {
      for (int j = i; j < tasks; ++j) {
        double product = 0;
        for (size_t n = 0; n < parameters[p][i].size(); ++n) product += parameters[p][i][n] * parameters[p][j][n];
        products.Set(p, i, j, product);
      }
    }
  }
  return products;
}

inline std::vector<double> FactorsOf(Balancer& balancer, const GradientProducts& products,
                                     const std::vector<double>& losses, int64_t step = 1) {
  std::vector<double> factors((products.parameters() + 1) * products.tasks(), -1);
  balancer.Factors({.losses = losses, .products = &products, .step = step}, factors);
  return factors;
}

// Of a method that reads no gradients.
inline std::vector<double> FactorsOf(Balancer& balancer, const std::vector<double>& losses, int tasks) {
  std::vector<double> factors(tasks, -1);
  balancer.Factors({.losses = losses, .step = 1}, factors);
  return factors;
}

inline BalancedTasks PlainTasks(int count, int shared_parameters = 1) {
  BalancedTasks tasks;
  tasks.is_regression.assign(count, false);
  tasks.lower_bounds.assign(count, 0);
  tasks.shared_parameters = shared_parameters;
  return tasks;
}

}  // namespace manygate

#endif  // MANYGATE_BALANCING_BALANCING_TESTING_H_
