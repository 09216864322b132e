// SPDX-License-Identifier: Apache-2.0
#include "manygate/losses/logistic.h"

#include "manygate/math/cross_entropy.h"

namespace manygate {

void LogisticColumn(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) {
  if (logit_stride == 1) return Sigmoid(logits, rows, predictions);
  for (int64_t i = 0; i < rows; ++i) predictions[i] = logits[i * logit_stride];
  Sigmoid(predictions, rows, predictions);
}

}  // namespace manygate
