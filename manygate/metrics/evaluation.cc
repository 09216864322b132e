// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kMean = "mean_";
constexpr std::string_view kInterval = "_interval";
// As the metrics' own HigherIsBetter() says (metric_test.cc compares); here by name, for results without their metrics.
constexpr std::array<std::string_view, 10> kHigherIsBetter = {
    "auc",  "grouped_auc",  "multiclass_auc", "flattened_auc", "pr_auc",
    "xauc", "grouped_xauc", "accuracy",       "recall_at_k",   "r2"};

const double* FindMetric(const TaskResult& task, std::string_view metric) {
  for (const auto& [name, value] : task.metrics)
    if (name == metric) return &value;
  return nullptr;
}

// `name` without "mean_" where that leaves a metric that is not itself called so ("mean_squared_error").
std::string_view WithoutMean(std::string_view name) {
  const bool own_name = name.starts_with("mean_absolute_error") || name.starts_with("mean_squared_error");
  return name.starts_with(kMean) && !own_name ? name.substr(kMean.size()) : name;
}

// Whether `name` is the metric itself or "<metric>_<tower>".
bool IsOf(std::string_view name, std::string_view metric) {
  return name.starts_with(metric) && (name.size() == metric.size() || name[metric.size()] == '_');
}

// Towers without a value are left out, unless it is the model's fault that they have none.
double MeanOverTowers(const std::vector<TaskResult>& tasks, std::string_view metric) {
  double sum = 0.0;
  int towers = 0;
  for (const TaskResult& task : tasks) {
    const double* value = FindMetric(task, metric);
    if (value == nullptr) continue;
    if (task.Reason(metric) == kNotFinite) return kNone;
    if (std::isnan(*value)) continue;
    sum += *value;
    ++towers;
  }
  return towers > 0 ? sum / towers : kNone;
}

double NumberOf(const Json& value) { return value.is_number() ? value.get<double>() : kNone; }

int64_t CountOf(const Json& object, const char* name, int64_t otherwise) {
  const auto count = object.find(name);
  return count != object.end() && count->is_number_integer() ? count->get<int64_t>() : otherwise;
}

TaskResult TaskFromJson(const std::string& tower, const Json& values) {
  TaskResult task{.tower = tower};
  task.rows = CountOf(values, "rows", 0);
  task.positives = CountOf(values, "positives", -1);
  for (const auto& [name, value] : values.items()) {
    if (name == "rows" || name == "positives") continue;
    if (value.is_number() || value.is_null()) task.metrics.emplace_back(name, NumberOf(value));
    if (name.ends_with(kInterval) && value.is_array() && value.size() == 2)
      task.intervals.push_back(
          {name.substr(0, name.size() - kInterval.size()), {NumberOf(value[0]), NumberOf(value[1])}});
  }
  return task;
}

}  // namespace

std::string TaskResult::Reason(std::string_view metric) const {
  for (const auto& [name, reason] : reasons)
    if (name == metric) return reason;
  return "";
}

std::pair<double, double> TaskResult::Interval(std::string_view metric) const {
  for (const auto& [name, interval] : intervals)
    if (name == metric) return interval;
  return {kNone, kNone};
}

double EvaluationResult::Find(std::string_view name) const {
  if (name == "loss") return loss;
  for (const TaskResult& task : tasks) {
    const std::string suffix = "_" + task.tower;
    if (!name.ends_with(suffix)) continue;
    const double* value = FindMetric(task, name.substr(0, name.size() - suffix.size()));
    if (value != nullptr) return *value;
  }
  return name.starts_with(kMean) ? MeanOverTowers(tasks, name.substr(kMean.size())) : kNone;
}

std::vector<std::string> EvaluationResult::Names() const {
  std::vector<std::string> names = {"loss"}, means;
  for (const TaskResult& task : tasks) {
    for (const auto& [metric, value] : task.metrics) {
      names.push_back(fmt::format("{}_{}", metric, task.tower));
      const std::string mean = fmt::format("{}{}", kMean, metric);
      if (std::find(means.begin(), means.end(), mean) == means.end()) means.push_back(mean);
    }
  }
  names.insert(names.end(), means.begin(), means.end());
  return names;
}

bool HigherIsBetter(std::string_view name) {
  const std::string_view metric = WithoutMean(name);
  return std::any_of(kHigherIsBetter.begin(), kHigherIsBetter.end(),
                     [&](std::string_view higher) { return IsOf(metric, higher); });
}

bool IsBetter(std::string_view name, double candidate, double best, double min_delta) {
  if (std::isnan(candidate)) return false;
  if (std::isnan(best)) return true;
  if (IsOf(WithoutMean(name), "calibration")) return std::fabs(best - 1.0) - std::fabs(candidate - 1.0) > min_delta;
  return (HigherIsBetter(name) ? candidate - best : best - candidate) > min_delta;
}

std::string JsonNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ToJson(const TaskResult& task) {
  std::string json = "{";
  for (const auto& [name, value] : task.metrics) {
    json += fmt::format("{}: {}, ", JsonString(name), JsonNumber(value));
    const auto [low, high] = task.Interval(name);
    if (!std::isnan(low))
      json += fmt::format("{}: [{}, {}], ", JsonString(fmt::format("{}{}", name, kInterval)), JsonNumber(low),
                          JsonNumber(high));
  }
  json += fmt::format("\"rows\": {}", task.rows);
  if (task.positives >= 0) json += fmt::format(", \"positives\": {}", task.positives);
  return json + "}";
}

std::string ToJson(const EvaluationResult& result) {
  std::string json = fmt::format("{{\"rows\": {}, \"tasks\": {{", result.rows);
  const char* separator = "";
  for (const TaskResult& task : result.tasks) {
    json += fmt::format("{}{}: {}", separator, JsonString(task.tower), ToJson(task));
    separator = ", ";
  }
  return json + "}}";
}

std::string ToJson(const EvaluationResult& result, std::span<const ColumnSlices> by) {
  std::string json = ToJson(result);
  json.pop_back();
  json += ", \"by\": {";
  const char* column_separator = "";
  for (const ColumnSlices& slices : by) {
    json += fmt::format("{}{}: {{", column_separator, JsonString(slices.column));
    column_separator = ", ";
    const char* separator = "";
    for (const auto& [value, of_slice] : slices.values) {
      json += fmt::format("{}{}: {}", separator, JsonString(value), ToJson(of_slice));
      separator = ", ";
    }
    json += "}";
  }
  return json + "}}";
}

EvaluationResult EvaluationFromJson(std::string_view json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  EvaluationResult result;
  if (!object.is_object()) return result;
  result.rows = CountOf(object, "rows", 0);
  result.loss = object.contains("loss") ? NumberOf(object["loss"]) : 0.0;
  const auto tasks = object.find("tasks");
  if (tasks == object.end() || !tasks->is_object()) return result;
  for (const auto& [tower, values] : tasks->items())
    if (values.is_object()) result.tasks.push_back(TaskFromJson(tower, values));
  return result;
}

}  // namespace manygate
