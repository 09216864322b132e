// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/infer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"

namespace manygate::cli {
namespace {

constexpr char kName[] = "<command line>";
constexpr int64_t kManyValues = 1000;  // from here on, values seen once share the unknown bucket
constexpr double kWideRange = 100;

void DescribeDialect(const SourceOptions& options, const InferredSchema& schema, config::DataConfig* data) {
  if (options.dataset_type != config::CsvDataset) {
    data->set_dataset_type(options.dataset_type);
    for (const std::string& text : options.missing_values) data->add_missing_values(text);
    if (options.dataset_type != config::FieldListDataset) return;
    data->set_delimiter(std::string(1, options.delimiter));
    for (const std::string& name : options.names) data->add_input_fields()->set_input_name(name);
    return;
  }
  data->set_delimiter(std::string(1, options.delimiter));
  data->set_with_header(options.with_header);
  data->set_trim_blanks(options.trim_blanks);
  if (options.skip_lines > 0) data->set_skip_lines(options.skip_lines);
  for (const std::string& text : options.missing_values) data->add_missing_values(text);
  if (options.with_header) return;
  for (const InferredColumn& column : schema.columns) data->add_input_fields()->set_input_name(column.name);
}

// How much a network may be given to fit, by the number of rows. From a study on Census-Income, Adult and Bank Marketing
// (docs/models/README.md): fine bins with large initial values pay on large data and overfit on small and noisy ones.
struct Recipe {
  uint32_t bins;    // of number columns, as ids beside the pieces; 0: none
  uint32_t pieces;  // of number columns, piecewise linear
  double init;      // deviation of embeddings and maps at the start
  uint32_t batch;
  uint32_t epochs;      // that are run
  float cosine_epochs;  // that the learning rate is planned for
};

constexpr int64_t kLargeRows = 100000;

Recipe RecipeFor(int64_t rows) {
  if (rows >= kLargeRows) return {512, 512, 0.5, 1024, 6, 8};
  // About 200 steps an epoch, and 1,600 steps in all.
  uint32_t batch = 32;
  while (batch < 256 && rows >= 2 * batch * 100) batch *= 2;
  const auto epochs =
      static_cast<uint32_t>(std::clamp<int64_t>((1600 * batch + rows - 1) / std::max<int64_t>(1, rows), 8, 40));
  return {0, 48, 0.05, batch, epochs, static_cast<float>(epochs)};
}

bool HasLogLoss(const InferredLabel& label) {
  return label.kind == config::TaskKind::kBinary || label.kind == config::TaskKind::kClasses;
}

void DescribeTraining(const Recipe& recipe, std::span<const InferredLabel> labels, config::Pipeline* pipeline) {
  // By log loss where there is one: the loss of an amount, which few rows have, is mostly noise beside it.
  const bool has_log_loss = std::any_of(labels.begin(), labels.end(), HasLogLoss);
  const bool has_numbers = !std::all_of(labels.begin(), labels.end(), HasLogLoss);
  config::TrainConfig* train = pipeline->mutable_train_config();
  config::AdamWOptimizer* adam = train->mutable_dense_optimizer()->mutable_adamw_optimizer();
  adam->set_lr(0.004f);
  adam->set_weight_decay(0.02f);
  config::CosineAnnealingLR* cosine = train->mutable_dense_optimizer()->mutable_cosine_annealing_learning_rate();
  cosine->set_epochs(recipe.cosine_epochs);
  cosine->set_warmup_share(0.1f);
  cosine->set_warmup_learning_rate(0.04f * adam->lr());
  train->mutable_ema();
  // A number far from its prediction has a gradient without limit: one batch of it could undo an epoch.
  if (has_numbers) train->mutable_grad_clipping()->set_max_gradient(0.5f);
  train->set_num_epochs(recipe.epochs);
  train->mutable_early_stopping()->set_metric(has_log_loss ? "mean_log_loss" : "loss");
  config::DataConfig* data = pipeline->mutable_data_config();
  data->set_batch_size(recipe.batch);
  data->mutable_split()->set_validation_fraction(0.1);
  data->mutable_split()->set_test_fraction(0.1);
}

bool IsWide(const InferredColumn& column) {
  return std::max(std::abs(column.minimum), std::abs(column.maximum)) > kWideRange;
}

// A name that neither a column nor a feature has.
std::string FreeName(std::string name, const InferredSchema& schema) {
  const auto taken = [&] {
    return std::any_of(schema.columns.begin(), schema.columns.end(), [&](const auto& c) { return c.name == name; });
  };
  while (taken()) name += "_";
  return name;
}

class FeatureWriter {
 public:
  FeatureWriter(const InferredSchema& schema, const Recipe& recipe, config::Pipeline* pipeline)
      : schema_(schema), recipe_(recipe), pipeline_(pipeline) {
    init_ = fmt::format("nn.init.normal_,mean=0.0,std={}", recipe.init);
  }

  void Add(const InferredColumn& column) {
    if (IsId(column, schema_.rows)) {
      config::IdFeature* id = New(column, column.name)->mutable_id_feature();
      id->set_embedding_dim(kWidth);
      id->set_init_fn(init_);
      const bool lists = !column.separator.empty();
      if ((lists ? column.values : column.distinct) >= kManyValues) id->set_min_count(2);
      if (lists) {
        id->set_separator(column.separator);
        id->set_pooling("mean");  // rows of many values are then no larger than rows of one
      }
      return;
    }
    config::NumericTransform* transform = New(column, column.name)->mutable_raw_feature()->mutable_transform();
    transform->set_standardise(true);
    if (IsWide(column)) transform->set_log1p(true);
    if (column.missing > 0) transform->set_missing_indicator(true);
    AddEncoding(column, "_pieces")->mutable_transform()->set_piecewise_linear(recipe_.pieces);
    if (recipe_.bins > 0) AddEncoding(column, "_bins")->mutable_transform()->set_quantile_bins(recipe_.bins);
  }

 private:
  static constexpr uint32_t kWidth = 8;

  config::FeatureConfig* New(const InferredColumn& column, const std::string& name) {
    config::FeatureConfig* feature = pipeline_->add_feature_configs();
    const bool is_id = IsId(column, schema_.rows);
    // Without a side a colon in the column's name would be read as "side:column".
    const bool has_colon = column.name.find(':') != std::string::npos;
    const std::string expression = (has_colon ? "row:" : "") + column.name;
    if (is_id) {
      feature->mutable_id_feature()->set_feature_name(name);
      feature->mutable_id_feature()->set_expression(expression);
    } else {
      feature->mutable_raw_feature()->set_feature_name(name);
      feature->mutable_raw_feature()->set_expression(expression);
    }
    return feature;
  }

  config::RawFeature* AddEncoding(const InferredColumn& column, const char* suffix) {
    config::RawFeature* raw = New(column, FreeName(column.name + suffix, schema_))->mutable_raw_feature();
    raw->set_embedding_dim(kWidth);
    raw->set_init_fn(init_);
    return raw;
  }

  const InferredSchema& schema_;
  const Recipe& recipe_;
  config::Pipeline* pipeline_;
  std::string init_;
};

StatusOr<config::ModelConfig> NamedModel(const std::string& name, std::span<const config::TaskTower> towers) {
  StatusOr<config::ModelConfig> model = config::DefaultModel(name, towers, DefaultNetworks());
  if (!model.ok()) return InvalidInput(fmt::format("--model {}: {}", name, model.status().message()));
  return model;
}

config::TaskTower TowerOf(const InferredLabel& label) {
  config::TaskTower tower;
  tower.set_tower_name(label.name);
  tower.set_label_name(label.name);
  config::LossConfig* loss = tower.add_losses();
  switch (label.kind) {
    case config::TaskKind::kBinary: loss->mutable_binary_cross_entropy(); break;
    case config::TaskKind::kClasses:
      loss->mutable_softmax_cross_entropy();
      tower.set_num_class(static_cast<uint32_t>(label.class_values.size()));
      break;
    // All tasks then weigh alike, whatever the unit of the label: a model that only knows the mean has a loss of 1.
    case config::TaskKind::kRegression: loss->mutable_l2_loss()->set_standardise(true); break;
    case config::TaskKind::kCount: loss->mutable_poisson_loss(); break;
    case config::TaskKind::kAmount: loss->mutable_ziln_loss(); break;
  }
  return tower;
}

}  // namespace

config::NetworkDefaults DefaultNetworks() {
  config::NetworkDefaults networks;
  networks.activation = "nn.SiLU";
  networks.dropout = 0.2f;
  networks.init_scale = 1.7f;
  networks.num_expert = 4;
  return networks;
}

StatusOr<config::LoadedPipeline> ReplaceModel(const config::LoadedPipeline& loaded, const std::string& model,
                                              const std::vector<std::string>& overrides) {
  const config::ModelConfig& old = loaded.pipeline.model_config();
  std::vector<config::TaskTower> towers(config::TaskTowers(old).begin(), config::TaskTowers(old).end());
  for (config::TaskTower& tower : towers) {  // what one model only reads; as a new model it gets its own
    tower.clear_relation_tower_names();
    tower.clear_relation_mlp();
    tower.clear_intervention_tower_names();
    tower.clear_low_rank_dim();
    tower.clear_dropout_ratio();
  }
  config::Pipeline pipeline = loaded.pipeline;
  MG_ASSIGN_OR_RETURN(*pipeline.mutable_model_config(), NamedModel(model, towers));
  *pipeline.mutable_model_config()->mutable_feature_groups() = old.feature_groups();
  if (old.has_cross()) *pipeline.mutable_model_config()->mutable_cross() = old.cross();
  MG_ASSIGN_OR_RETURN(config::LoadedPipeline replaced,
                      config::LoadPipelineFromText(loaded.name, config::PrintPipeline(pipeline), overrides));
  std::erase_if(replaced.places, [&](const auto& place) { return place.second.starts_with(loaded.name + ":"); });
  return replaced;
}

StatusOr<InferredPipeline> InferPipeline(const InferRequest& request, ThreadPool& pool) {
  // The model's name is checked first: the data may be large.
  MG_RETURN_IF_ERROR(NamedModel(request.model, {}).status());
  MG_ASSIGN_OR_RETURN(Findings findings,
                      LookAtData({.paths = request.paths, .labels = request.labels, .names = request.names}, pool));
  std::vector<config::TaskTower> towers;
  for (const InferredLabel& label : findings.labels) towers.push_back(TowerOf(label));
  config::Pipeline pipeline;
  MG_ASSIGN_OR_RETURN(*pipeline.mutable_model_config(), NamedModel(request.model, towers));
  config::FeatureGroupConfig* wide = pipeline.mutable_model_config()->add_feature_groups();  // of all features
  wide->set_group_name("wide");
  wide->set_group_type(config::WIDE);
  pipeline.set_train_input_path(request.paths);
  const Recipe recipe = RecipeFor(findings.schema.rows);
  DescribeTraining(recipe, findings.labels, &pipeline);
  DescribeDialect(findings.options, findings.schema, pipeline.mutable_data_config());
  for (const InferredLabel& label : findings.labels) {
    if (label.positive_value.empty() && label.class_values.empty()) continue;
    config::LabelConfig* label_config = pipeline.mutable_data_config()->add_label_configs();
    label_config->set_label_name(label.name);
    label_config->set_column(label.name);
    if (!label.positive_value.empty()) label_config->add_positive_values(label.positive_value);
    for (const std::string& value : label.class_values) label_config->add_class_values(value);
  }
  FeatureWriter writer(findings.schema, recipe, &pipeline);
  for (const InferredColumn& column : findings.schema.columns)
    if (IsFeature(findings, column.name)) writer.Add(column);
  InferredPipeline result;
  if (pipeline.feature_configs().empty()) {
    std::string reasons;
    for (const auto& [column, reason] : findings.left_out) reasons += fmt::format("\n  {}: {}", column, reason);
    return InvalidInput(
        fmt::format("{}: no column is left to learn from besides the labels{}", request.paths, reasons));
  }
  MG_ASSIGN_OR_RETURN(result.loaded,
                      config::LoadPipelineFromText(kName, config::PrintPipeline(pipeline), request.overrides));
  // Lines of a text that the user never saw would only mislead.
  std::erase_if(result.loaded.places,
                [](const auto& place) { return place.second.starts_with(std::string(kName) + ":"); });
  result.notes = DescribeFindings(findings, request.paths);
  result.findings = std::move(findings);
  return result;
}

}  // namespace manygate::cli
