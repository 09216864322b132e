// SPDX-License-Identifier: Apache-2.0
// Horizontal bars with their names and numbers, as inline SVG for a page with the style of html.h. Pure: equal input,
// equal text.
//
//   std::string svg = DrawBars({.label = "missing values by column", .bars = {{"age", 0.12, "12 %"}}, .most = 1});
//   if (svg.empty()) ...   // no finite value
#ifndef MANYGATE_REPORT_BAR_CHART_H_
#define MANYGATE_REPORT_BAR_CHART_H_

#include <limits>
#include <string>
#include <vector>

namespace manygate {

struct Bar {
  std::string name;
  double value = 0;  // >= 0; not finite: only its text stands there
  std::string text;  // the number as it is written behind the bar
};

struct BarChart {
  std::string label;  // what the picture shows, for those who do not see it
  std::vector<Bar> bars;
  double most = std::numeric_limits<double>::quiet_NaN();  // value of a full bar; NaN: the largest one
};

// "<svg ...>...</svg>"; "" when no value is finite.
std::string DrawBars(const BarChart& chart);

}  // namespace manygate

#endif  // MANYGATE_REPORT_BAR_CHART_H_
