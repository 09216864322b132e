// SPDX-License-Identifier: Apache-2.0
// Checkpoints of a training, in model_dir/checkpoints:
//
//   step-<n>/weights.safetensors     the parameters by name, as an evaluation at that step saw them
//   step-<n>/optimizer.safetensors   raw memory: dense weights and state, records of tables, averages
//   step-<n>/state.json              step, best values, early stopping
//   step-<n>/pipeline.config, schema.pbtxt, MANIFEST.json
//
// A checkpoint is written under another name and renamed when it is whole; so each that is there is whole, unless the
// disk lost something, which the manifest tells. Writing one does not change the run: what rows of tables still wait
// for is saved as it stands.
#ifndef MANYGATE_TRAIN_CHECKPOINT_H_
#define MANYGATE_TRAIN_CHECKPOINT_H_

#include <map>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/train/stepper.h"

namespace manygate {

struct Best {
  double value = 0;
  int64_t step = 0;
};

// What a run remembers besides the weights.
struct RunState {
  int64_t step = 0;
  bool evaluated = false;  // whether there was an evaluation at this step: not where the user stopped the run
  double seconds = 0;
  int evaluations_without_gain = 0;
  std::map<std::string, Best> best;  // by metric
};

std::string CheckpointDirectory(const std::string& model_dir, int64_t step);
// Steps of the checkpoints in model_dir, ascending.
std::vector<int64_t> ListCheckpoints(const std::string& model_dir);

Status SaveCheckpoint(const std::string& model_dir, Model& model, Stepper& stepper, const RunState& state);

// Restores model, stepper and state from the last checkpoint. InvalidInput: there is none, it is damaged, or it was made
// with another configuration (which fields) or other training data.
StatusOr<RunState> LoadLastCheckpoint(const std::string& model_dir, Model& model, Stepper& stepper);

// Removes all but the last `keep` (0: keeps all), those of the best values, and leftovers of interrupted writes.
Status RemoveOldCheckpoints(const std::string& model_dir, int keep, const RunState& state);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_CHECKPOINT_H_
