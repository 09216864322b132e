// SPDX-License-Identifier: Apache-2.0
// What line_chart, heat_map, bar_chart and interval_chart draw, and that they draw no empty axis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>
#include <set>

#include "manygate/report/bar_chart.h"
#include "manygate/report/heat_map.h"
#include "manygate/report/interval_chart.h"
#include "manygate/report/line_chart.h"

namespace manygate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// The first group of every match.
std::vector<std::string> All(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.push_back((*it)[1]);
  return found;
}

LineChart Chart(std::vector<ChartPoint> points) {
  return {
      .label = "loss by epoch", .x = {.title = "epoch"}, .y = {.title = "loss"}, .series = {{"a", std::move(points)}}};
}

TEST(LineChart, PointsStandWhereTheAxesSay) {
  LineChart chart = Chart({{0, 0}, {1, 1}});
  chart.x.low = 0, chart.x.high = 2, chart.y.low = 0, chart.y.high = 1;
  const std::string svg = DrawLineChart(chart);
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-label=\"loss by epoch\""));
  const auto path = All(svg, "class=\"line c0 d0\" d=\"M([0-9.]+ [0-9.]+L[0-9.]+ [0-9.]+)\"");
  ASSERT_EQ(path.size(), 1u);
  double x0, y0, x1, y1;
  ASSERT_EQ(sscanf(path[0].c_str(), "%lf %lfL%lf %lf", &x0, &y0, &x1, &y1), 4);
  EXPECT_DOUBLE_EQ(y0 - y1, 216);  // the plot's height
  // The axis ends at twice the distance.
  const auto axis = All(svg, "class=\"axis\" d=\"M[0-9.]+ [0-9.]+V[0-9.]+H([0-9.]+)\"");
  ASSERT_EQ(axis.size(), 1u);
  EXPECT_NEAR(std::stod(axis[0]) - x0, 2 * (x1 - x0), 0.03);
}

TEST(LineChart, NothingFiniteDrawsNothing) {
  EXPECT_EQ(DrawLineChart(Chart({})), "");
  EXPECT_EQ(DrawLineChart(Chart({{1, kNaN}, {2, kInfinity}, {kNaN, 3}})), "");
  EXPECT_EQ(DrawLineChart({.label = "none", .series = {}}), "");
}

TEST(LineChart, OnePointIsSeen) {
  const std::string svg = DrawLineChart(Chart({{1, 0.25}}));
  EXPECT_EQ(Count(svg, "<circle"), 1);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, HasSubstr("a: 1, 0.2500"));
}

TEST(LineChart, NaNIsAGap) {
  const std::string svg = DrawLineChart(Chart({{1, 1}, {2, 2}, {3, kNaN}, {4, 4}, {5, 5}}));
  const auto paths = All(svg, "class=\"line c0 d0\" d=\"([^\"]*)\"");
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(Count(paths[0], "M"), 2);
  EXPECT_EQ(Count(paths[0], "L"), 2);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, APointBetweenGapsIsSeenAmongMany) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 200; ++i) points.push_back({static_cast<double>(i), i == 99 || i == 101 ? kNaN : 1.0 * i});
  EXPECT_EQ(Count(DrawLineChart(Chart(points)), "<circle"), 1);
}

TEST(LineChart, SeriesDifferWithoutColour) {
  LineChart chart = Chart({});
  chart.series.clear();
  for (int i = 0; i < 12; ++i) chart.series.push_back({"task" + std::to_string(i), {{0, 1.0 * i}, {1, 2.0 * i}}});
  const std::string svg = DrawLineChart(chart);
  std::set<std::string> looks;
  for (const std::string& look : All(svg, "class=\"line (c[0-9] d[0-9])\" d=\"M[0-9.]+ [0-9.]+L")) looks.insert(look);
  EXPECT_EQ(looks.size(), 12u);  // colour and dashes
  std::set<std::string> dashes;
  for (int i = 0; i < 5; ++i) dashes.insert(All(svg, "class=\"line c[0-9] (d[0-9])\" d=\"M[0-9.]+ [0-9.]+L").at(i));
  EXPECT_EQ(dashes.size(), 5u);
  // The legend: every name within the picture, no two on top of each other.
  const auto keys = All(svg, "<text x=\"([0-9.]+)\" y=\"[0-9.]+\" class=\"key\">");
  EXPECT_EQ(keys.size(), 12u);
  const auto places = All(svg, "<text (x=\"[0-9.]+\" y=\"[0-9.]+\") class=\"key\">");
  EXPECT_EQ(std::set<std::string>(places.begin(), places.end()).size(), 12u);
}

TEST(LineChart, LongNamesAreCutAndEscaped) {
  LineChart chart = Chart({{0, 1}});
  chart.label = "<script>\"&";
  chart.series = {{std::string(200, 'w'), {{0, 1}}}, {"<b>", {{0, 2}}}};
  const std::string svg = DrawLineChart(chart);
  EXPECT_THAT(svg, HasSubstr("aria-label=\"&lt;script&gt;&quot;&amp;\""));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("w…w"));
}

TEST(LineChart, IntervalsWidenTheAxis) {
  LineChart chart = Chart({{1, 5}, {2, 6}});
  chart.series[0].intervals = {{0, 10}, {kNaN, kNaN}};
  const std::string svg = DrawLineChart(chart);
  EXPECT_EQ(Count(svg, "class=\"interval"), 1);
  EXPECT_THAT(svg, HasSubstr(">10</text>"));
}

TEST(HeatMap, CellsSayTheirNumber) {
  const std::string svg = DrawHeatMap(
      {.label = "weights", .rows = {"income", "marital"}, .columns = {"0", "1"}, .values = {{0.04, 0.96}, {kNaN, 1}}});
  EXPECT_EQ(Count(svg, "<rect"), 4);
  EXPECT_THAT(svg, HasSubstr("class=\"cell-text h0\">4</text>"));
  EXPECT_THAT(svg, HasSubstr("class=\"cell-text h6\">96</text>"));
  EXPECT_THAT(svg, HasSubstr("class=\"cell-text h6\">100</text>"));
  EXPECT_THAT(svg, HasSubstr("class=\"cell-text none\">–</text>"));
  EXPECT_THAT(svg, HasSubstr("<title>income, 1: 96.0 %</title>"));
  EXPECT_EQ(DrawHeatMap({.label = "none", .rows = {"a"}, .columns = {"0"}, .values = {{kNaN}}}), "");
  EXPECT_EQ(DrawHeatMap({.label = "none", .rows = {}, .columns = {}, .values = {}}), "");
}

TEST(HeatMap, ThirtyExpertsAndTwelveTasksKeepReadableCells) {
  HeatMap map{.label = "weights", .rows = {}, .columns = {}, .values = {}};
  for (int e = 0; e < 30; ++e) map.columns.push_back("shared_expert." + std::to_string(e));
  for (int t = 0; t < 12; ++t) {
    map.rows.push_back("a_rather_long_task_name_" + std::to_string(t));
    map.values.emplace_back(30, 1.0 / 30);
  }
  const std::string svg = DrawHeatMap(map);
  EXPECT_THAT(svg, HasSubstr("class=\"chart wide\""));
  EXPECT_EQ(Count(svg, "rotate(-90)"), 30);
  EXPECT_EQ(Count(svg, "class=\"cell-text h0\">3</text>"), 360);
  const auto widths = All(svg, "class=\"cell h0\" x=\"[0-9.]+\" y=\"[0-9.]+\" width=\"([0-9.]+)\"");
  EXPECT_GE(std::stod(widths.at(0)), 30);
}

TEST(Bars, LengthsAreShares) {
  const std::string svg = DrawBars(
      {.label = "missing", .bars = {{"age", 0.5, "50 %"}, {"sex", 0.25, "25 %"}, {"x", kNaN, "n/a"}}, .most = 1});
  const auto widths = All(svg, "class=\"bar\" x=\"[0-9.]+\" y=\"[0-9.]+\" width=\"([0-9.]+)\"");
  ASSERT_EQ(widths.size(), 3u);
  EXPECT_NEAR(std::stod(widths[0]), 2 * std::stod(widths[1]), 0.02);
  EXPECT_THAT(svg, HasSubstr(">n/a</text>"));
  EXPECT_EQ(DrawBars({.label = "none", .bars = {}}), "");
  EXPECT_EQ(DrawBars({.label = "none", .bars = {{"a", kNaN, "n/a"}}}), "");
  EXPECT_THAT(DrawBars({.label = "zeros", .bars = {{"a", 0, "0 %"}}}), HasSubstr("0 %"));
}

TEST(Intervals, ThoseThatHoldZeroAreHollow) {
  const std::string svg = DrawIntervals({.label = "AUC against alone",
                                         .axis_title = "better by",
                                         .intervals = {{"income: mmoe", 0.002, 0.001, 0.003},
                                                       {"income: shared_bottom", 0, -0.001, 0.001},
                                                       {"marital: mmoe", kNaN, kNaN, kNaN}}});
  EXPECT_EQ(Count(svg, "class=\"mark c0\""), 1);
  EXPECT_EQ(Count(svg, "class=\"hollow c5\""), 1);
  EXPECT_THAT(svg, HasSubstr("income: mmoe: +0.00200"));
  EXPECT_THAT(svg, HasSubstr(">n/a</text>"));
  EXPECT_EQ(DrawIntervals({.label = "none", .axis_title = "x", .intervals = {{"a", kNaN, 0, 1}}}), "");
}

}  // namespace
}  // namespace manygate
