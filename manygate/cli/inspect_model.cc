// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/inspect_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/config/accessors.h"
#include "manygate/features/describe.h"
#include "manygate/report/text_table.h"
#include "manygate/train/drawing.h"
#include "manygate/train/model_directory.h"

namespace manygate::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxParameterLines = 40;

double NumberOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

// The last whole line of metrics.jsonl; null when there is none. The file may have been cut or edited.
Json LastEvaluation(const std::string& dir) {
  const StatusOr<std::string> text = ReadFile(JoinPath(dir, kMetricsFileName));
  if (!text.ok()) return nullptr;
  const std::vector<std::string> lines = Split(*text, '\n');
  for (size_t i = lines.size(); i-- > 0;) {
    Json line = Json::parse(lines[i], nullptr, /*allow_exceptions=*/false);
    if (line.is_object() && line.contains("step")) return line;
  }
  return nullptr;
}

std::string TrainingText(const Json& line) {
  if (line.is_null()) return "training: no metrics.jsonl in the folder\n";
  std::string text = fmt::format("training: {} steps, {:.4g} epochs, {}, {} rows/s\n",
                                 FormatCount(static_cast<int64_t>(NumberOf(line, "step"))), NumberOf(line, "epoch"),
                                 FormatSeconds(NumberOf(line, "seconds")),
                                 FormatCount(static_cast<int64_t>(NumberOf(line, "rows_per_second"))));
  const EvaluationResult result = EvaluationFromJson(line.dump());
  if (!result.tasks.empty()) text += "its last evaluation, on the validation rows:\n\n" + EvaluationTable(result);
  return text;
}

std::string ParameterText(const Model& model) {
  TextTable table({{"parameter"}, {"shape", Align::kRight}, {"numbers", Align::kRight}});
  const std::vector<Parameter>& parameters = model.graph.parameters;
  int64_t all = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    all += parameters[i].size();
    if (i >= kMaxParameterLines) continue;
    table.AddRow({parameters[i].name, fmt::format("{}", fmt::join(parameters[i].shape, " x ")),
                  FormatCount(parameters[i].size())});
  }
  std::string text = table.ToString();
  if (parameters.size() > kMaxParameterLines)
    text += fmt::format("... and {} more\n", parameters.size() - kMaxParameterLines);
  return text + fmt::format("{} numbers in {} parameters, {}\n", FormatCount(all), parameters.size(),
                            FormatBytes(static_cast<uint64_t>(all) * sizeof(float)));
}

std::vector<std::string> Checkpoints(const std::string& dir) {
  const std::string folder = JoinPath(dir, "checkpoints");
  if (!FileExists(folder)) return {};
  const StatusOr<std::vector<std::string>> names = ListDirectory(folder);
  std::vector<std::string> checkpoints;
  if (names.ok()) {
    for (const std::string& name : *names)
      if (name.starts_with("step-") && !name.ends_with(".tmp")) checkpoints.push_back(name);
  }
  std::sort(checkpoints.begin(), checkpoints.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return checkpoints;
}

Json ToJson(const Model& model, const std::string& dir) {
  Json parameters = Json::array();
  for (const Parameter& parameter : model.graph.parameters)
    parameters.push_back({{"name", parameter.name}, {"shape", parameter.shape}});
  Json features = Json::array();
  for (const features::FeatureSchema& feature : model.schema.features()) {
    Json entry = {{"name", feature.name()}, {"column", feature.column()}};
    if (features::IsId(feature)) entry["values"] = feature.vocabulary_size();
    if (feature.num_values() > 1) entry["values_per_row"] = feature.num_values();
    features.push_back(std::move(entry));
  }
  Json labels = Json::array();
  for (const features::LabelSchema& label : model.schema.labels()) {
    labels.push_back({{"name", label.name()},
                      {"column", label.column()},
                      {"kind", label.kind() == features::LabelSchema::BINARY ? "binary" : "number"},
                      {"rows", label.rows()},
                      {"mean", label.mean()}});
  }
  Json towers = Json::array();
  for (const config::TaskTower& tower : config::TaskTowers(model.pipeline.model_config())) {
    towers.push_back(
        {{"name", config::TowerName(tower)}, {"label", tower.label_name()}, {"loss", config::LossName(tower)}});
  }
  return {{"kind", "model"},
          {"model", config::ModelName(model.pipeline.model_config())},
          {"num_parameters", model.graph.NumParameters()},
          {"towers", towers},
          {"features", features},
          {"labels", labels},
          {"parameters", parameters},
          {"last_evaluation", LastEvaluation(dir)},
          {"checkpoints", Checkpoints(dir)}};
}

}  // namespace

Status InspectModel(const std::string& dir, bool json, const Console& console) {
  MG_ASSIGN_OR_RETURN(const auto members, LoadMembers(dir));
  const Model& model = *members[0];
  // An ensemble's members differ in their weights only; the first one stands for all.
  const std::string member_dir = members.size() > 1 ? MemberDirectory(dir, 0) : dir;
  if (json) {
    Json object = ToJson(model, member_dir);
    object["members"] = members.size();
    console.out << object.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return OkStatus();
  }
  if (members.size() > 1)
    console.out << fmt::format("an ensemble of {} networks, predictions averaged; the first one:\n\n", members.size());
  console.out << DrawModel(model) << "\n" << TrainingText(LastEvaluation(member_dir)) << "\n";
  console.out << features::DescribeSchema(model.schema) << "\n" << ParameterText(model) << "\n";
  console.out << "plan of execution\n" << model.graph.Describe() << "\n";
  console.out << "checkpoints: " << JoinNames(Checkpoints(member_dir)) << "\n";
  return OkStatus();
}

}  // namespace manygate::cli
