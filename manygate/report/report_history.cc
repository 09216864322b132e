// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl as the report reads it.
#include <limits>
#include <nlohmann/json.hpp>

#include "manygate/base/text.h"
#include "manygate/report/report_page.h"

namespace manygate {
namespace {

double NumberOf(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<MetricsLine> HistoryFromText(std::string_view metrics_jsonl) {
  std::vector<MetricsLine> history;
  for (const std::string& text : Split(metrics_jsonl, '\n')) {
    const auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    const auto step = json.find("step");
    if (step == json.end() || !step->is_number_integer()) continue;
    MetricsLine line;
    line.step = step->get<int64_t>();
    line.epoch = NumberOf(json, "epoch");
    line.seconds = NumberOf(json, "seconds");
    line.rows_per_second = NumberOf(json, "rows_per_second");
    line.result = EvaluationFromJson(text);
    if (const auto losses = json.find("train_loss"); losses != json.end() && losses->is_object())
      for (const auto& [tower, value] : losses->items())
        line.train_losses.emplace_back(tower, NumberOf(*losses, tower.c_str()));
    if (const auto health = json.find("health"); health != json.end() && health->is_object())
      line.health = HealthFromJson(health->dump());
    history.push_back(std::move(line));
  }
  return history;
}

}  // namespace manygate
