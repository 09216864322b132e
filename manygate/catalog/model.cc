// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/base/safetensors.h"
#include "manygate/base/version.h"
#include "manygate/config/accessors.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/features/schema.h"

namespace manygate {
namespace {

std::vector<std::string> ModelFiles() { return {kConfigFileName, features::kSchemaFileName, kWeightsFileName}; }

// Features and labels that the configuration names must be in the schema: both files are the user's to damage.
Status CheckSchemaFits(const config::Pipeline& pipeline, const features::Schema& schema, const std::string& dir) {
  const auto missing = [&](const char* what, const std::string& name) {
    return InvalidInput(fmt::format("{}: {} \"{}\" of {} is missing. Both files must come from one training.",
                                    JoinPath(dir, features::kSchemaFileName), what, name, kConfigFileName));
  };
  for (const auto& group : pipeline.model_config().feature_groups()) {
    for (const std::string& name : group.feature_names()) {
      bool found = false;
      for (const auto& feature : schema.features()) found |= feature.name() == name;
      if (!found) return missing("feature", name);
    }
  }
  for (const auto& tower : config::TaskTowers(pipeline.model_config())) {
    if (FindLabel(schema, tower.label_name()) < 0) return missing("label", tower.label_name());
    if (tower.has_task_space_indicator_label() && FindLabel(schema, tower.task_space_indicator_label()) < 0)
      return missing("label", tower.task_space_indicator_label());
  }
  return OkStatus();
}

// Ids of an embedded feature that no training row has.
std::vector<int64_t> UnseenIds(const features::FeatureSchema& feature) {
  std::vector<int64_t> unseen;
  if (!feature.value_id().empty()) return unseen;  // several values may have one id
  for (int i = 0; i < feature.training_count_size(); ++i)
    if (feature.training_count(i) == 0) unseen.push_back(i);
  const auto size = static_cast<int64_t>(feature.vocabulary_size());
  const bool has_missing = !feature.has_default_value() && !feature.has_default_number();
  if (has_missing && feature.missing_count() == 0) unseen.push_back(size - 1);
  if (feature.unknown_count() > 0 || feature.has_default_id()) return unseen;
  if (feature.kind() == features::FeatureSchema::VOCABULARY) unseen.push_back(feature.value_size());
  if (feature.kind() == features::FeatureSchema::BUCKETS) unseen.push_back(static_cast<int64_t>(feature.num_buckets()));
  return unseen;
}

// What training never reaches would keep its random start and be noise where such a value turns up later; 0 says nothing.
void ClearUnseenRows(const features::Schema& schema, Model& model) {
  for (const features::FeatureSchema& feature : schema.features()) {
    if (feature.encoding() != features::FeatureSchema::EMBEDDING) continue;
    const std::vector<int64_t> unseen = UnseenIds(feature);
    const std::string& table = feature.embedding_name().empty() ? feature.name() : feature.embedding_name();
    for (size_t i = 0; i < model.graph.parameters.size() && !unseen.empty(); ++i) {
      if (model.graph.parameters[i].name != "embeddings." + table + ".weight") continue;
      std::vector<float> values = model.store->Read(static_cast<int>(i));
      for (const int64_t id : unseen)
        std::fill_n(values.begin() + id * feature.embedding_dim(), feature.embedding_dim(), 0.f);
      model.store->Write(static_cast<int>(i), values);
    }
  }
}

}  // namespace

std::unique_ptr<Model> MakeModel(const config::Pipeline& pipeline, const features::Schema& schema, Purpose purpose,
                                 StateCounts states) {
  auto model = std::make_unique<Model>();
  model->pipeline = pipeline;
  model->schema = schema;
  model->graph = BuildGraph(pipeline, schema, {.purpose = purpose});
  model->store = std::make_unique<ParameterStore>(model->graph, states);
  model->store->Initialize(pipeline.train_config().seed());
  ClearUnseenRows(schema, *model);
  model->tasks = MakeTasks(pipeline, schema);
  return model;
}

Status SaveWeights(const Model& model, const std::string& path) {
  std::vector<TensorEntry> entries;
  for (size_t i = 0; i < model.graph.parameters.size(); ++i) {
    const Parameter& parameter = model.graph.parameters[i];
    entries.push_back({parameter.name, parameter.shape, model.store->Read(static_cast<int>(i))});
  }
  return WriteSafetensors(path, entries, {{"format", "manygate"}, {"program_version", kProgramVersion}});
}

Status LoadWeights(const std::string& path, Model& model) {
  MG_ASSIGN_OR_RETURN(std::vector<TensorEntry> entries, ReadSafetensors(path));
  std::map<std::string, const TensorEntry*> by_name;
  for (const TensorEntry& entry : entries) by_name[entry.name] = &entry;
  std::string problems;
  const auto problem = [&](const std::string& text) {
    problems += fmt::format("{}{}: {}", problems.empty() ? "" : "\n", path, text);
  };
  for (size_t i = 0; i < model.graph.parameters.size(); ++i) {
    const Parameter& parameter = model.graph.parameters[i];
    const auto found = by_name.find(parameter.name);
    if (found == by_name.end()) {
      problem(fmt::format("parameter \"{}\" is missing; {} says that it has shape [{}]", parameter.name,
                          kConfigFileName, fmt::join(parameter.shape, ", ")));
      continue;
    }
    const TensorEntry& entry = *found->second;
    by_name.erase(found);
    if (entry.shape != parameter.shape) {
      problem(fmt::format("parameter \"{}\" has shape [{}], {} expects [{}]", parameter.name,
                          fmt::join(entry.shape, ", "), kConfigFileName, fmt::join(parameter.shape, ", ")));
      continue;
    }
    for (const float value : entry.values) {
      if (!std::isfinite(value)) {
        problem(fmt::format("parameter \"{}\" holds {}; every weight must be a finite number", parameter.name, value));
        break;
      }
    }
    model.store->Write(static_cast<int>(i), entry.values);
  }
  for (const auto& [name, entry] : by_name) problem(fmt::format("parameter \"{}\" is not part of this model", name));
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

Status SaveModel(const Model& model, const std::string& dir) {
  MG_RETURN_IF_ERROR(MakeDirectories(dir));
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(dir, kConfigFileName), config::PrintPipeline(model.pipeline)));
  MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(dir, features::kSchemaFileName), features::SchemaToText(model.schema)));
  MG_RETURN_IF_ERROR(SaveWeights(model, JoinPath(dir, kWeightsFileName)));
  return WriteManifest(dir, kModelFormatVersion, kProgramVersion, ModelFiles());
}

StatusOr<std::unique_ptr<Model>> LoadModel(const std::string& dir) {
  MG_RETURN_IF_ERROR(VerifyManifest(dir, kModelFormatVersion));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> listed, ManifestFiles(dir, kModelFormatVersion));
  for (const std::string& file : ModelFiles()) {
    if (std::find(listed.begin(), listed.end(), file) == listed.end())
      return InvalidInput(fmt::format("{}: \"{}\" is not listed; a model needs {}", JoinPath(dir, kManifestName), file,
                                      fmt::join(ModelFiles(), ", ")));
  }
  const std::string config_path = JoinPath(dir, kConfigFileName);
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline loaded, config::LoadPipeline(config_path));
  MG_RETURN_IF_ERROR(config::ValidatePipeline(loaded));
  config::ResolveDefaults(&loaded.pipeline);
  const std::string schema_path = JoinPath(dir, features::kSchemaFileName);
  MG_ASSIGN_OR_RETURN(std::string schema_text, ReadFile(schema_path));
  MG_ASSIGN_OR_RETURN(features::Schema schema, features::SchemaFromText(schema_text, schema_path));
  MG_RETURN_IF_ERROR(CheckSchemaFits(loaded.pipeline, schema, dir));
  std::unique_ptr<Model> model = MakePredictionModel(loaded.pipeline, schema);
  MG_RETURN_IF_ERROR(LoadWeights(JoinPath(dir, kWeightsFileName), *model));
  return model;
}

}  // namespace manygate
