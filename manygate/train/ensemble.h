// SPDX-License-Identifier: Apache-2.0
// Trains the members of an ensemble (config::Ensemble) one after the other, on rows that are read once.
#ifndef MANYGATE_TRAIN_ENSEMBLE_H_
#define MANYGATE_TRAIN_ENSEMBLE_H_

#include "manygate/base/status.h"
#include "manygate/config/load.h"
#include "manygate/train/trainer.h"

namespace manygate {

// loaded: validated and resolved, with several members. With options.resume, members that are complete are kept, and the
// first one that is not goes on from its last checkpoint or starts anew. The result's evaluations are those of the
// averaged predictions; its steps, epochs and phases are sums over the members trained now.
StatusOr<TrainResult> TrainEnsemble(const config::LoadedPipeline& loaded, const TrainOptions& options);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_ENSEMBLE_H_
