// SPDX-License-Identifier: Apache-2.0
// Looks into a model while it is trained: what its gates do with its experts, whether experts are alive, whether the tasks'
// gradients agree. It only reads: a run's weights have the same bits with and without it.
//
//   HealthMonitor monitor(*model, *stepper, data, pool);
//   if (monitor.active()) HealthReport report = monitor.Measure();   // of the weights as they are now
//
// Gates and experts (ops/gates.h) are measured in prediction, on the first train_config.health_rows validation rows, or
// training rows where there are none. Cosines of the tasks' gradients with respect to the parameters that they share are
// means over batches of training rows, drawn once by the seed: kGradientRows rows in all, at most health_rows, in batches
// of data_config.batch_size rows or a quarter of them. Both cost nothing where there is nothing to measure.
#ifndef MANYGATE_TRAIN_HEALTH_H_
#define MANYGATE_TRAIN_HEALTH_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/catalog/model.h"
#include "manygate/graph/executor.h"
#include "manygate/metrics/gate_health.h"
#include "manygate/ops/gates.h"
#include "manygate/report/tensorboard.h"
#include "manygate/train/dataset.h"
#include "manygate/train/stepper.h"

namespace manygate {

class HealthMonitor {
 public:
  static constexpr int64_t kGradientRows = 1024;

  // All must outlive this.
  HealthMonitor(Model& model, Stepper& stepper, const Dataset& data, ThreadPool& pool);

  // Whether Measure may find anything: health_rows is not 0, and there are gates or several tasks.
  bool active() const { return executor_ != nullptr || !gradient_rows_.empty(); }
  // With alarms. Only after Stepper::Settle.
  HealthReport Measure();

 private:
  // Values inside the graph, copied from the slices.
  struct Probe {
    int64_t rows, width;        // the first rows only
    std::vector<float> values;  // [rows, width]
  };

  void DrawGradientRows(int64_t health_rows);
  std::vector<Probe> Run();
  void MeasureGates(HealthReport* report);
  void MeasureCosines(HealthReport* report);

  Model& model_;
  Stepper& stepper_;
  const Dataset& data_;
  RowSelection selection_;  // of gates and experts
  GatedExperts found_;
  std::unique_ptr<Executor> executor_;   // shows the gates' weights, then the banks; null: no gates
  std::vector<uint32_t> gradient_rows_;  // [batches, gradient_batch_]
  int gradient_batch_ = 0;
};

// gate/<gate>/entropy, gate/<gate>/<expert> (mean weights) and cosine/<task>/<other>.
void AddScalars(const HealthReport& report, int64_t step, EventWriter& events);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_HEALTH_H_
