// SPDX-License-Identifier: Apache-2.0
// Turns gradients into weights. Dense parameters are updated in every step; rows of tables when they are touched next, or
// when all rows are settled (before an evaluation and before weights are saved), with every step in between made up for
// exactly, so the result is that of an optimizer that updates everything in every step. The exceptions, which leave rows
// alone that are not touched, are FTRL, the row-wise optimizers, and weight decay with RowDecay::kWhenTouched.
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

// When weight_decay that is added to gradients pulls at a row of a table. kEveryStep is what a dense layer does, at the
// price of every missed step; kWhenTouched is what FBGEMM's tables do: in the steps in which the row has a gradient.
enum class RowDecay { kEveryStep, kWhenTouched };

// torch.optim.SGD. A row that is not touched goes on with its momentum.
std::unique_ptr<Optimizer> MakeSgd(const config::SgdOptimizer& config, RowDecay row_decay);
// torch.optim.Adagrad. A row that is not touched does not change.
std::unique_ptr<Optimizer> MakeAdagrad(const config::AdagradOptimizer& config, RowDecay row_decay);
// Kingma & Ba 2015; the step and the order of its operations are torch.optim.Adam's. Both moments of a row that is not
// touched fade, and it goes on with the first.
std::unique_ptr<Optimizer> MakeAdam(const config::AdamOptimizer& config, RowDecay row_decay);
// Loshchilov & Hutter 2019, as torch.optim.AdamW. Rows that are not touched as with Adam; they decay too.
std::unique_ptr<Optimizer> MakeAdamW(const config::AdamWOptimizer& config);
// McMahan et al. 2013 (math/optimizer_steps.h: FtrlPass). A value without gradient does not change.
std::unique_ptr<Optimizer> MakeFtrl(const config::FtrlOptimizer& config);
// torch.optim.RMSprop. The mean square of a row that is not touched fades, and it goes on with its momentum.
std::unique_ptr<Optimizer> MakeRmsprop(const config::RmspropOptimizer& config, RowDecay row_decay);
// torch.optim.Adadelta. Both means of a row that is not touched fade; the row itself does not change.
std::unique_ptr<Optimizer> MakeAdadelta(const config::AdadeltaOptimizer& config, RowDecay row_decay);

// Tables only; nothing of a row that is not touched changes. Their number per row stands in the first value of a state as
// wide as the row.
//   sum += mean(g²); w −= lr · g / (√sum + eps)    FBGEMM's EXACT_ROWWISE_ADAGRAD
std::unique_ptr<Optimizer> MakeRowwiseAdagrad(const config::RowwiseAdagradOptimizer& config);
//   m = beta1·m + (1-beta1)·g; v = beta2·v + (1-beta2)·mean(g²); w −= lr · m/c1 / (√(v/c2) + eps), c_i = 1 - beta_i^t
// FBGEMM's PARTIAL_ROWWISE_ADAM; t counts all steps. weight_decay is added to the gradient.
std::unique_ptr<Optimizer> MakePartialRowwiseAdam(const config::PartialRowwiseAdamOptimizer& config);

}  // namespace manygate

#endif  // MANYGATE_OPTIMIZERS_OPTIMIZER_H_
