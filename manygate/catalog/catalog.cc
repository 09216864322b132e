// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/catalog.h"

#include <cmath>
#include <map>
#include <string>

#include "manygate/base/check.h"
#include "manygate/config/accessors.h"
#include "manygate/config/init_function.h"
#include "manygate/models/models.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/lookup_products.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

// TorchRec's default: uniform in ±1/√rows.
Initializer EmbeddingInitializer(const features::FeatureSchema& feature) {
  if (feature.has_init_fn()) {
    const auto parsed = config::ParseInitFunction(feature.init_fn());
    MG_CHECK(parsed.ok(), "init_fn {} passed validation", feature.init_fn());
    const bool uniform = parsed->kind == config::InitFunction::Kind::kUniform;
    return {uniform ? Initializer::Kind::kUniform : Initializer::Kind::kNormal, parsed->first, parsed->second};
  }
  const float bound = 1.f / std::sqrt(static_cast<float>(feature.vocabulary_size()));
  return {Initializer::Kind::kUniform, -bound, bound};
}

// The id that at least this share of the training rows has is worth being left out of sums (math/row_table.h).
constexpr double kDefaultShare = 0.3;

int32_t DefaultId(const features::FeatureSchema& feature, uint64_t training_rows) {
  uint64_t most = feature.training_count_size() > 0 ? feature.training_count(0) : 0;
  int32_t id = 0;  // learnt vocabularies are sorted by count
  for (int i = 1; i < feature.training_count_size(); ++i)
    if (feature.training_count(i) > most) most = feature.training_count(i), id = i;
  const bool has_bucket = feature.kind() == features::FeatureSchema::VOCABULARY && !feature.has_default_value();
  if (has_bucket && feature.missing_count() > most) {
    most = feature.missing_count();
    id = static_cast<int32_t>(feature.vocabulary_size()) - 1;
  }
  return static_cast<double>(most) >= kDefaultShare * static_cast<double>(training_rows) ? id : -1;
}

class InputBuilder {
 public:
  InputBuilder(Graph& graph, uint64_t training_rows) : graph_(graph), training_rows_(training_rows) {}

  Value Add(const features::FeatureSchema& feature) {
    switch (feature.encoding()) {
      case features::FeatureSchema::ONE_HOT:
        return OneHot(graph_, feature.name(), static_cast<int>(feature.id_slot()),
                      static_cast<int64_t>(feature.vocabulary_size()), DefaultId(feature, training_rows_));
      case features::FeatureSchema::EMBEDDING:
        return Lookup(graph_, feature.name(), static_cast<int>(feature.id_slot()), TableOf(feature));
      default: return Numbers(graph_, feature.name(), feature.number_offset(), feature.width());
    }
  }

 private:
  int TableOf(const features::FeatureSchema& feature) {
    const std::string& name = feature.embedding_name().empty() ? feature.name() : feature.embedding_name();
    const auto found = tables_.find(name);
    if (found != tables_.end()) return found->second;
    return tables_[name] = AddEmbedding(graph_, name, static_cast<int64_t>(feature.vocabulary_size()),
                                        feature.embedding_dim(), EmbeddingInitializer(feature));
  }

  Graph& graph_;
  const uint64_t training_rows_;
  std::map<std::string, int> tables_;  // embedding name -> table
};

const features::FeatureSchema& FindFeature(const features::Schema& schema, const std::string& name) {
  for (const auto& feature : schema.features())
    if (feature.name() == name) return feature;
  MG_CHECK(false, "feature {} passed validation but is not in the schema", name);
  return schema.features(0);
}

// Adjacent number features become one value, so that they are one product and not one each.
std::vector<Value> GroupInputs(Graph& graph, const config::FeatureGroupConfig& group,
                               const features::Schema& schema) {
  InputBuilder builder(graph, schema.training_rows());
  std::vector<Value> values;
  const features::FeatureSchema* last = nullptr;  // of the run of numbers that values.back() is
  int64_t first_offset = 0;
  for (const std::string& name : group.feature_names()) {
    const features::FeatureSchema& feature = FindFeature(schema, name);
    const bool numbers = feature.encoding() == features::FeatureSchema::NUMBERS;
    const bool joins = numbers && last != nullptr && last->number_offset() + last->width() == feature.number_offset();
    if (joins) {
      graph.nodes.pop_back();
      values.back() = Numbers(graph, "numbers", first_offset,
                              feature.number_offset() + feature.width() - first_offset);
    } else {
      values.push_back(builder.Add(feature));
      first_offset = feature.number_offset();
    }
    last = numbers ? &feature : nullptr;
  }
  return values;
}

// A tower starts from its label's base rate, so that the first steps are not spent on finding it.
void SetOutputBiases(Graph& graph, const config::Pipeline& pipeline, const features::Schema& schema) {
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config())) {
    for (const auto& label : schema.labels()) {
      if (label.name() != tower.label_name()) continue;
      for (Parameter& parameter : graph.parameters) {
        if (parameter.name == "towers." + tower.tower_name() + ".output.bias")
          parameter.initializer = {Initializer::Kind::kConstant, MakeLoss(tower.losses(0))->InitialBias(label.mean()),
                                   0};
      }
    }
  }
}

}  // namespace

void WireModel(Graph& graph, Value x, const config::ModelConfig& model) {
  switch (model.model_case()) {
    case config::ModelConfig::kSimpleMultiTask: return WireSimpleMultiTask(graph, x, model.simple_multi_task());
    case config::ModelConfig::kSharedBottom: return WireSharedBottom(graph, x, model.shared_bottom());
    case config::ModelConfig::kOmoe: return WireOmoe(graph, x, model.omoe());
    case config::ModelConfig::kMmoe: return WireMmoe(graph, x, model.mmoe());
    case config::ModelConfig::MODEL_NOT_SET: break;
  }
  MG_CHECK(false, "a configuration without a model passed validation: case {}", static_cast<int>(model.model_case()));
}

void RewriteGraph(Graph& graph) {
  MergeParallelProducts(graph);
  LookUpInsteadOfMultiply(graph);
}

Graph BuildGraph(const config::Pipeline& pipeline, const features::Schema& schema, GraphChoice choice) {
  Graph graph;
  const Value x = Concat(graph, "input", GroupInputs(graph, pipeline.model_config().feature_groups(0), schema));
  WireModel(graph, x, pipeline.model_config());
  SetOutputBiases(graph, pipeline, schema);
  if (choice.rewrite) RewriteGraph(graph);
  return graph;
}

std::unique_ptr<Loss> MakeLoss(const config::LossConfig& config) {
  switch (config.loss_case()) {
    case config::LossConfig::kL2Loss: return MakeL2Loss(config.l2_loss());
    default: return MakeBinaryCrossEntropy(config.binary_cross_entropy());
  }
}

std::unique_ptr<Metric> MakeMetric(const config::MetricConfig& config) {
  switch (config.metric_case()) {
    case config::MetricConfig::kAccuracy: return MakeAccuracy(config.accuracy());
    case config::MetricConfig::kMeanAbsoluteError: return MakeMeanAbsoluteError(config.mean_absolute_error());
    case config::MetricConfig::kMeanSquaredError: return MakeMeanSquaredError(config.mean_squared_error());
    case config::MetricConfig::kLogLoss: return MakeLogLoss(config.log_loss());
    case config::MetricConfig::kCalibration: return MakeCalibration(config.calibration());
    case config::MetricConfig::kRootMeanSquaredError:
      return MakeRootMeanSquaredError(config.root_mean_squared_error());
    default: return MakeAuc(config.auc());
  }
}

std::unique_ptr<Optimizer> MakeOptimizer(const config::Optimizer& config) {
  switch (config.optimizer_case()) {
    case config::Optimizer::kSgdOptimizer: return MakeSgd(config.sgd_optimizer());
    case config::Optimizer::kAdagradOptimizer: return MakeAdagrad(config.adagrad_optimizer());
    case config::Optimizer::kAdamwOptimizer: return MakeAdamW(config.adamw_optimizer());
    default: return MakeAdam(config.adam_optimizer());
  }
}

std::vector<TaskMetrics> MakeTaskMetrics(const config::ModelConfig& model) {
  std::vector<TaskMetrics> tasks;
  for (const config::TaskTower& tower : config::TaskTowers(model)) {
    std::vector<std::unique_ptr<Metric>> metrics;
    for (const config::MetricConfig& metric : tower.metrics()) metrics.push_back(MakeMetric(metric));
    tasks.emplace_back(tower.tower_name(), std::move(metrics));
  }
  return tasks;
}

}  // namespace manygate
