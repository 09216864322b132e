// SPDX-License-Identifier: Apache-2.0
// The gates that are found in the graphs of real models, whatever they are for and whatever passes have run.
#include "manygate/ops/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "manygate/catalog/catalog.h"
#include "manygate/catalog/catalog_testing.h"

namespace manygate {
namespace {

struct Case {
  std::string model;
  std::vector<std::string> gates;  // "<gate> over <bank> <experts>, ..."
};

std::vector<std::string> Describe(const Graph& graph) {
  const GatedExperts found = FindGates(graph);
  std::vector<std::string> texts;
  for (const FoundGate& gate : found.gates) {
    std::string text = gate.name + (gate.sparse ? " (sparse) over" : " over");
    for (const int b : gate.banks)
      text += " " + found.banks[b].name + " " + std::to_string(graph.shape(found.banks[b].experts).groups);
    texts.push_back(text);
  }
  return texts;
}

TEST(GatesOfModels, AreFoundInEveryGraph) {
  const std::string mlp = "{ hidden_units: [6, 4] dropout_ratio: 0.1 }";
  const std::vector<Case> cases = {
      {"mmoe { num_expert: 3 expert_mlp " + mlp + " gate_mlp { hidden_units: 5 } TOWERS }",
       {"gates.income over experts 3", "gates.hours over experts 3"}},
      {"mmoe { num_expert: 1 expert_mlp " + mlp + " TOWERS }", {}},
      {"omoe { expert_mlp { hidden_units: 4 activation: \"none\" } TOWERS }", {"gate over experts 3"}},
      {"cgc { task_expert_net " + mlp + " share_expert_net " + mlp + " share_num: 1 TOWERS }",
       {"gates.income over experts.income 2 experts.shared 1", "gates.hours over experts.hours 2 experts.shared 1"}},
      {"ple { extraction_networks { task_expert_net " + mlp + " share_expert_net " + mlp +
           " share_num: 1 } extraction_networks { task_expert_net " + mlp + " share_expert_net " + mlp + " } TOWERS }",
       {"gates.0.income over experts.0.income 2 experts.0.shared 1",
        "gates.0.hours over experts.0.hours 2 experts.0.shared 1",
        "gates.0.shared over experts.0.income 2 experts.0.hours 2 experts.0.shared 1",
        "gates.1.income over experts.1.income 2 experts.1.shared 2",
        "gates.1.hours over experts.1.hours 2 experts.1.shared 2"}},
      {"adatt { expert_mlps { hidden_units: 4 } TOWERS }",
       {"gates.0.income over experts.0.income 2 experts.0.hours 2",
        "gates.0.hours over experts.0.income 2 experts.0.hours 2"}},
      {"dbmtl { expert_mlp " + mlp + " TOWERS }", {"gates.income over experts 3", "gates.hours over experts 3"}},
      {"dselect_k { expert_mlp " + mlp + " TOWERS }",
       {"gates.income (sparse) over experts 4", "gates.hours (sparse) over experts 4"}},
      {"escm2 { expert_mlp " + mlp +
           R"( counterfact_mode: "IPW" task_towers { tower_name: "a" label_name: "income" }
               task_towers { tower_name: "b" label_name: "income" } })",
       {"gates.a over experts 3", "gates.b over experts 3"}},
      {"shared_bottom { bottom_mlp " + mlp + " TOWERS }", {}},
  };
  for (const Case& one : cases) {
    for (const char* gating : {"", " gating { dropout_ratio: 0.2 temperature: 2 load_balance_weight: 0.1 }"}) {
      const config::Pipeline pipeline = TestPipeline(one.model + gating);
      for (const Purpose purpose : {Purpose::kTrain, Purpose::kPredict})
        for (const bool rewrite : {true, false})
          EXPECT_EQ(Describe(BuildGraph(pipeline, TestSchema(), {.purpose = purpose, .rewrite = rewrite})), one.gates)
              << one.model << gating;
    }
  }
}

}  // namespace
}  // namespace manygate
