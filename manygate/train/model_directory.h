// SPDX-License-Identifier: Apache-2.0
// The folder that a training fills (train/trainer.h lists what comes into it).
#ifndef MANYGATE_TRAIN_MODEL_DIRECTORY_H_
#define MANYGATE_TRAIN_MODEL_DIRECTORY_H_

#include <string>

#include "manygate/base/status.h"

namespace manygate {

inline constexpr char kMetricsFileName[] = "metrics.jsonl";

// Makes the folder if it is missing, and removes what an earlier run left in it. InvalidInput: it holds something else
// than a model.
Status ClearModelDirectory(const std::string& dir);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_MODEL_DIRECTORY_H_
