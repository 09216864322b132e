// SPDX-License-Identifier: Apache-2.0
// One function per model: it wires nodes from the input value to one output per tower, and nothing else. Everything a
// model needs beyond wiring (training, threads, files, reports) works on the graph.
//
// To add a model: message in config/pipeline.proto, models/<name>.cc with Wire<Name>, a line here and one in catalog/.
#ifndef MANYGATE_MODELS_MODELS_H_
#define MANYGATE_MODELS_MODELS_H_

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"

namespace manygate {

// x: [B, D], all features side by side. Towers have names (config/resolve.h).
void WireSimpleMultiTask(Graph& graph, Value x, const config::SimpleMultiTask& config);
void WireSharedBottom(Graph& graph, Value x, const config::SharedBottom& config);
void WireOmoe(Graph& graph, Value x, const config::OMoE& config);
void WireMmoe(Graph& graph, Value x, const config::MMoE& config);

}  // namespace manygate

#endif  // MANYGATE_MODELS_MODELS_H_
