// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/gates.h"

#include <algorithm>
#include <set>

#include "manygate/ops/mix.h"
#include "manygate/ops/mix_banks.h"

namespace manygate {
namespace {

// The softmax or mixture of selectors that a gate's weights come from, past what changes them in training only; -1: neither.
Value SourceOf(const Graph& graph, Value weights) {
  while (!IsSoftmax(graph, weights) && !IsMix(graph, weights)) {
    const Node& node = graph.node(weights);
    if (node.inputs.size() != 1 || graph.shape(node.inputs[0]) != node.shape) return -1;
    weights = node.inputs[0];
  }
  return weights;
}

// "gates.income" of "gates.income.softmax".
std::string WithoutLastPart(const std::string& name) { return name.substr(0, name.rfind('.')); }

// "experts.0.income" of "experts.0.income.layers.1.activation".
std::string BankName(const std::string& name) { return name.substr(0, name.rfind(".layers.")); }

int IndexOfBank(const Graph& graph, Value experts, std::vector<FoundBank>* banks) {
  const auto found =
      std::find_if(banks->begin(), banks->end(), [&](const FoundBank& bank) { return bank.experts == experts; });
  if (found != banks->end()) return static_cast<int>(found - banks->begin());
  banks->push_back({BankName(graph.node(experts).name), experts});
  return static_cast<int>(banks->size()) - 1;
}

}  // namespace

GatedExperts FindGates(const Graph& graph) {
  std::vector<Value> mixtures;
  std::set<Value> selections;  // mixtures whose output is itself a gate
  for (Value value = 0; value < static_cast<Value>(graph.nodes.size()); ++value) {
    if (!IsMix(graph, value) && !IsMixBanks(graph, value)) continue;
    mixtures.push_back(value);
    const Value source = SourceOf(graph, graph.node(value).inputs.back());
    if (source >= 0 && IsMix(graph, source)) selections.insert(source);
  }
  GatedExperts result;
  for (const Value mixture : mixtures) {
    const std::vector<Value>& inputs = graph.node(mixture).inputs;
    const Value weights = inputs.back(), source = SourceOf(graph, weights);
    const bool known = std::any_of(result.gates.begin(), result.gates.end(),
                                   [&](const FoundGate& gate) { return gate.weights == weights; });
    if (known || source < 0 || selections.contains(mixture) || graph.shape(weights).size() < 2) continue;
    FoundGate gate{.name = WithoutLastPart(graph.node(source).name), .weights = weights, .banks = {}};
    gate.sparse = IsMix(graph, source);
    for (size_t i = 0; i + 1 < inputs.size(); ++i) gate.banks.push_back(IndexOfBank(graph, inputs[i], &result.banks));
    result.gates.push_back(std::move(gate));
  }
  return result;
}

}  // namespace manygate
