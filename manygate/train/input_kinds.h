// SPDX-License-Identifier: Apache-2.0
// The features of a group, counted by how the model reads them; for drawings.
//
//   for (const InputKind& kind : CountInputKinds(model_config.feature_groups(0), schema))
//     text += fmt::format("{} {}, {} wide", kind.columns, kind.what, kind.width);   // "29 one-hot columns, 538 wide"
#ifndef MANYGATE_TRAIN_INPUT_KINDS_H_
#define MANYGATE_TRAIN_INPUT_KINDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/features/schema.pb.h"

namespace manygate {

struct InputKind {
  std::string what;     // "one-hot columns", "embeddings of 4,000 values"
  int64_t columns = 0;  // features
  uint64_t values = 0;  // of all embeddings' vocabularies; 0: no embeddings
  uint64_t width = 0;   // inputs of the model
};

// Those with at least one column: one-hot, embeddings, piecewise, numbers, sequence encoders, in this order.
std::vector<InputKind> CountInputKinds(const config::FeatureGroupConfig& group, const features::Schema& schema);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_INPUT_KINDS_H_
