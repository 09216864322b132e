// SPDX-License-Identifier: Apache-2.0
// The multi-task models. One function per model wires nodes from the input values to one output per tower, and nothing
// else: everything a model needs beyond wiring (training, threads, files, reports) works on the graph.
//
// To add a model (docs/howto/add_a_model.md): its message in config/pipeline.proto, models/<name>.cc, its line in the list
// below.
#ifndef MANYGATE_MODELS_MODELS_H_
#define MANYGATE_MODELS_MODELS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"

namespace manygate {

// What a model is wired from.
struct ModelInputs {
  Value x = -1;     // [B, D], the features of the first group side by side, after the cross layers
  Value wide = -1;  // [B, W], the features of the WIDE group as one-hot codes, pieces and numbers; -1: there is none
  std::vector<std::pair<std::string, Value>> groups = {};  // the other groups by name, [B, their width]
  std::vector<int> labels =
      {};  // for each tower, in the order of the configuration: the column of its label in InputBatch
  config::Gating gating = {};  // of every softmax gate over experts; blocks.h: Gate
  // The group of that name, or x.
  Value Group(std::string_view name) const;
};

// F(function suffix, message, field of config::ModelConfig): every model.
#define MANYGATE_MODELS(F)                               \
  F(SimpleMultiTask, SimpleMultiTask, simple_multi_task) \
  F(SharedBottom, SharedBottom, shared_bottom)           \
  F(Omoe, OMoE, omoe)                                    \
  F(Mmoe, MMoE, mmoe)                                    \
  F(Cgc, CGC, cgc)                                       \
  F(Ple, PLE, ple)                                       \
  F(Esmm, ESMM, esmm)                                    \
  F(Escm2, ESCM2, escm2)                                 \
  F(Aitm, AITM, aitm)                                    \
  F(Dbmtl, DBMTL, dbmtl)                                 \
  F(Dc2vr, DC2VR, dc2vr)                                 \
  F(AdaTt, AdaTT, adatt)                                 \
  F(DSelectK, DSelectK, dselect_k)                       \
  F(PepNet, PEPNet, pepnet)

// void WireMmoe(Graph& graph, const ModelInputs& inputs, const config::MMoE& config), and so on. The configuration is
// validated and resolved: towers have names.
#define MANYGATE_DECLARE_MODEL(Name, Message, field) \
  void Wire##Name(Graph& graph, const ModelInputs& inputs, const config::Message& config);
MANYGATE_MODELS(MANYGATE_DECLARE_MODEL)
#undef MANYGATE_DECLARE_MODEL

// Wires whichever model is set. Its towers' logits are the first outputs, in the order of the configuration.
void WireModel(Graph& graph, const ModelInputs& inputs, const config::ModelConfig& model);

}  // namespace manygate

#endif  // MANYGATE_MODELS_MODELS_H_
