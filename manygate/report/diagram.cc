// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/diagram.h"

#include <fmt/format.h>

#include "manygate/report/axis.h"
#include "manygate/report/diagram_layout.h"
#include "manygate/report/svg.h"

namespace manygate {
namespace {

std::string EdgePath(const DiagramEdge& edge) {
  const auto& points = edge.points;
  std::string path = fmt::format("M{} {}", SvgNumber(points[0].first), SvgNumber(points[0].second));
  for (size_t i = 1; i < points.size(); ++i) {
    const auto& [x1, y1] = points[i - 1];
    const auto& [x2, y2] = points[i];
    const std::string middle = SvgNumber((x1 + x2) / 2);
    path += i % 2 == 1 ? fmt::format("C{} {} {} {} {} {}", middle, SvgNumber(y1), middle, SvgNumber(y2), SvgNumber(x2),
                                     SvgNumber(y2))
                       : fmt::format("H{}", SvgNumber(x2));
  }
  const auto& [x, y] = points.back();
  return fmt::format("<path class=\"edge\" d=\"{}\"/>\n<path class=\"arrow\" d=\"M{} {}l-7 -3.5v7z\"/>\n", path,
                     SvgNumber(x), SvgNumber(y));
}

std::string Box(const DiagramBox& box, const PlacedBox& place) {
  std::string svg = fmt::format(
      "<rect class=\"box {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\">{}</rect>\n", box.role,
      SvgNumber(place.x), SvgNumber(place.y), SvgNumber(place.width), SvgNumber(place.height), SvgTitle(box.title));
  double y = place.y + kDiagramPadding + kDiagramFont - 1;
  const double x = place.x + kDiagramPadding, room = place.width - 2 * kDiagramPadding;
  svg += SvgText(x, y, FitText(box.title, room / 1.06 + 0.5, kDiagramFont), "box-title");
  for (const std::string& line : box.details) {
    y += kDiagramLine;
    svg += SvgText(x, y, FitText(line, room + 0.5, kDiagramFont), "box-text");
  }
  return svg;
}

}  // namespace

std::string DrawDiagram(const Diagram& diagram) {
  if (diagram.boxes.empty()) return "";
  const DiagramLayout layout = LayOut(diagram);
  std::string svg = SvgOpen(diagram.label, layout.width, layout.height, "diagram");
  for (const DiagramEdge& edge : layout.edges) svg += EdgePath(edge);
  for (size_t b = 0; b < diagram.boxes.size(); ++b) svg += Box(diagram.boxes[b], layout.boxes[b]);
  return svg + "</svg>\n";
}

}  // namespace manygate
