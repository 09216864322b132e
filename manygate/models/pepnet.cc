// SPDX-License-Identifier: Apache-2.0
// PEPNet: Parameter and Embedding Personalized Network. Chang, Zhang, Hui, Leng, Niu, Song, Gai: PEPNet: Parameter and
// Embedding Personalized Network for Infusing with Personalized Prior Information, KDD 2023; for one domain.
//
//   x [B,D] ─────────────────── ∘ ── x' ─┬─ dense ─ activation ─ ∘ ─ dense ─ activation ─ ∘ ── (a's mlp) ── logits a
//      └(stop)┐     EPNet       │        │          PPNet, a     │                        │
//   domain ─ concat ─ gate ─────┘        └(stop)┐                │                        │
//                                        uia ─ concat ─┬─ gate ──┘                        │
//                                                      └─ gate ───────────────────────────┘
//
// gate = γ · sigmoid(dense(ReLU(dense))), as wide as what it multiplies; its hidden layer is epnet_hidden_unit wide in
// EPNet, as wide as the gated layer in PPNet (TorchEasyRec). Dropout follows the gate. Gates do not train the features
// that they multiply: "(stop)" lets no gradient through.
#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/multiply.h"
#include "manygate/ops/stop_gradient.h"

namespace manygate {
namespace {

// x ∘ γ · sigmoid(dense(ReLU(dense(condition)))), the inner one `hidden` wide.
Value Gated(Graph& graph, Value x, Value condition, int64_t hidden, float gamma, const std::string& name) {
  config::MLP mlp;
  mlp.add_hidden_units(static_cast<uint32_t>(hidden));
  Value gate = Dense(graph, Mlp(graph, condition, mlp, name), graph.shape(x), name + ".output");
  gate = Activate(graph, gate, Activation::kSigmoid, name + ".sigmoid");
  return Multiply(graph, x, Scale(graph, gate, gamma, name + ".gamma"), name + ".product");
}

// What a gate reads: its own group of features, and x.
Value Condition(Graph& graph, Value group, Value x, const std::string& name) {
  return Concat(graph, name + ".condition", {group, StopGradient(graph, x, name + ".stop")});
}

}  // namespace

void WirePepNet(Graph& graph, const ModelInputs& inputs, const config::PEPNet& config) {
  Value x = inputs.x;
  if (config.epnet_hidden_unit() > 0) {
    const Value condition = Condition(graph, inputs.Group("domain"), x, "epnet");
    x = Gated(graph, x, condition, config.epnet_hidden_unit(), config.epnet_gamma(), "epnet");
  }
  const auto activation = ParseActivation(config.ppnet_activation());
  MG_CHECK(activation.has_value(), "activation {} passed validation", config.ppnet_activation());
  const auto& ratios = config.ppnet_dropout_ratio();
  const Value condition = Condition(graph, inputs.Group("uia"), x, "ppnet");
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string name = "ppnet." + tower.tower_name();
    Value hidden = x;
    for (int i = 0; i < config.ppnet_hidden_units_size(); ++i) {
      const int64_t width = config.ppnet_hidden_units(i);
      const std::string layer = fmt::format("{}.layers.{}", name, i);
      hidden = Activate(graph, Dense(graph, hidden, {1, width}, layer), *activation, layer + ".activation");
      hidden = Gated(graph, hidden, condition, width, config.ppnet_gamma(), fmt::format("{}.gates.{}", name, i));
      hidden = Dropout(graph, hidden, ratios.empty() ? 0.f : ratios[ratios.size() == 1 ? 0 : i], layer + ".dropout");
    }
    AddTower(graph, inputs, hidden, tower);
  }
}

}  // namespace manygate
