// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/diagram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/report/axis.h"
#include "manygate/report/diagram_layout.h"

namespace manygate {
namespace {

using testing::HasSubstr;

// A level of experts for each task, `levels` times, above shared inputs; every tower also reads the inputs.
Diagram Levels(int tasks, int levels, const std::string& name) {
  Diagram diagram{.label = "levels", .boxes = {{.title = "inputs", .details = {"548 wide"}, .role = "input"}}};
  std::vector<int> last(tasks, 0);
  for (int l = 0; l < levels; ++l) {
    const int first = static_cast<int>(diagram.boxes.size());
    for (int t = 0; t < tasks; ++t)
      diagram.boxes.push_back({.title = "experts." + name, .details = {"8 experts", "→ 64"}, .inputs = {last[t]}});
    for (int t = 0; t < tasks; ++t) {
      last[t] = static_cast<int>(diagram.boxes.size());
      diagram.boxes.push_back({.title = "mix." + name, .role = "mix", .inputs = {first + t, first + (t + 1) % tasks}});
    }
  }
  for (int t = 0; t < tasks; ++t)
    diagram.boxes.push_back({.title = "towers." + name, .role = "tower", .inputs = {last[t], 0}});
  return diagram;
}

void ExpectNoOverlap(const DiagramLayout& layout) {
  for (size_t a = 0; a < layout.boxes.size(); ++a) {
    const PlacedBox& first = layout.boxes[a];
    EXPECT_GE(first.x, 0);
    EXPECT_GE(first.y, 0);
    EXPECT_LE(first.x + first.width, layout.width);
    EXPECT_LE(first.y + first.height, layout.height);
    for (size_t b = a + 1; b < layout.boxes.size(); ++b) {
      const PlacedBox& second = layout.boxes[b];
      const bool apart = first.x + first.width <= second.x || second.x + second.width <= first.x ||
                         first.y + first.height <= second.y || second.y + second.height <= first.y;
      EXPECT_TRUE(apart) << a << " and " << b;
    }
  }
  // Where an arrow runs through a layer, there is no box.
  for (const DiagramEdge& edge : layout.edges) {
    for (size_t i = 1; i + 1 < edge.points.size(); i += 2) {
      const double y = edge.points[i].second;
      for (const PlacedBox& box : layout.boxes) {
        const bool in_layer = box.x < edge.points[i + 1].first && edge.points[i].first < box.x + box.width;
        EXPECT_FALSE(in_layer && y > box.y && y < box.y + box.height) << edge.from << " to " << edge.to;
      }
    }
  }
}

TEST(Diagram, NothingOverlaps) {
  for (const auto& [tasks, levels] : {std::pair{1, 1}, {2, 1}, {3, 2}, {12, 3}})
    ExpectNoOverlap(LayOut(Levels(tasks, levels, "income")));
  ExpectNoOverlap(LayOut(Levels(4, 2, std::string(300, 'm'))));
}

TEST(Diagram, LayersFollowTheArrows) {
  // inputs → experts → tower → output; a source that only the tower reads; the inputs also straight to the tower.
  const Diagram diagram{.label = "small",
                        .boxes = {{.title = "inputs"},
                                  {.title = "wide"},
                                  {.title = "experts", .inputs = {0}},
                                  {.title = "tower", .inputs = {2, 0, 1}},
                                  {.title = "probs_a", .inputs = {3}},
                                  {.title = "probs_b", .inputs = {2}}}};
  const DiagramLayout layout = LayOut(diagram);
  std::vector<int> layers;
  for (const PlacedBox& box : layout.boxes) layers.push_back(box.layer);
  EXPECT_THAT(layers, testing::ElementsAre(0, 1, 1, 2, 3, 3));
  ASSERT_EQ(layout.edges.size(), 6u);
  for (const DiagramEdge& edge : layout.edges) {
    const PlacedBox &from = layout.boxes[edge.from], &to = layout.boxes[edge.to];
    EXPECT_DOUBLE_EQ(edge.points.front().first, from.x + from.width);
    EXPECT_DOUBLE_EQ(edge.points.front().second, from.y + from.height / 2);
    EXPECT_DOUBLE_EQ(edge.points.back().first, to.x);
    EXPECT_DOUBLE_EQ(edge.points.back().second, to.y + to.height / 2);
    EXPECT_EQ(edge.points.size(), 2u * static_cast<size_t>(to.layer - from.layer));
  }
  ExpectNoOverlap(layout);
}

TEST(Diagram, TextsStayInTheirBoxes) {
  const Diagram diagram{.label = "long",
                        .boxes = {{.title = std::string(100, 'W'), .details = {std::string(100, 'W')}}}};
  const DiagramLayout layout = LayOut(diagram);
  EXPECT_LE(layout.boxes[0].width, kDiagramMostText + 2 * kDiagramPadding);
  EXPECT_THAT(DrawDiagram(diagram), HasSubstr("W…</text>"));
}

TEST(Diagram, EscapesAndIsEmptyWithoutBoxes) {
  EXPECT_EQ(DrawDiagram({.label = "none", .boxes = {}}), "");
  const std::string svg =
      DrawDiagram({.label = "<model>", .boxes = {{.title = "towers.<script>", .details = {"a & b"}}}});
  EXPECT_THAT(svg, HasSubstr("towers.&lt;script&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("a &amp; b</text>"));
  EXPECT_THAT(svg, HasSubstr("aria-label=\"&lt;model&gt;\""));
  EXPECT_THAT(svg, testing::Not(HasSubstr("<script")));
}

}  // namespace
}  // namespace manygate
