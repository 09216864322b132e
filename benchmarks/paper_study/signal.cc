// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/paper_study/signal.h"

#include <cmath>

namespace manygate::paper_study {

Signal SignalOf(const PaperSines& sines, double noise_deviation) {
  constexpr double kEnd = 10, kStep = 1.0 / 512;
  double total = 0, mean = 0, square = 0, slope = 0;
  for (double z = -kEnd; z <= kEnd; z += kStep) {
    const double weight = std::exp(-z * z / 2), y = sines(z);
    total += weight;
    mean += weight * y;
    square += weight * y * y;
    slope += weight * y * z;  // z has variance 1, so this is the slope of the best line
  }
  mean /= total;
  slope /= total;
  const double variance = square / total - mean * mean + noise_deviation * noise_deviation;
  return {.mean = mean, .variance = variance, .linear_share = slope * slope / variance};
}

SineChoice FirstStrongSines(int num_sines) {
  for (uint64_t seed = 1;; ++seed) {
    SineChoice choice;
    choice.seed = seed;
    choice.sines = DrawPaperSines(seed, num_sines);
    choice.signal = SignalOf(choice.sines, choice.noise_deviation);
    if (choice.signal.variance >= kMinVariance && choice.signal.linear_share <= kMaxLinearShare) return choice;
  }
}

SineChoice RisingSines(int num_sines) {
  SineChoice choice;
  choice.noise_deviation = 0.01;
  for (int i = 1; i <= num_sines; ++i) {
    choice.sines.alpha.push_back(i);
    choice.sines.beta.push_back((i - 1) * (i - 1));
  }
  choice.signal = SignalOf(choice.sines, choice.noise_deviation);
  return choice;
}

}  // namespace manygate::paper_study
