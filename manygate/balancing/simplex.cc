// SPDX-License-Identifier: Apache-2.0
#include "manygate/balancing/simplex.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace manygate {
namespace {

// Relative to Q's largest diagonal element; makes Q positive definite and prefers equal weights among equals.
constexpr double kRidge = 1e-12;

// One solve of the method: which weights are free, and where it stands.
class ActiveSet {
 public:
  ActiveSet(const std::vector<double>& quadratic, const std::vector<double>& linear)
      : quadratic_(quadratic), linear_(linear), size_(static_cast<int>(linear.size())) {
    for (int i = 0; i < size_; ++i) largest_ = std::max(largest_, quadratic[i * size_ + i]);
    weights_.assign(size_, 1.0 / size_);
    free_.assign(size_, true);
  }

  // Every round drops a weight, adds one, or ends; a set of free weights never comes twice. The bound is for rounding.
  std::vector<double> Solve() {
    for (int round = 0; round < 20 + 10 * size_; ++round) {
      const std::vector<double> target = MinimumOfFree();
      if (MoveTo(target)) continue;
      if (!FreeOne()) break;
    }
    return weights_;
  }

 private:
  double Q(int i, int j) const { return quadratic_[i * size_ + j] + (i == j ? kRidge * largest_ : 0); }

  // The minimum over the free weights that sum to 1, whatever their signs: Q w + a = μ. Gauss-Jordan elimination with
  // pivots by size, on the matrix [Q 1; 1ᵀ 0] scaled by the largest element of Q.
  std::vector<double> MinimumOfFree() {
    std::vector<int> index;
    for (int i = 0; i < size_; ++i) {
      if (free_[i]) index.push_back(i);
    }
    const int n = static_cast<int>(index.size());
    const double scale = largest_ > 0 ? 1 / largest_ : 1;
    std::vector<std::vector<double>> rows(n + 1, std::vector<double>(n + 2, 0));
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) rows[i][j] = Q(index[i], index[j]) * scale;
      rows[i][n] = rows[n][i] = 1;
      rows[i][n + 1] = -linear_[index[i]] * scale;
    }
    rows[n][n + 1] = 1;
    for (int column = 0; column <= n; ++column) {
      int pivot = column;
      for (int row = column + 1; row <= n; ++row) {
        if (std::abs(rows[row][column]) > std::abs(rows[pivot][column])) pivot = row;
      }
      std::swap(rows[column], rows[pivot]);
      if (rows[column][column] == 0) return weights_;  // Q is 0: every point is as good
      for (int row = 0; row <= n; ++row) {
        const double factor = row == column ? 0 : rows[row][column] / rows[column][column];
        for (int k = column; factor != 0 && k <= n + 1; ++k) rows[row][k] -= factor * rows[column][k];
      }
    }
    std::vector<double> target(size_, 0);
    for (int i = 0; i < n; ++i) target[index[i]] = rows[i][n + 1] / rows[i][i];
    return target;
  }

  // Towards the target as far as all weights stay >= 0; whether one of them became 0 on the way.
  bool MoveTo(const std::vector<double>& target) {
    double share = 1;
    int blocking = -1;
    for (int i = 0; i < size_; ++i) {
      if (!free_[i] || target[i] >= 0) continue;
      const double reach = weights_[i] / (weights_[i] - target[i]);
      if (reach < share) share = reach, blocking = i;
    }
    for (int i = 0; i < size_; ++i) weights_[i] = std::max(0.0, weights_[i] + share * (target[i] - weights_[i]));
    if (blocking < 0) return false;
    weights_[blocking] = 0;
    free_[blocking] = false;
    return true;
  }

  double Gradient(int i) const {
    double gradient = linear_[i];
    for (int j = 0; j < size_; ++j) gradient += Q(i, j) * weights_[j];
    return gradient;
  }

  // Frees the weight at 0 from which the minimum would fall most; whether there is one.
  bool FreeOne() {
    double multiplier = 0, magnitude = 0;
    for (int i = 0; i < size_; ++i) {
      const double gradient = Gradient(i);
      multiplier += weights_[i] * gradient;
      magnitude = std::max(magnitude, std::abs(gradient));
    }
    int best = -1;
    double lowest = multiplier - 1e-12 * magnitude;
    for (int i = 0; i < size_; ++i) {
      if (free_[i] || !(Gradient(i) < lowest)) continue;
      lowest = Gradient(i);
      best = i;
    }
    if (best >= 0) free_[best] = true;
    return best >= 0;
  }

  const std::vector<double>& quadratic_;
  const std::vector<double>& linear_;
  const int size_;
  double largest_ = 0;
  std::vector<double> weights_;
  std::vector<bool> free_;
};

}  // namespace

std::vector<double> MinimizeOnSimplex(const std::vector<double>& quadratic, const std::vector<double>& linear) {
  return ActiveSet(quadratic, linear).Solve();
}

}  // namespace manygate
