// SPDX-License-Identifier: Apache-2.0
// Where the boxes of a diagram go; apart from diagram.cc so that it can be tested by itself.
//
//   const DiagramLayout layout = LayOut(diagram);
//   layout.boxes[3].x, .y, .width, .height;
//   for (const DiagramEdge& edge : layout.edges) edge.points;   // pairs of points, a curve from one pair to the next
//
// Layers, then an order within them by the mean place of their neighbours (Sugiyama, Tagawa & Toda 1981), then heights
// as near as possible to the mean of the neighbours' (least squares with a least distance, by pooling).
#ifndef MANYGATE_REPORT_DIAGRAM_LAYOUT_H_
#define MANYGATE_REPORT_DIAGRAM_LAYOUT_H_

#include <utility>
#include <vector>

#include "manygate/report/diagram.h"

namespace manygate {

struct PlacedBox {
  int layer = 0;
  double x = 0, y = 0, width = 0, height = 0;  // upper left corner and size
};

// From the right side of a box to the left side of another, with a straight piece through each layer in between.
struct DiagramEdge {
  int from = 0, to = 0;
  std::vector<std::pair<double, double>>
      points;  // an even number: curve from 0 to 1, line from 1 to 2, curve 2 to 3, ...
};

struct DiagramLayout {
  std::vector<PlacedBox> boxes;  // as in the diagram
  std::vector<DiagramEdge> edges;
  double width = 0, height = 0;
};

inline constexpr double kDiagramFont = 12, kDiagramLine = 17, kDiagramPadding = 10, kDiagramMostText = 240;

DiagramLayout LayOut(const Diagram& diagram);

}  // namespace manygate

#endif  // MANYGATE_REPORT_DIAGRAM_LAYOUT_H_
