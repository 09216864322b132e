// SPDX-License-Identifier: Apache-2.0
// What the model was made from: columns and labels, its drawing, the configuration.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/text.h"
#include "manygate/report/axis.h"
#include "manygate/report/bar_chart.h"
#include "manygate/report/report_sections.h"

namespace manygate {
namespace {

constexpr size_t kMostBars = 15;

double MissingShare(const ReportColumn& column, int64_t rows) {
  if (column.missing_rows < 0 || rows <= 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(column.missing_rows) / static_cast<double>(rows);
}

// The columns with the most missing values, as bars.
std::string MissingFigure(const ReportData& data) {
  std::vector<std::pair<double, const ReportColumn*>> missing;
  for (const ReportColumn& column : data.columns)
    if (column.missing_rows > 0) missing.emplace_back(MissingShare(column, data.training_rows), &column);
  std::stable_sort(missing.begin(), missing.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  BarChart chart{.label = "Missing values by column", .bars = {}, .most = 1};
  HtmlTable table{.label = chart.label, .columns = {"column", "missing rows", "share"}, .rows = {}};
  for (const auto& [share, column] : missing) {
    if (chart.bars.size() < kMostBars) chart.bars.push_back({column->name, share, FormatShare(share)});
    table.rows.push_back({column->name, FormatCount(column->missing_rows), FormatShare(share)});
  }
  return DrawFigure(
      {.title = "Missing values",
       .note = missing.size() > kMostBars
                   ? fmt::format("Of the training rows. The picture has the {} columns with the most.", kMostBars)
                   : "Of the training rows.",
       .picture = DrawBars(chart),
       .why_empty = "No column misses a value in the training rows, as far as the fitted columns tell.",
       .table = std::move(table)});
}

HtmlSection DataSection(const ReportData& data) {
  HtmlTable labels{
      .label = "Labels", .columns = {"label", "column", "kind", "rows", "in the training rows"}, .rows = {}};
  for (const ReportLabel& label : data.labels)
    labels.rows.push_back({label.name, label.column, label.kind, FormatCount(label.rows), label.statistics});
  HtmlTable columns{
      .label = "Columns", .columns = {"feature", "column", "kind", "input", "values", "missing"}, .rows = {}};
  for (const ReportColumn& column : data.columns) {
    columns.rows.push_back({column.name, column.column, column.kind, column.input,
                            column.values < 0 ? "" : FormatCount(column.values),
                            column.missing_rows < 0 ? "" : FormatShare(MissingShare(column, data.training_rows))});
  }
  return {"data", "Data",
          fmt::format("<p>{} training rows, {} features, {} {}.</p>\n", FormatCount(data.training_rows),
                      FormatCount(static_cast<int64_t>(data.columns.size())), data.labels.size(),
                      data.labels.size() == 1 ? "label" : "labels") +
              "<div class=\"card\"><h3>Labels</h3>\n" + DrawTable(labels) + "</div>\n" + MissingFigure(data) +
              "<div class=\"card\"><h3>Features</h3>\n" + DrawTable(columns) + "</div>\n"};
}

HtmlSection DrawingSection(const ReportData& data) {
  HtmlTable table{.label = "Parts of the model", .columns = {"part", "what it is", "reads"}, .rows = {}};
  for (const DiagramBox& box : data.diagram.boxes) {
    std::string details, inputs;
    for (const std::string& line : box.details) details += (details.empty() ? "" : ", ") + line;
    for (const int input : box.inputs) inputs += (inputs.empty() ? "" : ", ") + data.diagram.boxes[input].title;
    table.rows.push_back({box.title, details, inputs});
  }
  return {"model", "The model",
          DrawFigure({.title = "Drawing",
                      .note = "From the features to the predictions; the numbers are widths of layers.",
                      .picture = DrawDiagram(data.diagram),
                      .why_empty = "There is nothing to draw.",
                      .table = std::move(table),
                      .wide = true})};
}

}  // namespace

std::vector<HtmlSection> ModelSections(const ReportData& data) {
  return {DataSection(data),
          DrawingSection(data),
          {"configuration", "Configuration",
           fmt::format("<p>As it was used, with every default written out; it can be trained again as it stands.</p>\n"
                       "<div class=\"card\"><pre tabindex=\"0\">{}</pre></div>\n",
                       EscapeHtml(data.configuration))}};
}

}  // namespace manygate
