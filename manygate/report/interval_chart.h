// SPDX-License-Identifier: Apache-2.0
// Differences with their intervals around zero, one line each, as inline SVG for a page with the style of html.h. Pure:
// equal input, equal text.
//
//   std::string svg = DrawIntervals({.label = "AUC against alone",
//                                    .intervals = {{"income: mmoe", 0.002, 0.001, 0.003}}});
//   if (svg.empty()) ...   // nothing finite
#ifndef MANYGATE_REPORT_INTERVAL_CHART_H_
#define MANYGATE_REPORT_INTERVAL_CHART_H_

#include <string>
#include <vector>

namespace manygate {

// Not finite: the line has its name and "n/a".
struct NamedInterval {
  std::string name;
  double value = 0, low = 0, high = 0;
};

// Intervals beyond zero are filled, those that hold it are hollow.
struct IntervalChart {
  std::string label;  // what the picture shows, for those who do not see it
  std::string axis_title;
  std::vector<NamedInterval> intervals;
};

// "<svg ...>...</svg>"; "" when nothing is finite.
std::string DrawIntervals(const IntervalChart& chart);

}  // namespace manygate

#endif  // MANYGATE_REPORT_INTERVAL_CHART_H_
