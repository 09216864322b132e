// SPDX-License-Identifier: Apache-2.0
// A section per task: the course of its training, ROC, precision and recall, calibration.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/text.h"
#include "manygate/report/axis.h"
#include "manygate/report/line_chart.h"
#include "manygate/report/report_sections.h"

namespace manygate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kNoHistory[] = "The model directory has no metrics.jsonl with this task, so there is no curve.";

// Where the lines of metrics.jsonl stand on the x axis: by epoch, or by step in a file without epochs.
struct Course {
  AxisChoice axis;
  std::vector<double> at;  // by line
};

Course CourseOf(const ReportData& data) {
  Course course{.axis = {.title = "epoch", .whole = true}, .at = {}};
  for (const MetricsLine& evaluation : data.history) course.at.push_back(evaluation.epoch);
  if (std::any_of(course.at.begin(), course.at.end(), [](double epoch) { return !std::isfinite(epoch); })) {
    course.axis.title = "step";
    for (size_t i = 0; i < course.at.size(); ++i) course.at[i] = static_cast<double>(data.history[i].step);
  }
  for (const double at : course.at) course.axis.whole = course.axis.whole && at == std::round(at);
  return course;
}

double TrainLoss(const MetricsLine& line, const std::string& tower) {
  for (const auto& [name, loss] : line.train_losses)
    if (name == tower) return loss;
  return kNaN;
}

const TaskResult* ResultOf(const EvaluationResult& result, const std::string& tower) {
  for (const TaskResult& task : result.tasks)
    if (task.tower == tower) return &task;
  return nullptr;
}

double ValueOf(const TaskResult& task, const std::string& metric) {
  for (const auto& [name, value] : task.metrics)
    if (name == metric) return value;
  return kNaN;
}

std::string LossFigure(const ReportData& data, const ReportTask& task) {
  const Course course = CourseOf(data);
  ChartSeries series{.name = task.tower, .points = {}};
  HtmlTable table{
      .label = "Training loss of " + task.tower, .columns = {course.axis.title, "step", "loss"}, .rows = {}};
  for (size_t i = 0; i < data.history.size(); ++i) {
    const MetricsLine& line = data.history[i];
    const double loss = TrainLoss(line, task.tower);
    series.points.push_back({course.at[i], loss});
    table.rows.push_back({FormatPlace(course.at[i]), FormatCount(line.step), FormatNumber(loss)});
  }
  const std::string picture =
      DrawLineChart({.label = fmt::format("Training loss of {} by {}", task.tower, course.axis.title),
                     .x = course.axis,
                     .y = {.title = MetricTitle(task.loss)},
                     .series = {std::move(series)}});
  if (picture.empty()) table.rows.clear();
  return DrawFigure(
      {.title = "Training loss",
       .note = "Mean over the training rows since the evaluation before.",
       .picture = picture,
       .why_empty = data.history.empty() ? kNoHistory : "metrics.jsonl has no finite training loss of this task.",
       .table = std::move(table)});
}

std::string ValidationFigure(const ReportData& data, const ReportTask& task, const std::string& metric) {
  const Course course = CourseOf(data);
  ChartSeries series{.name = task.tower, .points = {}};
  const std::string title = MetricTitle(metric);
  HtmlTable table{.label = fmt::format("Validation {} of {}", title, task.tower),
                  .columns = {course.axis.title, "step", title, "95 % interval"},
                  .rows = {}};
  std::string reason = "metrics.jsonl has no such value";
  for (size_t i = 0; i < data.history.size(); ++i) {
    const TaskResult* result = ResultOf(data.history[i].result, task.tower);
    const double value = result == nullptr ? kNaN : ValueOf(*result, metric);
    const std::pair<double, double> interval = result == nullptr ? std::pair(kNaN, kNaN) : result->Interval(metric);
    if (result != nullptr && !result->Reason(metric).empty()) reason = result->Reason(metric);
    series.points.push_back({course.at[i], value});
    series.intervals.push_back(interval);
    table.rows.push_back({FormatPlace(course.at[i]), FormatCount(data.history[i].step), FormatNumber(value),
                          FormatInterval(interval.first, interval.second)});
  }
  const std::string picture =
      DrawLineChart({.label = fmt::format("Validation {} of {} by {}", title, task.tower, course.axis.title),
                     .x = course.axis,
                     .y = {.title = title},
                     .series = {std::move(series)}});
  if (picture.empty()) table.rows.clear();
  return DrawFigure(
      {.title = fmt::format("Validation: {}", title),
       .note = HigherIsBetter(metric) ? "Higher is better. Bars are 95 % intervals, where the metric has them."
                                      : "Bars are 95 % intervals, where the metric has them.",
       .picture = picture,
       .why_empty = data.history.empty() ? kNoHistory : fmt::format("There is no curve of {}: {}.", title, reason),
       .table = std::move(table)});
}

std::vector<ChartPoint> ToChart(const std::vector<CurvePoint>& curve) {
  std::vector<ChartPoint> points;
  for (const CurvePoint& point : curve) points.push_back({point.x, point.y});
  return points;
}

// Rows of a table of a curve: for each of `wanted`, the last point whose x is not beyond it, no point twice.
std::vector<std::vector<std::string>> CurveRows(const std::vector<CurvePoint>& curve, std::vector<double> wanted) {
  std::vector<std::vector<std::string>> rows;
  size_t last = curve.size();
  for (const double x : wanted) {
    size_t at = curve.size();
    for (size_t i = 0; i < curve.size() && curve[i].x <= x + 1e-12; ++i) at = i;
    if (at == curve.size() || at == last || !std::isfinite(curve[at].threshold)) continue;
    last = at;
    rows.push_back({FormatNumber(curve[at].threshold), FormatShare(curve[at].x), FormatShare(curve[at].y)});
  }
  return rows;
}

std::string RocFigure(const ReportTask& task) {
  const std::string picture = DrawLineChart({.label = "ROC curve of " + task.tower,
                                             .x = {.title = "false positive rate", .low = 0, .high = 1},
                                             .y = {.title = "true positive rate", .low = 0, .high = 1},
                                             .series = {{.name = task.tower, .points = ToChart(task.roc)}},
                                             .diagonal = true});
  return DrawFigure({.title = "ROC",
                     .note = "Of the negative rows (across) and of the positive rows (up), the share above each "
                             "threshold. Dotted: chance.",
                     .picture = picture,
                     .why_empty = fmt::format("There is no ROC curve: {}.", task.why_empty),
                     .table = {.label = "ROC of " + task.tower,
                               .columns = {"threshold", "false positive rate", "true positive rate"},
                               .rows = CurveRows(task.roc, {.001, .005, .01, .02, .05, .1, .2, .3, .5, .7, 1})}});
}

std::string PrecisionRecallFigure(const ReportTask& task) {
  const std::string picture = DrawLineChart({.label = "Precision over recall of " + task.tower,
                                             .x = {.title = "recall", .low = 0, .high = 1},
                                             .y = {.title = "precision", .low = 0, .high = 1},
                                             .series = {{.name = task.tower, .points = ToChart(task.precision_recall)}},
                                             .level = task.base_rate});
  return DrawFigure(
      {.title = "Precision and recall",
       .note = fmt::format(
           "Of the rows above a threshold, how many are positive; of the positive ones, how many are found. "
           "Dotted: {} of all rows are positive.",
           FormatShare(task.base_rate)),
       .picture = picture,
       .why_empty = fmt::format("There is no precision-recall curve: {}.", task.why_empty),
       .table = {.label = "Precision and recall of " + task.tower,
                 .columns = {"threshold", "recall", "precision"},
                 .rows = CurveRows(task.precision_recall, {.05, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1})}});
}

// The texts of the calibration figure, by the kind of the task.
struct CalibrationTexts {
  std::string title, note, prediction, observed;
};

CalibrationTexts CalibrationTextsOf(const std::string& kind) {
  if (kind == "binary")
    return {"Calibration",
            "Tenths of the rows by prediction. On the dotted line, predicted shares are the true ones; bars "
            "are 95 % intervals.",
            "mean prediction", "share positive"};
  if (kind == "multi-class")
    return {
        "Calibration of the likeliest class",
        "Tenths of the rows by the probability of their likeliest class. On the dotted line, it is right as often as "
        "it says; bars are 95 % intervals.",
        "mean probability", "share right"};
  return {"Predicted against observed",
          "Tenths of the rows by prediction. On the dotted line, predictions are right on average; bars are 95 % "
          "intervals.",
          "mean prediction", "mean label"};
}

std::string CalibrationFigure(const ReportTask& task) {
  const CalibrationTexts texts = CalibrationTextsOf(task.kind);
  ChartSeries series{.name = task.tower, .points = {}};
  HtmlTable table{.label = fmt::format("{} of {}", texts.title, task.tower),
                  .columns = {texts.prediction, texts.observed, "95 % interval", "rows"},
                  .rows = {}};
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const CalibrationBin& bin : task.calibration) {
    series.points.push_back({bin.mean_prediction, bin.mean_label});
    series.intervals.emplace_back(bin.low, bin.high);
    for (const double value : {bin.mean_prediction, bin.mean_label, bin.low, bin.high}) {
      if (!std::isfinite(value)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    table.rows.push_back({FormatNumber(bin.mean_prediction), FormatNumber(bin.mean_label),
                          FormatInterval(bin.low, bin.high), FormatCount(bin.rows)});
  }
  std::string picture;
  if (least <= most) {
    // Both axes alike, so that the diagonal is one.
    const bool share = task.kind == "binary" || task.kind == "multi-class";
    const Axis range = MakeAxis({.low = share ? 0.0 : kNaN}, least, most);
    picture = DrawLineChart({.label = fmt::format("{} of {}", texts.title, task.tower),
                             .x = {.title = texts.prediction, .low = range.low, .high = range.high},
                             .y = {.title = texts.observed, .low = range.low, .high = range.high},
                             .series = {std::move(series)},
                             .diagonal = true});
  }
  return DrawFigure({.title = texts.title,
                     .note = texts.note,
                     .picture = picture,
                     .why_empty = fmt::format("There is no calibration: {}.", task.why_empty),
                     .table = std::move(table)});
}

}  // namespace

std::vector<HtmlSection> TaskSections(const ReportData& data) {
  std::vector<HtmlSection> sections;
  for (size_t t = 0; t < data.tasks.size(); ++t) {
    const ReportTask& task = data.tasks[t];
    const TaskResult* result = ResultOf(data.evaluation, task.tower);
    std::string html = fmt::format("<p>A {} task on the label {}, trained with {}.</p>\n", EscapeHtml(task.kind),
                                   EscapeHtml(task.label), EscapeHtml(MetricTitle(task.loss)));
    html += LossFigure(data, task);
    if (result != nullptr && !result->metrics.empty())
      html += ValidationFigure(data, task, result->metrics.front().first);
    if (task.kind == "binary") html += RocFigure(task) + PrecisionRecallFigure(task);
    html += CalibrationFigure(task);
    sections.push_back({fmt::format("task-{}", t + 1), "Task " + task.tower, std::move(html)});
  }
  return sections;
}

}  // namespace manygate
