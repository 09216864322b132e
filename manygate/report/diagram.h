// SPDX-License-Identifier: Apache-2.0
// Boxes and arrows from left to right, as inline SVG for a page with the style of html.h. Pure: equal input, equal
// text.
//
//   Diagram diagram{.label = "the model", .boxes = {{.title = "inputs", .details = {"548 numbers"}, .role = "input"},
//                                                   {.title = "tower", .role = "tower", .inputs = {0}}}};
//   std::string svg = DrawDiagram(diagram);
//
// Boxes stand in layers by the longest way from a box without inputs; those without inputs right before the first box
// that reads them, those that nothing reads in the last layer.
// Arrows across several layers pass between boxes. Neither boxes nor their texts overlap, whatever the diagram.
#ifndef MANYGATE_REPORT_DIAGRAM_H_
#define MANYGATE_REPORT_DIAGRAM_H_

#include <string>
#include <vector>

namespace manygate {

struct DiagramBox {
  std::string title;
  std::vector<std::string> details = {};  // a line each
  std::string role = "part";              // "input", "experts", "gate", "mix", "tower", "output" or "part": its look
  std::vector<int> inputs = {};           // boxes before this one in the list
};

struct Diagram {
  std::string label;  // what the picture shows, for those who do not see it
  std::vector<DiagramBox> boxes;
};

// "" without boxes.
std::string DrawDiagram(const Diagram& diagram);

}  // namespace manygate

#endif  // MANYGATE_REPORT_DIAGRAM_H_
