// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/report/axis.h"
#include "manygate/report/svg.h"

namespace manygate {
namespace {

constexpr double kCellHeight = 30, kLeastCell = 32, kMostCell = 64, kWidth = 440, kMostLabel = 170;
constexpr int kShades = 7;  // classes h0 .. h6 of html_style.cc

// A text turned by a quarter, read from below.
std::string UprightText(double x, double y, const std::string& text) {
  return fmt::format("<text transform=\"translate({} {}) rotate(-90)\" class=\"tick\">", SvgNumber(x), SvgNumber(y)) +
         SvgText(0, 0, text, "").substr(std::string("<text x=\"0\" y=\"0\" class=\"\">").size());
}

double Widest(const std::vector<std::string>& texts) {
  double widest = 0;
  for (const std::string& text : texts) widest = std::max(widest, TextWidth(text, kSvgFont));
  return widest;
}

}  // namespace

std::string DrawHeatMap(const HeatMap& map) {
  MG_CHECK(map.values.size() == map.rows.size(), "{} rows of values, {} names", map.values.size(), map.rows.size());
  bool any = false;
  for (const std::vector<double>& row : map.values) {
    MG_CHECK(row.size() == map.columns.size(), "{} values in a row, {} columns", row.size(), map.columns.size());
    any = any || std::any_of(row.begin(), row.end(), [](double value) { return std::isfinite(value); });
  }
  if (!any) return "";
  const double left = std::min(Widest(map.rows), kMostLabel) + 10;
  const auto columns = static_cast<double>(map.columns.size());
  const double cell = std::clamp((kWidth - left - 2) / columns, kLeastCell, kMostCell);
  const double label_width = std::min(Widest(map.columns), kMostLabel);
  const bool upright = label_width > cell - 4;
  const double top = upright ? label_width + 12 : 24;
  const double natural = left + columns * cell + 2;
  const bool too_wide = natural > kWidth + 0.5;
  const double width = too_wide ? natural : kWidth;
  std::string svg = SvgOpen(map.label, width, top + kCellHeight * static_cast<double>(map.rows.size()) + 2,
                            too_wide ? "chart wide" : "chart");
  for (size_t c = 0; c < map.columns.size(); ++c) {
    const double middle = left + (static_cast<double>(c) + 0.5) * cell;
    const std::string name = FitName(map.columns[c], kMostLabel, kSvgFont);
    svg += upright ? UprightText(middle + 4.5, top - 6, name) : SvgText(middle, top - 8, name, "tick middle");
  }
  for (size_t r = 0; r < map.rows.size(); ++r) {
    const double y = top + static_cast<double>(r) * kCellHeight;
    svg += SvgText(left - 8, y + kCellHeight / 2 + 4.5, FitName(map.rows[r], kMostLabel, kSvgFont), "tick end");
    for (size_t c = 0; c < map.columns.size(); ++c) {
      const double value = map.values[r][c], x = left + static_cast<double>(c) * cell;
      const double share = std::clamp(value / map.most, 0.0, 1.0);
      const int shade = std::isfinite(value) ? std::min(kShades - 1, static_cast<int>(share * kShades)) : -1;
      const std::string shade_class = shade < 0 ? "none" : fmt::format("h{}", shade);
      svg +=
          fmt::format("<rect class=\"cell {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>\n", shade_class,
                      SvgNumber(x + 1), SvgNumber(y + 1), SvgNumber(cell - 2), SvgNumber(kCellHeight - 2),
                      SvgTitle(fmt::format("{}, {}: {}", map.rows[r], map.columns[c], FormatShare(value))));
      svg += SvgText(x + cell / 2, y + kCellHeight / 2 + 4.5, shade < 0 ? "–" : fmt::format("{:.0f}", 100 * value),
                     "cell-text " + shade_class);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace manygate
