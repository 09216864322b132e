// SPDX-License-Identifier: Apache-2.0
// What the model shares and whether it helps: gates, experts, gradients of the tasks, transfer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "manygate/base/text.h"
#include "manygate/report/axis.h"
#include "manygate/report/bar_chart.h"
#include "manygate/report/heat_map.h"
#include "manygate/report/interval_chart.h"
#include "manygate/report/line_chart.h"
#include "manygate/report/report_sections.h"

namespace manygate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostPairs = 6;      // lines of the picture of cosines
constexpr double kLeastCosine = 0.1;  // that its axis reaches to, so that next to nothing looks like it

// Gates that choose among the same experts, directly or through others; one heat map each.
struct GateGroup {
  std::vector<const GateHealth*> gates;
  std::vector<std::string> experts;  // all of theirs
};

std::vector<GateGroup> GroupGates(const std::vector<GateHealth>& gates) {
  std::vector<GateGroup> groups;
  for (const GateHealth& gate : gates) {
    GateGroup joined{.gates = {}, .experts = {}};
    std::vector<GateGroup> apart;
    for (GateGroup& group : groups) {
      const bool common = std::any_of(gate.experts.begin(), gate.experts.end(), [&](const std::string& expert) {
        return std::find(group.experts.begin(), group.experts.end(), expert) != group.experts.end();
      });
      if (!common) {
        apart.push_back(std::move(group));
        continue;
      }
      joined.gates.insert(joined.gates.end(), group.gates.begin(), group.gates.end());
      joined.experts.insert(joined.experts.end(), group.experts.begin(), group.experts.end());
    }
    joined.gates.push_back(&gate);
    for (const std::string& expert : gate.experts)
      if (std::find(joined.experts.begin(), joined.experts.end(), expert) == joined.experts.end())
        joined.experts.push_back(expert);
    apart.push_back(std::move(joined));
    groups = std::move(apart);
  }
  return groups;
}

// "gates.income" -> "income"
std::string ShortGate(const std::string& name) { return name.starts_with("gates.") ? name.substr(6) : name; }

// Names without what they all begin with up to a dot: "experts.0", "experts.1" -> "0", "1".
std::vector<std::string> WithoutCommonStart(std::vector<std::string> names) {
  if (names.empty()) return names;
  size_t common = names[0].rfind('.');
  common = common == std::string::npos ? 0 : common + 1;
  for (const std::string& name : names)
    while (common > 0 && name.compare(0, common, names[0], 0, common) != 0)
      common = common < 2 ? 0 : names[0].rfind('.', common - 2) + 1;
  for (std::string& name : names) name = name.substr(common);
  return names;
}

using GateValues = std::vector<double> GateHealth::*;

std::string GateFigure(const GateGroup& group, GateValues values, const std::string& title, const std::string& note) {
  HeatMap map{.label = title, .rows = {}, .columns = WithoutCommonStart(group.experts), .values = {}};
  HtmlTable table{.label = title, .columns = {"gate"}, .rows = {}};
  for (const std::string& expert : map.columns) table.columns.push_back("expert " + expert);
  table.columns.emplace_back("entropy");
  for (const GateHealth* gate : group.gates) {
    map.rows.push_back(ShortGate(gate->name));
    std::vector<double>& row = map.values.emplace_back(group.experts.size(), kNaN);
    for (size_t e = 0; e < std::min(gate->experts.size(), (gate->*values).size()); ++e)
      row[std::find(group.experts.begin(), group.experts.end(), gate->experts[e]) - group.experts.begin()] =
          (gate->*values)[e];
    std::vector<std::string> cells = {map.rows.back()};
    for (const double value : row) cells.push_back(std::isfinite(value) ? FormatShare(value) : "–");
    cells.push_back(FormatNumber(gate->entropy));
    table.rows.push_back(std::move(cells));
  }
  const bool wide = group.experts.size() > 5;
  return DrawFigure({.title = title,
                     .note = note,
                     .picture = DrawHeatMap(map),
                     .why_empty = "The gates have no finite weights.",
                     .table = std::move(table),
                     .wide = wide});
}

std::string BankFigures(const std::vector<BankHealth>& banks) {
  BarChart bars{.label = "Share of dead units by expert", .bars = {}, .most = 1};
  HtmlTable dead{.label = "Dead units", .columns = {"expert", "units", "dead"}, .rows = {}};
  for (const BankHealth& bank : banks) {
    for (size_t e = 0; e < bank.dead_units.size(); ++e) {
      const std::string name = fmt::format("{}.{}", bank.name, e);
      bars.bars.push_back({name, bank.dead_units[e], FormatShare(bank.dead_units[e])});
      dead.rows.push_back({name, FormatCount(bank.units), FormatShare(bank.dead_units[e])});
    }
  }
  std::string html =
      DrawFigure({.title = "Dead units",
                  .note = "Share of an expert's outputs that are the same for every row: they carry nothing.",
                  .picture = DrawBars(bars),
                  .why_empty = "Nothing is known of the experts' units.",
                  .table = std::move(dead)});
  for (const BankHealth& bank : banks) {
    if (bank.similarity.size() < 2) continue;
    HeatMap map{
        .label = bank.name == "experts" ? "Similarity of the experts" : "Similarity of the experts: " + bank.name,
        .rows = {},
        .columns = {},
        .values = bank.similarity};
    HtmlTable table{.label = map.label, .columns = {"expert"}, .rows = {}};
    for (size_t e = 0; e < bank.similarity.size(); ++e) {
      map.rows.push_back(std::to_string(e));
      table.columns.push_back("expert " + map.rows.back());
      std::vector<std::string> cells = {map.rows.back()};
      map.values[e].resize(bank.similarity.size(), kNaN);
      for (const double value : map.values[e]) cells.push_back(FormatNumber(value));
      table.rows.push_back(std::move(cells));
    }
    map.columns = map.rows;
    html += DrawFigure({.title = map.label,
                        .note = "Linear CKA of their outputs, in percent: near 100, two experts say the same.",
                        .picture = DrawHeatMap(map),
                        .why_empty = "The similarities are not finite.",
                        .table = std::move(table),
                        .wide = bank.similarity.size() > 5});
  }
  return html;
}

HtmlSection GateSection(const ReportData& data) {
  const HealthReport* health = LastHealth(data);
  HtmlSection section{"gates", "Gates and experts", ""};
  if (health == nullptr || (health->gates.empty() && health->banks.empty())) {
    section.html =
        fmt::format("<p class=\"empty\">{}</p>\n",
                    health != nullptr ? "This model has no gates and no experts."
                                      : "The training left no health of gates and experts in metrics.jsonl: the "
                                        "model has none, or train_config.health_rows is 0.");
    return section;
  }
  section.html =
      fmt::format("<p>Measured on {} rows in the last evaluation of the training.</p>\n", FormatCount(health->rows));
  const std::vector<GateGroup> groups = GroupGates(health->gates);
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::string of = groups.size() > 1 ? fmt::format(", gates {} of {}", g + 1, groups.size()) : "";
    section.html +=
        GateFigure(groups[g], &GateHealth::mean_weight, "Mean weight of each expert" + of,
                   "Percent; a row is a gate and sums to 100. Entropy 1: all experts alike; 0: one expert only.");
    section.html += GateFigure(groups[g], &GateHealth::top_share, "Use of the experts" + of,
                               "Percent of the rows for which the expert has the gate's largest weight.");
  }
  if (!health->banks.empty()) section.html += BankFigures(health->banks);
  return section;
}

std::string PairName(const TaskCosine& pair) { return pair.a + " and " + pair.b; }

// The pairs of the last evaluation that has cosines, the most opposed first.
std::vector<TaskCosine> LastCosines(const ReportData& data) {
  for (size_t i = data.history.size(); i-- > 0;) {
    std::vector<TaskCosine> cosines = data.history[i].health.cosines;
    if (cosines.empty()) continue;
    std::stable_sort(cosines.begin(), cosines.end(), [](const TaskCosine& a, const TaskCosine& b) {
      return std::isfinite(a.cosine) && (!std::isfinite(b.cosine) || a.cosine < b.cosine);
    });
    return cosines;
  }
  return {};
}

HtmlSection CosineSection(const ReportData& data) {
  HtmlSection section{"gradients", "Do the tasks agree?", ""};
  const std::vector<TaskCosine> pairs = LastCosines(data);
  std::vector<ChartSeries> series;
  bool by_epoch = true;
  for (const MetricsLine& evaluation : data.history) by_epoch = by_epoch && std::isfinite(evaluation.epoch);
  double most = kLeastCosine;
  HtmlTable table{.label = "Cosine of task gradients", .columns = {"tasks", "first", "last", "lowest"}, .rows = {}};
  for (const TaskCosine& pair : pairs) {
    ChartSeries line{.name = PairName(pair), .points = {}};
    double first = kNaN, lowest = kNaN;
    for (const MetricsLine& evaluation : data.history) {
      double cosine = kNaN;
      for (const TaskCosine& other : evaluation.health.cosines)
        if (other.a == pair.a && other.b == pair.b) cosine = other.cosine;
      if (std::isnan(first)) first = cosine;
      lowest = std::fmin(lowest, cosine);
      if (std::isfinite(cosine)) most = std::max(most, std::fabs(cosine));
      line.points.push_back({by_epoch ? evaluation.epoch : static_cast<double>(evaluation.step), cosine});
    }
    table.rows.push_back({line.name, FormatNumber(first), FormatNumber(pair.cosine), FormatNumber(lowest)});
    if (series.size() < kMostPairs) series.push_back(std::move(line));
  }
  const Axis range = MakeAxis({}, -most, most);  // 0 in the middle
  std::string note = "Of the gradients on the parameters that the tasks share. Below 0 they pull against each other.";
  if (pairs.size() > kMostPairs)
    note +=
        fmt::format(" The picture has the {} of {} pairs that were most opposed at last.", kMostPairs, pairs.size());
  section.html = DrawFigure({.title = "Cosine of task gradients",
                             .note = note,
                             .picture = DrawLineChart({.label = "Cosine of task gradients over the training",
                                                       .x = {.title = by_epoch ? "epoch" : "step"},
                                                       .y = {.title = "cosine", .low = range.low, .high = range.high},
                                                       .series = std::move(series),
                                                       .level = 0}),
                             .why_empty = data.tasks.size() < 2
                                              ? "There is one task only, so no other one to agree with."
                                              : "metrics.jsonl has no cosines of task gradients: the tasks share no "
                                                "parameters, or train_config.health_rows is 0.",
                             .table = std::move(table)});
  return section;
}

// Tasks of equal metric in one picture: their differences have one unit.
std::string TransferFigure(const TransferTable& transfer, const std::string& metric) {
  IntervalChart chart{.label = fmt::format("{} against each task alone", MetricTitle(metric)),
                      .axis_title = "better than alone by",
                      .intervals = {}};
  HtmlTable table{.label = chart.label,
                  .columns = {"task", "model", MetricTitle(metric), "sharing", "difference", "95 % interval"},
                  .rows = {}};
  for (const TransferTask& task : transfer.tasks) {
    if (task.metric != metric) continue;
    for (const TransferCell& cell : task.cells) {
      const bool alone = cell.model == "alone";
      const char* sign = cell.verdict == Verdict::kGains ? "▲ " : cell.verdict == Verdict::kLoses ? "▼ " : "";
      table.rows.push_back(
          {task.tower, cell.model, FormatNumber(cell.mean), alone ? "" : std::string(sign) + VerdictName(cell.verdict),
           alone ? "" : FormatDifference(cell.difference),
           alone ? "" : fmt::format("{} to {}", FormatDifference(cell.low), FormatDifference(cell.high))});
      if (!alone)
        chart.intervals.push_back(
            {fmt::format("{}: {}", task.tower, cell.model), cell.difference, cell.low, cell.high});
    }
  }
  return DrawFigure({.title = chart.label,
                     .note =
                         "Right of zero, the model is better than the task trained alone. Filled: the 95 % interval "
                         "does not hold zero.",
                     .picture = DrawIntervals(chart),
                     .why_empty = "No difference is a finite number.",
                     .table = std::move(table),
                     .wide = true});
}

HtmlSection TransferSection(const ReportData& data) {
  HtmlSection section{"transfer", "Does sharing help?", ""};
  if (!data.transfer.has_value() || data.transfer->tasks.empty()) {
    section.html =
        "<p class=\"empty\">Not measured: the model directory has no transfer.json. <code>manygate compare</code> "
        "trains each task alone on the same rows and writes it.</p>\n";
    return section;
  }
  section.html = fmt::format("<p>On {}, {} {}.</p>\n", EscapeHtml(data.transfer->rows_name),
                             data.transfer->seeds.size(), data.transfer->seeds.size() == 1 ? "seed" : "seeds");
  std::set<std::string> done;
  for (const TransferTask& task : data.transfer->tasks)
    if (done.insert(task.metric).second) section.html += TransferFigure(*data.transfer, task.metric);
  return section;
}

}  // namespace

std::vector<HtmlSection> SharingSections(const ReportData& data) {
  return {GateSection(data), CosineSection(data), TransferSection(data)};
}

}  // namespace manygate
