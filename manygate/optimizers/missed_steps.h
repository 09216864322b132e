// SPDX-License-Identifier: Apache-2.0
// What momentum still owes a row of a table that was not touched for some steps, exactly and in O(1) per touch.
//
// A row touched last at step s with momentum u_s moves in each later step t without gradient by a_t·q^(t-s)·u_s, where
// a_t is the (bias-corrected) rate of step t and q the decay of the momentum (Adam: beta1 / √beta2, Kingma & Ba 2015 with
// g = 0; SGD: the momentum). With decoupled weight decay each step first multiplies the weights by d_t. Brought up to the
// present step T:
//
//   w_T = w_(s-1) · Decay(s) − u_s · Sum(s),  Decay(s) = Π_{t=s..T} d_t,  Sum(s) = Σ_{t=s..T} a_t q^(t-s) Π_{t'=t+1..T} d_t'
//
// Sum is kept for every s since the last time all rows were settled; a step updates the newest entries only, until
// q^(T-s) is below 1e-12. Nothing must be known of future rates. See docs/adr/0003.
#ifndef MANYGATE_OPTIMIZERS_MISSED_STEPS_H_
#define MANYGATE_OPTIMIZERS_MISSED_STEPS_H_

#include <cstdint>
#include <vector>

namespace manygate {

class MissedSteps {
 public:
  explicit MissedSteps(double q);

  // Step `last() + 1` with rate a and decay factor d (1: no weight decay).
  void Push(double a, double d);
  // All rows are settled up to last(): entries before last() + 1 are not asked for again.
  void Forget();
  int64_t last() const { return first_ + static_cast<int64_t>(sums_.size()) - 1; }

  // first() <= s <= last().
  float Sum(int64_t s) const;
  float Decay(int64_t s) const;
  int64_t first() const { return first_; }
  // Steps [first, ...) are those still needed; `last` is the present step before any Push.
  void Restart(int64_t last);

 private:
  std::vector<double> powers_;  // q^0 .. q^(window-1)
  int64_t first_ = 1;           // the step of sums_[0]
  std::vector<double> sums_;    // Sum(s) up to min(T, s + window - 1)
  std::vector<double> decays_;  // Π_{t=first..s} d_t
};

// factor^k for k = 0, 1, 2, ...; small k from a table.
class PowerTable {
 public:
  explicit PowerTable(double factor);
  float At(int64_t k) const;

 private:
  double factor_;
  std::vector<float> values_;
};

}  // namespace manygate

#endif  // MANYGATE_OPTIMIZERS_MISSED_STEPS_H_
