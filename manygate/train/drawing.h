// SPDX-License-Identifier: Apache-2.0
// A picture of a model in text, for the log of training and for `manygate inspect`.
//
//   out << DrawModel(*model);
//
//   mmoe: 2 tasks, 79,346 parameters, 16 operations
//
//    ┌─────────────────────────┐
//    │ 29 one-hot columns  538 │
//    │ 10 numbers           10 │
//    └─┬───────────────────────┘
//      │ 548
//      │  ┌─────────────────────┐
//      ├──┤ 8 experts → 16 ReLU ├──┐
//      │  └─────────────────────┘  │
//      │  ┌─────────────────────┐  │  ┌────────────────────┐
//      ├──┤ gate → 8 softmax    ├──Σ──┤ tower → 8 ReLU → 1 ├─▶ probs_income
//       ...
#ifndef MANYGATE_TRAIN_DRAWING_H_
#define MANYGATE_TRAIN_DRAWING_H_

#include <string>

#include "manygate/catalog/model.h"

namespace manygate {

// At most 78 columns wide (counted in characters; UTF-8); under 25 lines with one or two towers, whose boxes are left out
// for three or more; at most eight towers are drawn. Below the picture: a line per task with its loss and label, and one
// about the product at the inputs. Ends with a line feed.
std::string DrawModel(const Model& model);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_DRAWING_H_
