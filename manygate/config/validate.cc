// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/validate.h"

#include "manygate/config/problems.h"

namespace manygate::config {

Status ValidatePipeline(const LoadedPipeline& loaded) {
  Problems problems(loaded);
  CheckRanges(loaded.pipeline, &problems);
  CheckTraining(loaded.pipeline, &problems);
  CheckData(loaded.pipeline, &problems);
  CheckFeatures(loaded.pipeline, &problems);
  CheckModel(loaded.pipeline, &problems);
  return problems.ToStatus();
}

}  // namespace manygate::config
