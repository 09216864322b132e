// SPDX-License-Identifier: Apache-2.0
// The top of the report: alarms, one tile per task, and every metric.
#include <fmt/format.h>

#include <cmath>

#include "manygate/base/text.h"
#include "manygate/report/axis.h"
#include "manygate/report/report_sections.h"
#include "manygate/report/text_table.h"

namespace manygate {
namespace {

std::string AlarmsHtml(const ReportData& data) {
  const HealthReport* health = LastHealth(data);
  if (health == nullptr || health->alarms.empty()) return "";
  std::string html = "<div class=\"alarms\" role=\"note\">\n<h2>Alarms</h2>\n<ul>\n";
  for (const std::string& alarm : health->alarms) html += fmt::format("<li>{}</li>\n", EscapeHtml(alarm));
  return html + "</ul>\n</div>\n";
}

// The task's first metric, large, and what it rests on.
std::string TileHtml(const TaskResult& result, const std::string& kind) {
  std::string html = fmt::format("<li class=\"tile\"><span class=\"name\">{}</span>", EscapeHtml(result.tower));
  if (!result.metrics.empty()) {
    const auto& [metric, value] = result.metrics.front();
    const auto [low, high] = result.Interval(metric);
    const std::string interval = FormatInterval(low, high), reason = result.Reason(metric);
    html += fmt::format(
        "<span class=\"value\">{}</span><span class=\"small\">{}{}</span>",
        std::isfinite(value) ? FormatNumber(value) : "n/a", EscapeHtml(MetricTitle(metric)),
        !interval.empty() ? fmt::format(", 95 % {}", interval) : (reason.empty() ? "" : EscapeHtml(": " + reason)));
  }
  std::string rows = fmt::format("{}, {} rows", kind, FormatCount(result.rows));
  if (result.positives >= 0) rows += fmt::format(", {} positive", FormatCount(result.positives));
  return html + fmt::format("<span class=\"small\">{}</span></li>\n", EscapeHtml(rows));
}

HtmlTable MetricsTable(const EvaluationResult& evaluation) {
  HtmlTable table{.label = "All metrics",
                  .columns = {"task", "metric", "value", "95 % interval", "rows", "positive", "without a label"},
                  .rows = {}};
  for (const TaskResult& task : evaluation.tasks) {
    for (const auto& [metric, value] : task.metrics) {
      const auto [low, high] = task.Interval(metric);
      table.rows.push_back({task.tower, MetricTitle(metric), FormatMetric(task, metric), FormatInterval(low, high),
                            FormatCount(task.rows), task.positives < 0 ? "" : FormatCount(task.positives),
                            FormatCount(task.missing)});
    }
  }
  return table;
}

// "trained on 149,642 rows: 4,678 steps, 4 epochs, 12.3 s"
std::string TrainingText(const ReportData& data) {
  std::string text = fmt::format("Trained on {} rows", FormatCount(data.training_rows));
  if (data.history.empty())
    return text + ". The model directory has no metrics.jsonl, so nothing is known of the course of the training.";
  const MetricsLine& last = data.history.back();
  text += fmt::format(": {} steps", FormatCount(last.step));
  if (std::isfinite(last.epoch))
    text += fmt::format(", {} {}", FormatPlace(last.epoch), last.epoch == 1 ? "epoch" : "epochs");
  if (std::isfinite(last.seconds)) text += fmt::format(", {}", FormatSeconds(last.seconds));
  if (std::isfinite(last.rows_per_second))
    text += fmt::format(", {} rows per second", FormatCount(std::llround(last.rows_per_second)));
  text += ".";
  if (data.members > 1)
    text += fmt::format(
        " An ensemble of {} networks, predictions averaged: the curves of the training and the gates are "
        "those of the first one.",
        data.members);
  return text;
}

}  // namespace

std::string HeadlineHtml(const ReportData& data) {
  std::string html = AlarmsHtml(data);
  html += fmt::format("<p>{}</p>\n<p>Evaluated on {}: {} rows.</p>\n", EscapeHtml(TrainingText(data)),
                      EscapeHtml(data.rows_name), FormatCount(data.evaluation.rows));
  for (const std::string& note : data.notes) html += fmt::format("<p class=\"muted\">{}</p>\n", EscapeHtml(note));
  html += "<ul class=\"tiles\">\n";
  for (size_t t = 0; t < data.evaluation.tasks.size(); ++t)
    html += TileHtml(data.evaluation.tasks[t], t < data.tasks.size() ? data.tasks[t].kind : "");
  html += "</ul>\n";
  return html + "<div class=\"card tall\">\n" + DrawTable(MetricsTable(data.evaluation)) + "</div>\n";
}

}  // namespace manygate
