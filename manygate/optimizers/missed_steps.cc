// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/missed_steps.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"

namespace manygate {

MissedSteps::MissedSteps(double q) {
  double power = 1;
  do {
    powers_.push_back(power);
    power *= q;
  } while (power > 1e-12 && powers_.size() < 4096);
}

void MissedSteps::Push(double a, double d) {
  sums_.push_back(0);
  decays_.push_back(d * (decays_.empty() ? 1.0 : decays_.back()));
  const int64_t size = static_cast<int64_t>(sums_.size());
  const int64_t window = std::min<int64_t>(size, static_cast<int64_t>(powers_.size()));
  double* newest = sums_.data() + size - 1;
  for (int64_t k = 0; k < window; ++k) newest[-k] = newest[-k] * d + a * powers_[k];
}

void MissedSteps::Forget() { Restart(last()); }

void MissedSteps::Restart(int64_t last) {
  first_ = last + 1;
  sums_.clear();
  decays_.clear();
}

float MissedSteps::Sum(int64_t s) const {
  MG_CHECK(s >= first_ && s <= last(), "step {} is not in {}..{}", s, first_, last());
  // Entries older than the window missed the decay factors since.
  const int64_t frozen = s - first_ + static_cast<int64_t>(powers_.size()) - 1;
  const double later = frozen < static_cast<int64_t>(decays_.size()) ? decays_.back() / decays_[frozen] : 1.0;
  return static_cast<float>(sums_[s - first_] * later);
}

float MissedSteps::Decay(int64_t s) const {
  return static_cast<float>(decays_.back() / (s > first_ ? decays_[s - 1 - first_] : 1.0));
}

PowerTable::PowerTable(double factor) : factor_(factor) {
  double power = 1;
  for (int k = 0; k < 1024; ++k, power *= factor) values_.push_back(static_cast<float>(power));
}

float PowerTable::At(int64_t k) const {
  if (k < static_cast<int64_t>(values_.size())) return values_[k];
  return static_cast<float>(std::pow(factor_, static_cast<double>(k)));
}

}  // namespace manygate
