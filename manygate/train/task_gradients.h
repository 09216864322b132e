// SPDX-License-Identifier: Apache-2.0
// The gradients of each task's loss apart, to be compared and combined (balancing/balancer.h).
//
//   TaskGradients gradients(model);
//   gradients.StartBatch();
//   for each task k: backward pass of its loss alone; gradients.Take(k);     // the store's gradients are 0 again
//   GradientProducts products = gradients.Products();
//   gradients.Combine(factors);                                              // the direction is in the store
//
// A parameter is shared if the losses of two tasks or more depend on it. The wiring tells which ones do, parameter by
// parameter: the gates of two tasks may lie side by side in one matrix and yet belong to one task each. Terms of the loss
// that a model computes itself (Graph::Output::Kind::kRowLoss) belong to no task and are added as they are.
#ifndef MANYGATE_TRAIN_TASK_GRADIENTS_H_
#define MANYGATE_TRAIN_TASK_GRADIENTS_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "manygate/balancing/balancer.h"
#include "manygate/catalog/model.h"

namespace manygate {

class TaskGradients {
 public:
  // The model must outlive this.
  explicit TaskGradients(Model& model);
  // Makes the memory that Balancer::Preparation::keep needs.
  void KeepGradients();

  int tasks() const { return tasks_; }
  int shared_parameters() const { return static_cast<int>(shared_names_.size()); }
  const std::vector<std::string>& shared_names() const { return shared_names_; }
  bool has_row_losses() const { return has_row_losses_; }

  // Forgets the last batch; the tables must know the rows of the new one (Executor::Touch).
  void StartBatch();
  // Moves what a backward pass left in the store to the place of task k, k == tasks(): to that of the row losses. A task
  // that is not taken in a batch has gradient 0. The gradients of touched rows in the store are 0 afterwards.
  void Take(int k, Balancer::Preparation preparation = {});
  // Of the shared parameters.
  GradientProducts Products() const;
  // factors: as Balancer::Factors. Writes the sum over the tasks, and the row losses, into the store's gradients.
  void Combine(std::span<const double> factors);

  // What Preparation::keep kept, for checkpoints: (name, memory). Empty without KeepGradients.
  std::vector<std::pair<std::string, std::span<float>>> Kept();

 private:
  // Floats that belong to one shared parameter, or (slot −1) to parameters of one task.
  struct Run {
    int64_t offset, size;
    int slot;
  };
  struct Gradient {
    FloatBuffer dense;                       // [trainable_size]
    std::vector<std::vector<float>> tables;  // by table: [touched rows, padded width]
    bool taken = false;
    const float* part(int part) const { return part < 0 ? dense.data() : tables[part].data(); }
  };

  void FindShared(const Model& model);
  void FindDenseRuns(const Graph& graph);
  void FindTableRuns(const Graph& graph);
  // Calls visit(part, offset, size, slot) for each run of the dense part (part −1) and of every touched row of table
  // `part`; the offset is that in a Gradient's memory of the part.
  template <typename Visit>
  void VisitRuns(Visit visit) const;
  void TakeTable(size_t table, float scale, Gradient& gradient);

  ParameterStore& store_;
  int tasks_;
  bool has_row_losses_;
  std::vector<std::string> shared_names_;
  std::vector<int> slots_;       // by parameter of the graph: its number among the shared ones, or −1
  std::vector<Run> dense_runs_;  // ascending
  std::vector<std::vector<std::vector<Run>>> table_runs_;  // [table][kind of row]
  std::vector<std::vector<int32_t>> row_kinds_;            // [table][row]
  std::vector<std::vector<int32_t>> rows_;                 // [table]: touched rows of the batch, in one list
  std::vector<Gradient> gradients_;                        // [tasks + row losses]
  std::vector<FloatBuffer> kept_;                          // [tasks], [trainable_size]
};

}  // namespace manygate

#endif  // MANYGATE_TRAIN_TASK_GRADIENTS_H_
