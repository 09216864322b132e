// SPDX-License-Identifier: Apache-2.0
// Numbers in coloured cells, as inline SVG for a page with the style of html.h. Pure: equal input, equal text.
//
//   std::string svg = DrawHeatMap({.label = "mean weight of each expert", .rows = {"income"}, .columns = {"0", "1"},
//                                  .values = {{0.2, 0.8}}});
//   if (svg.empty()) ...   // no finite value
#ifndef MANYGATE_REPORT_HEAT_MAP_H_
#define MANYGATE_REPORT_HEAT_MAP_H_

#include <string>
#include <vector>

namespace manygate {

// Every cell says its number as a whole percentage, so that colour is never the only difference; a value that is not
// finite is a dash on no colour. The colour goes by value / `most`, from 0 to 1.
struct HeatMap {
  std::string label;  // what the picture shows, for those who do not see it
  std::vector<std::string> rows, columns;
  std::vector<std::vector<double>> values;  // [rows][columns], shares of 1
  double most = 1;
};

// "<svg ...>...</svg>"; "" when no value is finite.
std::string DrawHeatMap(const HeatMap& map);

}  // namespace manygate

#endif  // MANYGATE_REPORT_HEAT_MAP_H_
