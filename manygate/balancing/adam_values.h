// SPDX-License-Identifier: Apache-2.0
// A few numbers per run that a method learns by Adam (Kingma & Ba 2015, algorithm 1; beta 0.9 and 0.999, epsilon 1e-8),
// with all that Adam remembers in one vector of floats, for checkpoints.
//
//   std::vector<float> state(AdamValues::kFloats * tasks);
//   AdamValues values(state, tasks);
//   values[k] = 1;
//   values.Step(k, gradient, 0.025);   // a NaN gradient: nothing happens to number k
#ifndef MANYGATE_BALANCING_ADAM_VALUES_H_
#define MANYGATE_BALANCING_ADAM_VALUES_H_

#include <cstddef>
#include <span>

namespace manygate {

class AdamValues {
 public:
  static constexpr int kFloats = 4;  // per number: itself, both moments, steps taken

  // Looks at the first kFloats · size floats of state, which starts as zeros.
  AdamValues(std::span<float> state, int size) : state_(state), size_(size) {}

  float& operator[](int k) { return state_[k]; }
  void Step(int k, double gradient, double rate);

 private:
  float& At(int part, int k) { return state_[static_cast<size_t>(part) * size_ + k]; }

  std::span<float> state_;
  int size_;
};

}  // namespace manygate

#endif  // MANYGATE_BALANCING_ADAM_VALUES_H_
