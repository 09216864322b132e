// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kMean = "mean_";

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

}  // namespace

std::string TaskResult::Reason(std::string_view metric) const {
  for (const auto& [name, reason] : reasons)
    if (name == metric) return reason;
  return "";
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
  return metric.starts_with("auc") || metric.starts_with("accuracy");
}

bool IsBetter(std::string_view name, double candidate, double best, double min_delta) {
  if (std::isnan(candidate)) return false;
  if (std::isnan(best)) return true;
  if (WithoutMean(name).starts_with("calibration"))
    return std::fabs(best - 1.0) - std::fabs(candidate - 1.0) > min_delta;
  return (HigherIsBetter(name) ? candidate - best : best - candidate) > min_delta;
}

std::string JsonNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string JsonString(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ToJson(const TaskResult& task) {
  std::string json = "{";
  for (const auto& [name, value] : task.metrics) json += fmt::format("{}: {}, ", JsonString(name), JsonNumber(value));
  return json + fmt::format("\"rows\": {}, \"positives\": {}}}", task.rows, task.positives);
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

}  // namespace manygate
