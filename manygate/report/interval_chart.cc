// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/interval_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/report/axis.h"
#include "manygate/report/svg.h"

namespace manygate {
namespace {

constexpr double kWidth = 440, kLine = 28, kMostName = 170, kRight = 22, kBottom = 48;

bool IsFinite(const NamedInterval& interval) {
  return std::isfinite(interval.value) && std::isfinite(interval.low) && std::isfinite(interval.high);
}

}  // namespace

std::string DrawIntervals(const IntervalChart& chart) {
  double least = 0, most = 0, left = 0;
  bool any = false;
  for (const NamedInterval& interval : chart.intervals) {
    left = std::max(left, std::min(kMostName, TextWidth(interval.name, kSvgFont)) + 12);
    if (!IsFinite(interval)) continue;
    any = true;
    least = std::min({least, interval.low, interval.value});
    most = std::max({most, interval.high, interval.value});
  }
  if (!any) return "";
  const Axis axis = MakeAxis({.title = chart.axis_title}, least, most, 4);
  const double right = kWidth - kRight, bottom = kLine * static_cast<double>(chart.intervals.size()) + 6;
  const auto x_of = [&](double value) { return axis.Place(value, left, right); };
  std::string svg = SvgOpen(chart.label, kWidth, bottom + kBottom);
  double last_end = -1e9;
  for (size_t i = 0; i < axis.ticks.size(); ++i) {
    const double x = x_of(axis.ticks[i]), half = TextWidth(axis.labels[i], kSvgFont) / 2;
    svg += fmt::format("<path class=\"{}\" d=\"M{} 0V{}\"/>\n", axis.labels[i] == "0" ? "axis" : "grid", SvgNumber(x),
                       SvgNumber(bottom));
    if (x - half < last_end + 4) continue;
    last_end = x + half;
    svg += SvgText(std::min(x, kWidth - half), bottom + 18, axis.labels[i], "tick middle");
  }
  svg += SvgText((left + right) / 2, bottom + 40, chart.axis_title, "axis-title middle");
  for (size_t i = 0; i < chart.intervals.size(); ++i) {
    const NamedInterval& interval = chart.intervals[i];
    const double y = kLine * (static_cast<double>(i) + 0.5) + 3;
    svg += SvgText(left - 8, y + 4.5, FitName(interval.name, kMostName, kSvgFont), "tick end");
    if (!IsFinite(interval)) {
      svg += SvgText(left + 6, y + 4.5, "n/a", "tick");
      continue;
    }
    const bool holds_zero = interval.low <= 0 && interval.high >= 0;
    svg += fmt::format("<path class=\"line c{0}\" d=\"M{1} {2}H{3}M{1} {4}v8M{3} {4}v8\"/>\n", holds_zero ? 5 : 0,
                       SvgNumber(x_of(interval.low)), SvgNumber(y), SvgNumber(x_of(interval.high)), SvgNumber(y - 4));
    svg += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"4.5\">{}</circle>\n",
                       holds_zero ? "hollow c5" : "mark c0", SvgNumber(x_of(interval.value)), SvgNumber(y),
                       SvgTitle(fmt::format("{}: {}", interval.name, FormatDifference(interval.value))));
  }
  return svg + "</svg>\n";
}

}  // namespace manygate
