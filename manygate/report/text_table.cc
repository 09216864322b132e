// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "manygate/base/check.h"
#include "manygate/base/text.h"

namespace manygate {
namespace {

// UTF-8 characters: all bytes but the continuation bytes 10xxxxxx.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void AppendCell(std::string_view text, size_t width, Align align, std::string* line) {
  const std::string blanks(width - Width(text), ' ');
  if (align == Align::kRight) *line += blanks;
  *line += text;
  if (align == Align::kLeft) *line += blanks;
}

bool HasMetric(const TaskResult& task, std::string_view metric) {
  return std::any_of(task.metrics.begin(), task.metrics.end(),
                     [&](const auto& entry) { return entry.first == metric; });
}

// In the order in which they first appear.
std::vector<std::string> MetricsOf(const std::vector<TaskResult>& tasks) {
  std::vector<std::string> names;
  for (const TaskResult& task : tasks)
    for (const auto& [name, value] : task.metrics)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

const TaskResult* FindTask(const EvaluationResult& result, std::string_view tower) {
  for (const TaskResult& task : result.tasks)
    if (task.tower == tower) return &task;
  return nullptr;
}

double ValueOf(const EvaluationResult& result, std::string_view tower, std::string_view metric) {
  return result.Find(fmt::format("{}_{}", metric, tower));
}

// Five decimals; large numbers (amounts, squared errors) seven digits, at least all those before the point.
std::string FormatNumber(double value) {
  const double size = std::fabs(value);
  const int decimals = size < 100.0 || !std::isfinite(size) ? 5 : std::max(0, 6 - static_cast<int>(std::log10(size)));
  return fmt::format("{:.{}f}", value, decimals);
}

std::string Signed(double value) { return std::isnan(value) ? "n/a" : (value < 0 ? "" : "+") + FormatNumber(value); }

// "0.94730 ± 0.00021"; without the deviation for a single value.
std::string MeanAndDeviation(const TransferCell& cell) {
  if (std::isnan(cell.mean)) return "n/a";
  const size_t count = cell.values.size();
  if (count < 2) return FormatNumber(cell.mean);
  double squares = 0;
  for (const double value : cell.values) squares += (value - cell.mean) * (value - cell.mean);
  return fmt::format("{} ± {}", FormatNumber(cell.mean),
                     FormatNumber(std::sqrt(squares / static_cast<double>(count - 1))));
}

// As sentences name a metric.
std::string UnitName(const std::string& metric) {
  if (metric == "auc") return "AUC";
  if (metric == "root_mean_squared_error") return "RMSE";
  return metric == "log_loss" ? "log loss" : metric;
}

// Two digits that count: "0.0022", "1300".
std::string RoundedSize(double value) {
  const double size = std::fabs(value);
  return size >= 10 ? fmt::format("{:.0f}", size) : fmt::format("{:.2g}", size);
}

std::string TransferSentence(const TransferTask& task) {
  std::vector<std::string> parts;
  for (const TransferCell& cell : task.cells) {
    if (cell.model == "alone" || cell.model == "gbdt") continue;
    std::string part;
    if (std::isnan(cell.difference)) {
      part =
          fmt::format("cannot be compared with {}: its rows do not define the {}", cell.model, UnitName(task.metric));
    } else if (cell.verdict == Verdict::kNoDifference) {
      part = fmt::format("no difference with {}", cell.model);
    } else {
      part = fmt::format("{} {} {} from sharing with {}", VerdictName(cell.verdict), RoundedSize(cell.difference),
                         UnitName(task.metric), cell.model);
    }
    parts.insert(parts.begin(), part);  // the configured model comes last in the table, and first here
  }
  std::string sentence = task.tower + ":";
  for (size_t i = 0; i < parts.size(); ++i) sentence += (i == 0 ? " " : "; ") + parts[i];
  return sentence;
}

// The columns that the results of some tasks need after those that name them, and a task's cells in these columns.
class ResultColumns {
 public:
  explicit ResultColumns(const std::vector<TaskResult>& tasks) : metrics_(MetricsOf(tasks)) {
    for (const TaskResult& task : tasks) {
      any_positives_ = any_positives_ || task.positives >= 0;
      any_missing_ = any_missing_ || task.missing > 0;
      for (const auto& entry : task.intervals) with_interval_.insert(entry.first);
    }
  }

  std::vector<TableColumn> Titles(std::vector<TableColumn> columns) const {
    columns.push_back({"rows", Align::kRight});
    if (any_positives_) columns.push_back({"positives", Align::kRight});
    if (any_missing_) columns.push_back({"missing", Align::kRight});
    for (const std::string& metric : metrics_) {
      columns.push_back({metric, Align::kRight});
      if (with_interval_.contains(metric)) columns.push_back({metric + " 95 %", Align::kRight});
    }
    return columns;
  }

  std::vector<std::string> Cells(std::vector<std::string> cells, const TaskResult& task) const {
    cells.push_back(FormatCount(task.rows));
    if (any_positives_) cells.push_back(task.positives < 0 ? "" : FormatCount(task.positives));
    if (any_missing_) cells.push_back(FormatCount(task.missing));
    for (const std::string& metric : metrics_) {
      cells.push_back(FormatMetric(task, metric));
      if (!with_interval_.contains(metric)) continue;
      const auto [low, high] = task.Interval(metric);
      cells.push_back(std::isnan(low) ? "" : fmt::format("{:.4f}-{:.4f}", low, high));
    }
    return cells;
  }

 private:
  std::vector<std::string> metrics_;
  std::set<std::string> with_interval_;
  bool any_positives_ = false, any_missing_ = false;
};

}  // namespace

void TextTable::AddRow(std::vector<std::string> cells) {
  MG_CHECK(cells.size() == columns_.size(), "{} cells for {} columns", cells.size(), columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::ToString() const {
  std::vector<std::string> titles, rule;
  std::vector<size_t> widths;
  for (size_t column = 0; column < columns_.size(); ++column) {
    size_t width = Width(columns_[column].title);
    for (const auto& row : rows_) width = std::max(width, Width(row[column]));
    titles.push_back(columns_[column].title);
    rule.push_back(std::string(width, '-'));
    widths.push_back(width);
  }
  std::string table;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < cells.size(); ++column) {
      if (column > 0) line += "  ";
      AppendCell(cells[column], widths[column], columns_[column].align, &line);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  };
  append(titles);
  append(rule);
  for (const auto& row : rows_) append(row);
  return table;
}

std::string FormatMetric(const TaskResult& task, std::string_view metric) {
  for (const auto& [name, value] : task.metrics) {
    if (name != metric) continue;
    if (!std::isnan(value)) return FormatNumber(value);
    const std::string reason = task.Reason(metric);
    return reason.empty() ? "n/a" : fmt::format("n/a ({})", reason);
  }
  return "";
}

std::string EvaluationTable(const EvaluationResult& result) {
  const ResultColumns columns(result.tasks);
  TextTable table(columns.Titles({{"task"}}));
  for (const TaskResult& task : result.tasks) table.AddRow(columns.Cells({task.tower}, task));
  return table.ToString();
}

std::string SliceTable(const EvaluationResult& all, const ColumnSlices& slices) {
  std::vector<TaskResult> tasks = all.tasks;
  for (const auto& [value, result] : slices.values) tasks.insert(tasks.end(), result.tasks.begin(), result.tasks.end());
  const ResultColumns columns(tasks);
  TextTable table(columns.Titles({{slices.column}, {"task"}}));
  for (const auto& [value, result] : slices.values)
    for (const TaskResult& task : result.tasks) table.AddRow(columns.Cells({value, task.tower}, task));
  for (const TaskResult& task : all.tasks) table.AddRow(columns.Cells({"all", task.tower}, task));
  return table.ToString();
}

std::string ComparisonTable(const std::vector<std::pair<std::string, EvaluationResult>>& models) {
  std::vector<TableColumn> columns = {{"task"}, {"metric"}};
  std::vector<TaskResult> tasks;  // every tower of every model once, with all its metrics
  for (const auto& [name, result] : models) {
    columns.push_back({name, Align::kRight});
    for (const TaskResult& task : result.tasks) {
      auto known = std::find_if(tasks.begin(), tasks.end(), [&](const TaskResult& t) { return t.tower == task.tower; });
      if (known == tasks.end()) known = tasks.insert(tasks.end(), TaskResult{.tower = task.tower});
      for (const auto& entry : task.metrics)
        if (!HasMetric(*known, entry.first)) known->metrics.push_back(entry);
    }
  }
  const bool two = models.size() == 2;
  if (two) columns.push_back({"difference", Align::kRight});
  TextTable table(std::move(columns));
  for (const TaskResult& task : tasks) {
    for (const auto& entry : task.metrics) {
      const std::string& metric = entry.first;
      std::vector<std::string> cells = {task.tower, metric};
      for (const auto& [name, result] : models) {
        const TaskResult* of_model = FindTask(result, task.tower);
        const std::string value = of_model == nullptr ? "" : FormatMetric(*of_model, metric);
        cells.push_back(value.empty() ? "-" : value);
      }
      if (two) {
        const double difference =
            ValueOf(models[1].second, task.tower, metric) - ValueOf(models[0].second, task.tower, metric);
        cells.push_back(std::isnan(difference) ? "-" : (difference < 0 ? "" : "+") + FormatNumber(difference));
      }
      table.AddRow(std::move(cells));
    }
  }
  return table.ToString();
}

std::string TransferText(const TransferTable& table) {
  std::string text, sentences;
  for (const TransferTask& task : table.tasks) {
    TextTable rows({{"model"}, {"mean ± sd"}, {"difference to alone"}, {"verdict"}});
    for (const TransferCell& cell : task.cells) {
      const bool baseline = cell.model == "alone";
      const std::string difference = std::isnan(cell.difference) ? "n/a"
                                                                 : fmt::format("{} [{}, {}]", Signed(cell.difference),
                                                                               Signed(cell.low), Signed(cell.high));
      rows.AddRow({cell.model, MeanAndDeviation(cell), baseline ? "" : difference,
                   baseline || std::isnan(cell.difference) ? "" : VerdictName(cell.verdict)});
    }
    text += fmt::format("{}: {} on {} rows{}\n\n{}\n", task.tower, task.metric, FormatCount(task.rows),
                        task.higher_is_better ? "" : "; less is better, and differences are alone - model",
                        rows.ToString());
    sentences += TransferSentence(task) + "\n";
  }
  return text + sentences;
}

}  // namespace manygate
