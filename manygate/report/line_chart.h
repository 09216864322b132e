// SPDX-License-Identifier: Apache-2.0
// Lines over two axes, as inline SVG for a page with the style of html.h. Pure: equal input, equal text.
//
//   std::string svg = DrawLineChart({.label = "AUC of income by epoch",
//                                    .x = {.title = "epoch"},
//                                    .y = {.title = "AUC"},
//                                    .series = {{.name = "income", .points = {{1, 0.94}, {2, 0.95}}}}});
//   if (svg.empty()) ...   // no finite point: say why instead of showing an empty axis
//
// Series differ in colour, dashes and marker, so that colour is never the only difference; several have a legend. A
// point that is not finite is a gap in its line.
#ifndef MANYGATE_REPORT_LINE_CHART_H_
#define MANYGATE_REPORT_LINE_CHART_H_

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "manygate/report/axis.h"

namespace manygate {

struct ChartPoint {
  double x = 0, y = 0;
  bool operator==(const ChartPoint&) const = default;
};

struct ChartSeries {
  std::string name;
  std::vector<ChartPoint> points;
  // By point, from low to high, drawn as a bar; empty: none; NaN: none there.
  std::vector<std::pair<double, double>> intervals = {};
};

struct LineChart {
  std::string label;  // what the picture shows, for those who do not see it
  AxisChoice x = {}, y = {};
  std::vector<ChartSeries> series;
  bool diagonal = false;                                    // a thin dashed line y = x
  double level = std::numeric_limits<double>::quiet_NaN();  // a thin dashed line across at this y
};

// "<svg ...>...</svg>"; "" when no point is finite.
std::string DrawLineChart(const LineChart& chart);

}  // namespace manygate

#endif  // MANYGATE_REPORT_LINE_CHART_H_
