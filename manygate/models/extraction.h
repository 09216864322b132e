// SPDX-License-Identifier: Apache-2.0
// One level of CGC and PLE: experts of each task, shared experts, and the gates over them.
#ifndef MANYGATE_MODELS_EXTRACTION_H_
#define MANYGATE_MODELS_EXTRACTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"

namespace manygate {

// What the tasks and the shared part hand to the next level; shared is -1 above the last one.
struct TaskValues {
  std::vector<Value> tasks;  // [B, H] each, in the order of towers
  Value shared = -1;
};

struct ExtractionLevel {
  std::string name;  // "" or "0.": stands in parameters' names
  uint32_t expert_num_per_task;
  uint32_t share_num;
  const config::MLP& task_expert_net;
  const config::MLP& share_expert_net;
  bool shared_gate;  // not in the last level
  const config::Gating& gating;
};

// Parameters: "experts.<name><tower>.layers.<i>", "experts.<name>shared.layers.<i>", "gates.<name><tower>.output" over the
// task's experts, then the shared ones, and "gates.<name>shared.output" over all tasks' experts in the order of towers, then
// the shared ones. Each reads the value of its own task, the shared ones `inputs.shared` (Tang et al. 2020, figure 5).
TaskValues Extract(Graph& graph, const TaskValues& inputs, const ExtractionLevel& level,
                   const google::protobuf::RepeatedPtrField<config::TaskTower>& towers);

}  // namespace manygate

#endif  // MANYGATE_MODELS_EXTRACTION_H_
