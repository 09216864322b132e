// SPDX-License-Identifier: Apache-2.0
// Makes a valid configuration explicit, so that the rest of the program asks no "if it is not set".
//
//   ResolveDefaults(&loaded.pipeline);
//   MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(model_dir, "pipeline.config"), PrintPipeline(loaded.pipeline)));
#ifndef MANYGATE_CONFIG_RESOLVE_H_
#define MANYGATE_CONFIG_RESOLVE_H_

#include <string>

#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

// Fills in, where absent:
//   train_config, eval_config, data_config, data_config.split    present
//   train_config.dense_optimizer      Adam with lr 0.001; its learning rate constant; sparse_optimizer a copy of it
//   task_towers.tower_name            label_name
//   task_towers.losses                binary_cross_entropy {}
//   task_towers.metrics               DefaultMetrics of accessors.h, by the first loss
//   task_towers.sample_weight_name    the only one of data_config.sample_weight_fields
//   ple.extraction_networks.network_name   its number, from 0
//   cgc, ple: task_expert_net or share_expert_net, where there are no experts of that kind: a copy of the other
//   pepnet.ppnet_hidden_units         64, 32
//   data_config.label_fields          the towers' labels, then their indicator labels, each once
//   data_config.label_configs         one per label, its column = label_name
//   model_config.feature_groups       one group "all" of all features in order
//   feature expression                the feature's own name
//   early_stopping.metric             "loss"
// and replaces a feature's name in session_name and grouping_key by its column.
// Existing elements keep their positions, so places of a LoadedPipeline stay right. Idempotent.
void ResolveDefaults(Pipeline* pipeline);

// Text that loads again to the same message. Fields in the order of the schema, numbers with all their digits.
std::string PrintPipeline(const Pipeline& pipeline);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_RESOLVE_H_
