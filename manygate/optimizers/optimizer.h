// SPDX-License-Identifier: Apache-2.0
// Turns gradients into weights. Dense parameters are updated in every step; rows of tables when they are touched next, or
// when all rows are settled (before an evaluation and before weights are saved), with every step in between made up for
// exactly, so the result is that of an optimizer that updates everything in every step.
//
//   RowTable records must be brought up to date before they are read:
//     for (auto& rows : table.touched()) optimizer->SettleRows(table, rows);   // the state after step T
//     ... forward and backward of step T + 1 ...
//     optimizer->BeginStep(lr);                           // T + 1 is the present step now
//     optimizer->UpdateDense(...);                        // the rows of step T + 1 stay pending
//   optimizer->SettleAll(table);                          // before an evaluation
//
// To add one: message in config/pipeline.proto, <name>.cc with Make<Name>, a line below and one in catalog/.
#ifndef MANYGATE_OPTIMIZERS_OPTIMIZER_H_
#define MANYGATE_OPTIMIZERS_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/math/row_table.h"

namespace manygate {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Values of state per weight, and what they start from.
  virtual int StatePerValue() const = 0;
  virtual float InitialState() const { return 0; }
  // Step step() + 1 begins, with this learning rate.
  virtual void BeginStep(double lr) = 0;
  // The present step on n dense weights; state: StatePerValue() arrays. decay: weight decay applies.
  virtual void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool decay) = 0;
  // Row `row`, whose gradient is that of step s <= step(), is brought to the state after step(); gradient becomes 0.
  virtual void SettleRow(RowTable& table, int64_t row, int64_t s) = 0;
  // Steps before step() + 1 are not asked for again.
  virtual void Forget() = 0;
  // Goes on at this step with nothing kept of earlier ones; BeginStep then replays those that rows still wait for.
  virtual void Restart(int64_t step) = 0;
  virtual int64_t step() const = 0;

  void SettleRows(RowTable& table, std::span<const int32_t> rows);
  void SettleAll(RowTable& table);

 private:
  void BringUpToDate(RowTable& table, int64_t row, int64_t now);
};

std::unique_ptr<Optimizer> MakeSgd(const config::SgdOptimizer& config);
std::unique_ptr<Optimizer> MakeAdagrad(const config::AdagradOptimizer& config);
// Kingma & Ba 2015; the step and the order of its operations are torch.optim.Adam's.
std::unique_ptr<Optimizer> MakeAdam(const config::AdamOptimizer& config);
// Loshchilov & Hutter 2019, as torch.optim.AdamW.
std::unique_ptr<Optimizer> MakeAdamW(const config::AdamWOptimizer& config);

}  // namespace manygate

#endif  // MANYGATE_OPTIMIZERS_OPTIMIZER_H_
