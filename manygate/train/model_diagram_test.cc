// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/model_diagram.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "manygate/catalog/catalog_testing.h"
#include "manygate/config/accessors.h"
#include "manygate/config/model_defaults.h"
#include "manygate/config/resolve.h"
#include "manygate/report/diagram_layout.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

Diagram DiagramOf(const std::string& model) {
  return ModelDiagram(*MakePredictionModel(TestPipeline(model), TestSchema()));
}

// By title: the titles that it reads.
std::map<std::string, std::vector<std::string>> Arrows(const Diagram& diagram) {
  std::map<std::string, std::vector<std::string>> arrows;
  for (const DiagramBox& box : diagram.boxes) {
    std::vector<std::string>& reads = arrows[box.title];
    for (const int input : box.inputs) reads.push_back(diagram.boxes[input].title);
  }
  return arrows;
}

const DiagramBox& Find(const Diagram& diagram, const std::string& title) {
  for (const DiagramBox& box : diagram.boxes)
    if (box.title == title) return box;
  ADD_FAILURE() << "no box " << title;
  return diagram.boxes[0];
}

TEST(ModelDiagram, StemsOfNames) {
  EXPECT_EQ(NodeStem("towers.income.layers.0.activation"), "towers.income");
  EXPECT_EQ(NodeStem("towers.income.output"), "towers.income");
  EXPECT_EQ(NodeStem("gates.0.shared.softmax"), "gates.0.shared");
  EXPECT_EQ(NodeStem("gates.income.selectors.softmax"), "gates.income");
  EXPECT_EQ(NodeStem("experts.layers.1.norm"), "experts");
  EXPECT_EQ(NodeStem("ppnet.income.gates.0.product"), "ppnet.income");
  EXPECT_EQ(NodeStem("wide.income"), "towers.income");
  EXPECT_EQ(NodeStem("output"), "output");
}

TEST(ModelDiagram, Mmoe) {
  const Diagram diagram = DiagramOf("mmoe { num_expert: 5 expert_mlp { hidden_units: [6, 4] } TOWERS }");
  const auto arrows = Arrows(diagram);
  EXPECT_THAT(arrows.at("inputs"), IsEmpty());
  EXPECT_THAT(arrows.at("experts"), ElementsAre("inputs"));
  EXPECT_THAT(arrows.at("gates.hours"), ElementsAre("inputs"));
  EXPECT_THAT(arrows.at("mix.hours"), ElementsAre("experts", "gates.hours"));
  EXPECT_THAT(arrows.at("towers.income"), ElementsAre("mix.income"));
  EXPECT_THAT(arrows.at("probs_income"), ElementsAre("towers.income"));
  EXPECT_THAT(arrows.at("y_hours"), ElementsAre("towers.hours"));
  EXPECT_EQ(diagram.boxes.size(), 10u);
  EXPECT_THAT(Find(diagram, "experts").details, ElementsAre("5 experts", "→ 6 → 4 ReLU"));
  EXPECT_THAT(Find(diagram, "gates.income").details, ElementsAre("→ 5 softmax"));
  EXPECT_THAT(Find(diagram, "towers.income").details, ElementsAre("→ 3 ReLU → 1"));
  EXPECT_THAT(Find(diagram, "towers.hours").details, ElementsAre("→ 1"));
  // 5 values of job and 8 of kind; 4 of the embedding of state; age, wealth and its indicator, height.
  EXPECT_THAT(Find(diagram, "inputs").details,
              ElementsAre("2 one-hot columns: 13", "1 embedding of 4 values: 4", "3 numbers: 4", "21 in all"));
}

// What a tower adds after another box has read it is a box of its own: no circle of arrows.
TEST(ModelDiagram, ACircleIsCutOpen) {
  const Diagram diagram = DiagramOf(
      R"(dbmtl { bottom_mlp { hidden_units: 4 } task_towers { label_name: "income" mlp { hidden_units: 3 } }
                 task_towers { label_name: "hours" losses { l2_loss {} } mlp { hidden_units: 3 }
                               relation_tower_names: "income" relation_mlp { hidden_units: 2 } } })");
  int hours = 0;
  for (const DiagramBox& box : diagram.boxes) hours += box.title == "towers.hours";
  EXPECT_EQ(hours, 2);  // before and after the relation
  EXPECT_THAT(Arrows(diagram).at("relations.hours"), IsSupersetOf({"towers.income", "towers.hours"}));
}

// Every model: predictions for both towers, all boxes before their readers, nothing overlaps or is beside the picture.
TEST(ModelDiagram, EveryModelHasADrawing) {
  for (const std::string& name : config::ModelNames()) {
    SCOPED_TRACE(name);
    config::Pipeline pipeline = TestPipeline();
    std::vector<config::TaskTower> towers(pipeline.model_config().mmoe().task_towers().begin(),
                                          pipeline.model_config().mmoe().task_towers().end());
    towers.insert(towers.begin() + 1, towers[0]);  // funnels have two steps
    towers[1].set_tower_name("later");
    auto filled = config::DefaultModel(name, towers);
    ASSERT_TRUE(filled.ok()) << filled.status().message();
    *filled->mutable_feature_groups() = pipeline.model_config().feature_groups();
    *pipeline.mutable_model_config() = *filled;
    config::ResolveDefaults(&pipeline);
    const auto model = MakePredictionModel(pipeline, TestSchema());
    const Diagram diagram = ModelDiagram(*model);
    const auto arrows = Arrows(diagram);
    EXPECT_EQ(arrows.count("probs_income"), 1u);
    EXPECT_EQ(arrows.count("y_hours"), 1u);
    EXPECT_EQ(arrows.count("inputs"), 1u);
    for (const DiagramBox& box : diagram.boxes) EXPECT_TRUE(box.role != "output" || box.inputs.size() == 1u);
    const DiagramLayout layout = LayOut(diagram);
    for (size_t a = 0; a < layout.boxes.size(); ++a) {
      for (size_t b = a + 1; b < layout.boxes.size(); ++b) {
        const PlacedBox &first = layout.boxes[a], &second = layout.boxes[b];
        EXPECT_TRUE(first.layer != second.layer || first.y + first.height <= second.y ||
                    second.y + second.height <= first.y);
      }
    }
  }
}

}  // namespace
}  // namespace manygate
