// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/infer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/cli/infer_labels.h"
#include "manygate/config/resolve.h"
#include "manygate/data/csv_options.h"
#include "manygate/data/source.h"

namespace manygate::cli {
namespace {

constexpr char kName[] = "<command line>";
constexpr int64_t kManyValues = 1000;          // from here on, values seen once share the unknown bucket
constexpr int64_t kMinRowsOfRowNumbers = 100;  // fewer rows: numbers that all differ may well be measurements
constexpr double kWideRange = 100;
constexpr int64_t kMinRowsGivingAway = 20;

void DescribeDialect(const CsvOptions& options, const InferredSchema& schema, config::DataConfig* data) {
  data->set_delimiter(std::string(1, options.delimiter));
  data->set_with_header(options.with_header);
  data->set_trim_blanks(options.trim_blanks);
  if (options.skip_lines > 0) data->set_skip_lines(options.skip_lines);
  for (const std::string& text : options.missing_values) data->add_missing_values(text);
  if (options.with_header) return;
  for (const InferredColumn& column : schema.columns) data->add_input_fields()->set_input_name(column.name);
}

// Small data are gone through more often, until the validation rows say that it is enough.
void DescribeTraining(int64_t rows, bool all_binary, config::Pipeline* pipeline) {
  constexpr int64_t kBatch = 256, kSteps = 1000, kMinEpochs = 3, kMaxEpochs = 30;
  config::TrainConfig* train = pipeline->mutable_train_config();
  train->mutable_dense_optimizer()->mutable_adam_optimizer()->set_lr(0.001f);
  train->mutable_dense_optimizer()->mutable_constant_learning_rate();
  train->set_num_epochs(static_cast<uint32_t>(std::clamp((kSteps * kBatch + rows - 1) / rows, kMinEpochs, kMaxEpochs)));
  train->mutable_early_stopping()->set_metric(all_binary ? "mean_auc" : "loss");
  config::DataConfig* data = pipeline->mutable_data_config();
  data->set_batch_size(kBatch);
  data->mutable_split()->set_validation_fraction(0.1);
  data->mutable_split()->set_test_fraction(0.1);
}

// Whole numbers that differ in every row and fill a range without many holes: a count of rows, not a measurement.
bool IsRowNumber(const InferredColumn& column, int64_t rows) {
  if (column.kind != InferredKind::kInteger || column.missing > 0 || rows < kMinRowsOfRowNumbers) return false;
  const double range = column.maximum - column.minimum + 1;
  if (std::abs(range - static_cast<double>(rows)) > 0.01 * static_cast<double>(rows)) return false;
  return column.distinct_capped || column.distinct == rows;
}

bool IsWide(const InferredColumn& column) {
  return std::max(std::abs(column.minimum), std::abs(column.maximum)) > kWideRange;
}

// Texts, numbers that are names of things, and whole numbers of few values, each with rows enough to learn from.
bool IsId(const InferredColumn& column, int64_t rows) {
  constexpr int64_t kFewValues = 32, kRowsPerValue = 100;
  if (column.suggestion == FeatureSuggestion::kId) return true;
  return column.kind == InferredKind::kInteger && column.distinct >= 3 && column.distinct <= kFewValues &&
         rows >= kRowsPerValue * column.distinct;
}

void AddFeature(const InferredColumn& column, int64_t rows, config::Pipeline* pipeline) {
  config::FeatureConfig* feature = pipeline->add_feature_configs();
  // Without an expression a colon in the column's name would be read as "side:column".
  const bool has_colon = column.name.find(':') != std::string::npos;
  if (IsId(column, rows)) {
    config::IdFeature* id = feature->mutable_id_feature();
    id->set_feature_name(column.name);
    if (has_colon) id->set_expression("row:" + column.name);
    id->set_embedding_dim(8);
    if (column.distinct >= kManyValues) id->set_min_count(2);
    return;
  }
  config::RawFeature* raw = feature->mutable_raw_feature();
  raw->set_feature_name(column.name);
  if (has_colon) raw->set_expression("row:" + column.name);
  config::NumericTransform* transform = raw->mutable_transform();
  transform->set_standardise(true);
  if (IsWide(column)) transform->set_log1p(true);
  if (column.missing > 0) transform->set_missing_indicator(true);
}

void AddTower(const InferredLabel& label, std::span<const uint32_t> hidden_units, config::TaskTower* tower) {
  tower->set_tower_name(label.name);
  tower->set_label_name(label.name);
  if (label.binary) {
    tower->add_losses()->mutable_binary_cross_entropy();
  } else {
    tower->add_losses()->mutable_l2_loss();
    // All tasks then weigh alike, whatever the unit of the label: a model that only knows the mean has a loss of 1.
    const auto weight = static_cast<float>(1 / label.variance);
    if (std::isnormal(weight)) tower->set_weight(weight);
  }
  for (const uint32_t units : hidden_units) tower->mutable_mlp()->add_hidden_units(units);
}

Status AddModel(const std::string& name, std::span<const InferredLabel> labels, config::ModelConfig* model) {
  constexpr uint32_t kExperts = 8, kExpertWidth = 32, kBottomWidth = 128;
  constexpr uint32_t kTower[] = {16}, kAloneTower[] = {kBottomWidth, 16};
  if (name == "mmoe") {
    config::MMoE* mmoe = model->mutable_mmoe();
    mmoe->set_num_expert(kExperts);
    mmoe->mutable_expert_mlp()->add_hidden_units(kExpertWidth);
    for (const InferredLabel& label : labels) AddTower(label, kTower, mmoe->add_task_towers());
  } else if (name == "omoe") {
    config::OMoE* omoe = model->mutable_omoe();
    omoe->set_num_expert(kExperts);
    omoe->mutable_expert_mlp()->add_hidden_units(kExpertWidth);
    for (const InferredLabel& label : labels) AddTower(label, kTower, omoe->add_task_towers());
  } else if (name == "shared_bottom") {
    config::SharedBottom* shared = model->mutable_shared_bottom();
    shared->mutable_bottom_mlp()->add_hidden_units(kBottomWidth);
    for (const InferredLabel& label : labels) AddTower(label, kTower, shared->add_task_towers());
  } else if (name == "simple_multi_task") {
    for (const InferredLabel& label : labels)
      AddTower(label, kAloneTower, model->mutable_simple_multi_task()->add_task_towers());
  } else {
    const std::vector<std::string> names = {"simple_multi_task", "shared_bottom", "omoe", "mmoe"};
    return InvalidInput(fmt::format("--model {}: no such model. {}", name, Suggestion(name, names, "Models")));
  }
  return OkStatus();
}

// Everything that is looked at before the configuration is written.
struct Findings {
  InferredSchema schema;
  CsvOptions options;
  std::vector<InferredLabel> labels;
  std::map<std::string, std::string> left_out;  // column -> why
};

bool IsLabel(const Findings& findings, const std::string& column) {
  return std::any_of(findings.labels.begin(), findings.labels.end(),
                     [&](const InferredLabel& label) { return label.name == column; });
}

// A column that may hold what is known only after the outcome: mostly empty or zero.
bool MayGiveAway(const InferredColumn& column) {
  if (column.suggestion == FeatureSuggestion::kSkip) return false;
  const bool starts_at_zero =
      column.minimum == 0 && (column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber);
  return column.missing > 0 || starts_at_zero;
}

std::vector<bool> PositiveCodes(const InferredLabel& label, const Column& values) {
  std::vector<bool> positive(values.dictionary.size(), false);
  for (size_t code = 1; code < positive.size(); ++code) {
    const std::string& text = values.dictionary[code];
    positive[code] =
        label.positive_value.empty() ? std::strtod(text.c_str(), nullptr) == 1 : text == label.positive_value;
  }
  return positive;
}

void LeaveOut(const Table& table, Findings* findings) {
  for (const InferredColumn& column : findings->schema.columns) {
    if (IsLabel(*findings, column.name)) continue;
    if (column.suggestion == FeatureSuggestion::kSkip) {
      findings->left_out[column.name] = column.reason;
    } else if (IsRowNumber(column, findings->schema.rows)) {
      findings->left_out[column.name] = "a number of its own in every row";
    } else if (MayGiveAway(column)) {
      for (const InferredLabel& label : findings->labels) {
        if (!label.binary) continue;
        const Column& values = table.columns[table.Find(label.name)];
        if (!GivesAway(table.columns[table.Find(column.name)], values, PositiveCodes(label, values), table.rows))
          continue;
        findings->left_out[column.name] =
            fmt::format("where it is filled in, {} is always 1: it would give the label away", label.name);
        break;
      }
    }
  }
}

// Whether the first row, taken for values, holds a name that the user calls a column: then it is the line of names.
bool FirstRowNamesLabel(const InferredSchema& schema, std::span<const std::string> labels) {
  return std::any_of(labels.begin(), labels.end(), [&](const std::string& label) {
    const std::string name = label.substr(0, label.rfind(':'));
    return std::any_of(schema.columns.begin(), schema.columns.end(), [&](const InferredColumn& column) {
      return !column.examples.empty() && (column.examples[0] == label || column.examples[0] == name);
    });
  });
}

StatusOr<Findings> LookAtData(const InferRequest& request, ThreadPool& pool) {
  Findings findings;
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandPaths(request.paths));
  MG_ASSIGN_OR_RETURN(findings.options, DetectDialect(files[0], DataOptions()));
  MG_ASSIGN_OR_RETURN(findings.schema, InferColumns(files, findings.options, pool));
  if (!findings.options.with_header && FirstRowNamesLabel(findings.schema, request.labels)) {
    findings.options.with_header = true;
    findings.options.names.clear();
    MG_ASSIGN_OR_RETURN(findings.schema, InferColumns(files, findings.options, pool));
  }
  MG_ASSIGN_OR_RETURN(const std::vector<LabelRequest> labels, ParseLabels(request.labels, findings.schema));
  std::vector<ColumnRequest> wanted;
  for (const LabelRequest& label : labels) wanted.push_back({label.name, ColumnKind::kCategory});
  for (const InferredColumn& column : findings.schema.columns) {
    const ColumnRequest category{column.name, ColumnKind::kCategory};
    if (MayGiveAway(column) && std::find(wanted.begin(), wanted.end(), category) == wanted.end())
      wanted.push_back(category);
  }
  MG_ASSIGN_OR_RETURN(const Table table, ReadTableFiles(files, findings.options, wanted, pool, "", nullptr));
  for (const LabelRequest& label : labels) {
    const auto column = std::find_if(findings.schema.columns.begin(), findings.schema.columns.end(),
                                     [&](const InferredColumn& c) { return c.name == label.name; });
    MG_ASSIGN_OR_RETURN(InferredLabel inferred,
                        InferLabel(label, *column, table.columns[table.Find(label.name)], table.rows));
    findings.labels.push_back(std::move(inferred));
  }
  LeaveOut(table, &findings);
  return findings;
}

std::string DelimiterName(char delimiter) { return delimiter == '\t' ? "tab" : std::string(1, delimiter); }

std::vector<std::string> Notes(const Findings& findings, const InferRequest& request) {
  std::vector<std::string> ids, numbers, notes;
  for (const InferredColumn& column : findings.schema.columns) {
    if (IsLabel(findings, column.name) || findings.left_out.contains(column.name)) continue;
    (IsId(column, findings.schema.rows) ? ids : numbers).push_back(column.name);
  }
  notes.push_back(fmt::format("{}: {} rows, {} columns separated by \"{}\", {}", request.paths,
                              FormatCount(findings.schema.rows), findings.schema.columns.size(),
                              DelimiterName(findings.options.delimiter),
                              findings.options.with_header ? "named by the first line" : "without a line of names"));
  for (const InferredLabel& label : findings.labels) {
    std::string rule = label.binary ? "binary" : "regression";
    if (!label.positive_value.empty()) rule += fmt::format(", 1 where it is \"{}\"", label.positive_value);
    if (!label.binary) rule += ", its loss divided by the label's variance";
    notes.push_back(fmt::format("label {}: {}", label.name, rule));
  }
  if (!ids.empty()) notes.push_back(fmt::format("{} id columns: {}", ids.size(), JoinNames(ids)));
  if (!numbers.empty()) notes.push_back(fmt::format("{} number columns: {}", numbers.size(), JoinNames(numbers)));
  for (const auto& [column, reason] : findings.left_out)
    notes.push_back(fmt::format("{} left out: {}", column, reason));
  return notes;
}

}  // namespace

CsvOptions DataOptions() {
  CsvOptions options;
  options.missing_values = {"?", "NA", "N/A", "NaN", "nan", "NULL", "null"};
  return options;
}

bool GivesAway(const Column& column, const Column& label, const std::vector<bool>& positive, int64_t rows) {
  std::vector<bool> filled(column.dictionary.size(), false);
  for (size_t code = 1; code < filled.size(); ++code) {
    const std::string& text = column.dictionary[code];
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    filled[code] = end != text.c_str() + text.size() || number != 0;
  }
  int64_t filled_rows = 0, positive_rows = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const bool is_positive = positive[label.Code(row)];
    positive_rows += is_positive;
    if (!filled[column.Code(row)]) continue;
    if (!is_positive) return false;
    ++filled_rows;
  }
  return filled_rows >= kMinRowsGivingAway && 2 * positive_rows <= rows;
}

StatusOr<InferredPipeline> InferPipeline(const InferRequest& request, ThreadPool& pool) {
  config::ModelConfig unused;  // the model's name is checked first: the data may be large
  MG_RETURN_IF_ERROR(AddModel(request.model, {}, &unused));
  MG_ASSIGN_OR_RETURN(const Findings findings, LookAtData(request, pool));
  config::Pipeline pipeline;
  MG_RETURN_IF_ERROR(AddModel(request.model, findings.labels, pipeline.mutable_model_config()));
  pipeline.set_train_input_path(request.paths);
  const bool all_binary = std::all_of(findings.labels.begin(), findings.labels.end(),
                                      [](const InferredLabel& label) { return label.binary; });
  DescribeTraining(findings.schema.rows, all_binary, &pipeline);
  DescribeDialect(findings.options, findings.schema, pipeline.mutable_data_config());
  for (const InferredLabel& label : findings.labels) {
    if (label.positive_value.empty()) continue;
    config::LabelConfig* label_config = pipeline.mutable_data_config()->add_label_configs();
    label_config->set_label_name(label.name);
    label_config->set_column(label.name);
    label_config->add_positive_values(label.positive_value);
  }
  for (const InferredColumn& column : findings.schema.columns) {
    if (!IsLabel(findings, column.name) && !findings.left_out.contains(column.name))
      AddFeature(column, findings.schema.rows, &pipeline);
  }
  InferredPipeline result;
  result.notes = Notes(findings, request);
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
  return result;
}

}  // namespace manygate::cli
