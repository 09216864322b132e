// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/report/axis.h"
#include "manygate/report/svg.h"

namespace manygate {
namespace {

constexpr double kWidth = 440, kLine = 26, kBarHeight = 16, kMostName = 170;

}  // namespace

std::string DrawBars(const BarChart& chart) {
  double most = 0, name_width = 0, text_width = 0;
  bool any = false;
  for (const Bar& bar : chart.bars) {
    name_width = std::max(name_width, std::min(kMostName, TextWidth(bar.name, kSvgFont)));
    text_width = std::max(text_width, TextWidth(bar.text, kSvgFont));
    if (!std::isfinite(bar.value)) continue;
    any = true;
    most = std::max(most, bar.value);
  }
  if (!any) return "";
  if (std::isfinite(chart.most)) most = chart.most;
  const double left = name_width + 10, room = kWidth - left - text_width - 10;
  std::string svg = SvgOpen(chart.label, kWidth, kLine * static_cast<double>(chart.bars.size()) + 4);
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double y = kLine * static_cast<double>(i) + 2, middle = y + kLine / 2 + 4.5;
    const double share = std::isfinite(bar.value) && most > 0 ? std::clamp(bar.value / most, 0.0, 1.0) : 0;
    svg += SvgText(left - 8, middle, FitName(bar.name, kMostName, kSvgFont), "tick end");
    svg += fmt::format("<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>\n", SvgNumber(left),
                       SvgNumber(y + (kLine - kBarHeight) / 2), SvgNumber(std::max(1.0, share * room)),
                       SvgNumber(kBarHeight), SvgTitle(bar.name + ": " + bar.text));
    svg += SvgText(left + share * room + 7, middle, bar.text, "tick");
  }
  return svg + "</svg>\n";
}

}  // namespace manygate
