// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/report/svg.h"

namespace manygate {
namespace {

constexpr double kWidth = 440, kPlotHeight = 216, kBottom = 50, kTop = 30, kRight = 18;
constexpr double kLegendLine = 20, kSample = 26, kInset = 10;
constexpr int kColours = 6, kDashes = 5, kMarkers = 6;
constexpr size_t kAllMarkers = 40, kSomeMarkers = 10;

bool IsFinite(const ChartPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// The colour and the dashes of series number i, as classes of html_style.cc.
std::string LineClass(size_t i) { return fmt::format("line c{} d{}", i % kColours, i % kDashes); }

// A mark of its own for each of six series.
std::string Marker(size_t series, double x, double y, const std::string& title) {
  const std::string at = fmt::format("class=\"mark c{}\"", series % kColours), cx = SvgNumber(x), cy = SvgNumber(y);
  const std::string inside = title.empty() ? "" : SvgTitle(title);
  const auto polygon = [&](std::initializer_list<std::pair<double, double>> corners) {
    std::string points;
    for (const auto& [dx, dy] : corners)
      points += fmt::format("{}{},{}", points.empty() ? "" : " ", SvgNumber(x + dx), SvgNumber(y + dy));
    return fmt::format("<polygon {} points=\"{}\">{}</polygon>\n", at, points, inside);
  };
  switch (series % kMarkers) {
    case 0: return fmt::format("<circle {} cx=\"{}\" cy=\"{}\" r=\"3.2\">{}</circle>\n", at, cx, cy, inside);
    case 1:
      return fmt::format("<rect {} x=\"{}\" y=\"{}\" width=\"6\" height=\"6\">{}</rect>\n", at, SvgNumber(x - 3),
                         SvgNumber(y - 3), inside);
    case 2: return polygon({{0, -4}, {3.8, 3}, {-3.8, 3}});
    case 3: return polygon({{0, -4.4}, {4, 0}, {0, 4.4}, {-4, 0}});
    case 4: return polygon({{0, 4}, {3.8, -3}, {-3.8, -3}});
    default: return polygon({{-4.5, -1.2}, {4.5, -1.2}, {4.5, 1.2}, {-4.5, 1.2}});
  }
}

class Painter {
 public:
  explicit Painter(const LineChart& chart) : chart_(chart) {}

  std::string Paint() {
    if (!FindRange()) return "";
    x_ = MakeAxis(chart_.x, least_.x, most_.x);
    y_ = MakeAxis(chart_.y, least_.y, most_.y);
    left_ = 16;
    for (const std::string& label : y_.labels) left_ = std::max(left_, TextWidth(label, kSvgFont) + 14);
    right_ = kWidth - kRight;
    std::string legend = Legend();  // says how much room it takes
    bottom_ = top_ + kPlotHeight;
    svg_ = SvgOpen(chart_.label, kWidth, bottom_ + kBottom) + legend;
    PaintAxes();
    for (size_t i = 0; i < chart_.series.size(); ++i) PaintSeries(i);
    return svg_ + "</svg>\n";
  }

 private:
  // Ends that come from the data are set in a little, so that marks do not lie on the axis.
  double X(double value) const {
    const double inset = std::isfinite(chart_.x.low) ? 0 : kInset;
    return x_.Place(value, left_ + inset, right_ - inset);
  }
  double Y(double value) const { return y_.Place(std::clamp(value, y_.low, y_.high), bottom_, top_); }

  bool FindRange() {
    bool any = false;
    const auto include = [&](double x, double y) {
      if (!std::isfinite(x) || !std::isfinite(y)) return;
      least_ = any ? ChartPoint{std::min(least_.x, x), std::min(least_.y, y)} : ChartPoint{x, y};
      most_ = any ? ChartPoint{std::max(most_.x, x), std::max(most_.y, y)} : ChartPoint{x, y};
      any = true;
    };
    for (const ChartSeries& series : chart_.series) {
      for (size_t i = 0; i < series.points.size(); ++i) {
        include(series.points[i].x, series.points[i].y);
        if (!IsFinite(series.points[i]) || i >= series.intervals.size()) continue;
        include(series.points[i].x, series.intervals[i].first);
        include(series.points[i].x, series.intervals[i].second);
      }
    }
    if (any && std::isfinite(chart_.level)) include(least_.x, chart_.level);
    return any;
  }

  // Samples of the series with their names, in as many lines as they need; none for a single one.
  std::string Legend() {
    top_ = kTop;
    if (chart_.series.size() < 2) return "";
    std::string text;
    double x = 4, y = 14;
    for (size_t i = 0; i < chart_.series.size(); ++i) {
      const std::string name = FitName(chart_.series[i].name, kWidth - kSample - 24, kSvgFont);
      const double width = kSample + 8 + TextWidth(name, kSvgFont) + 14;
      if (x > 4 && x + width > kWidth) {
        x = 4;
        y += kLegendLine;
      }
      text += fmt::format("<path class=\"{}\" d=\"M{} {}h{}\"/>\n", LineClass(i), SvgNumber(x), SvgNumber(y - 4),
                          SvgNumber(kSample));
      text += Marker(i, x + kSample / 2, y - 4, "");
      text += SvgText(x + kSample + 6, y, name, "key");
      x += width;
    }
    top_ = y + kTop + 4;
    return text;
  }

  void PaintAxes() {
    double last_end = -1e9;
    for (size_t i = 0; i < x_.ticks.size(); ++i) {
      const double x = X(x_.ticks[i]), half = TextWidth(x_.labels[i], kSvgFont) / 2;
      svg_ +=
          fmt::format("<path class=\"grid\" d=\"M{} {}V{}\"/>\n", SvgNumber(x), SvgNumber(top_), SvgNumber(bottom_));
      if (x - half < last_end + 4) continue;
      last_end = x + half;
      svg_ += SvgText(std::min(x, kWidth - half), bottom_ + 18, x_.labels[i], "tick middle");
    }
    for (size_t i = 0; i < y_.ticks.size(); ++i) {
      const double y = Y(y_.ticks[i]);
      svg_ +=
          fmt::format("<path class=\"grid\" d=\"M{} {}H{}\"/>\n", SvgNumber(left_), SvgNumber(y), SvgNumber(right_));
      svg_ += SvgText(left_ - 7, y + 4.5, y_.labels[i], "tick end");
    }
    svg_ += fmt::format("<path class=\"axis\" d=\"M{0} {1}V{2}H{3}\"/>\n", SvgNumber(left_), SvgNumber(top_),
                        SvgNumber(bottom_), SvgNumber(right_));
    svg_ += SvgText((left_ + right_) / 2, bottom_ + 40, chart_.x.title, "axis-title middle");
    svg_ += SvgText(0, top_ - 13, chart_.y.title, "axis-title");
    if (chart_.diagonal) {
      const double low = std::max(x_.low, y_.low), high = std::min(x_.high, y_.high);
      if (low < high) Reference(X(low), Y(low), X(high), Y(high));
    }
    if (std::isfinite(chart_.level)) Reference(left_, Y(chart_.level), right_, Y(chart_.level));
  }

  void Reference(double x1, double y1, double x2, double y2) {
    svg_ += fmt::format("<path class=\"reference\" d=\"M{} {}L{} {}\"/>\n", SvgNumber(x1), SvgNumber(y1), SvgNumber(x2),
                        SvgNumber(y2));
  }

  void PaintSeries(size_t index) {
    const ChartSeries& series = chart_.series[index];
    const std::vector<ChartPoint>& points = series.points;
    std::string path, marks;
    bool open = false;  // whether the pen is down
    const size_t every = points.size() <= kAllMarkers ? 1 : (points.size() + kSomeMarkers - 1) / kSomeMarkers;
    const bool marked = points.size() <= kAllMarkers || chart_.series.size() > 1;
    for (size_t i = 0; i < points.size(); ++i) {
      if (!IsFinite(points[i])) {
        open = false;
        continue;
      }
      const double x = X(points[i].x), y = Y(points[i].y);
      path += fmt::format("{}{} {}", open ? "L" : "M", SvgNumber(x), SvgNumber(y));
      const bool alone = !open && (i + 1 == points.size() || !IsFinite(points[i + 1]));
      open = true;
      if (i < series.intervals.size()) marks += IntervalBar(index, x, series.intervals[i]);
      if (!alone && (!marked || i % every != 0)) continue;
      marks += Marker(index, x, y,
                      fmt::format("{}: {}, {}", series.name, FormatNumber(points[i].x), FormatNumber(points[i].y)));
    }
    if (!path.empty()) svg_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", LineClass(index), path);
    svg_ += marks;
  }

  std::string IntervalBar(size_t index, double x, const std::pair<double, double>& interval) const {
    if (!std::isfinite(interval.first) || !std::isfinite(interval.second)) return "";
    const std::string left = SvgNumber(x - 3), low = SvgNumber(Y(interval.first)), high = SvgNumber(Y(interval.second));
    return fmt::format("<path class=\"interval c{}\" d=\"M{} {}V{}M{} {}h6M{} {}h6\"/>\n", index % kColours,
                       SvgNumber(x), low, high, left, low, left, high);
  }

  const LineChart& chart_;
  std::string svg_;
  Axis x_, y_;
  ChartPoint least_, most_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
};

}  // namespace

std::string DrawLineChart(const LineChart& chart) { return Painter(chart).Paint(); }

}  // namespace manygate
