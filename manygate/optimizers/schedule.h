// SPDX-License-Identifier: Apache-2.0
// The learning rate of each step, from the oneof learning_rate of config::Optimizer (fields and formulas stand there).
//
//   Schedule schedule(config.dense_optimizer(), {.steps_per_epoch = 6236, .total_steps = 62360});
//   double lr = schedule.LearningRate(step);   // steps count from 1
#ifndef MANYGATE_OPTIMIZERS_SCHEDULE_H_
#define MANYGATE_OPTIMIZERS_SCHEDULE_H_

#include <cstdint>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

struct RunLength {
  int64_t steps_per_epoch = 1;
  int64_t total_steps = 1;
};

class Schedule {
 public:
  Schedule(const config::Optimizer& config, RunLength run);
  double LearningRate(int64_t step) const;

 private:
  // Steps, or whole epochs, done before this step.
  double Elapsed(int64_t step, bool by_epoch) const;
  double Exponential(int64_t step) const;
  double Manual(int64_t step) const;
  double Cosine(int64_t step) const;
  // With CosineAnnealingLR.epochs: n = epochs * steps_per_epoch steps, the first w = warmup_share * n of them (both may
  // be fractions) a line from warmup_learning_rate to the rate, the others half a cosine down to min_learning_rate,
  // which holds beyond step n. A run that ends before step n stops on the way.
  double CosineByEpochs(int64_t step) const;
  // Cosines of T_0, T_0 · T_mult, ... steps (or epochs), one after another behind the warm-up.
  double CosineRestarts(int64_t step) const;
  double Noam(int64_t step) const;

  config::Optimizer config_;
  RunLength run_;
  double peak_;
};

}  // namespace manygate

#endif  // MANYGATE_OPTIMIZERS_SCHEDULE_H_
