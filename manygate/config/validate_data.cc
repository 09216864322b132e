// SPDX-License-Identifier: Apache-2.0
// Rules of data_config: how the files are read, which columns are labels and weights, how rows are split.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/input_fields.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

void CheckText(const DataConfig& data, Problems* problems) {
  const std::string& delimiter = data.delimiter();
  const bool line_end = delimiter == "\n" || delimiter == "\r";
  if (delimiter.size() != 1 || line_end) {
    problems->Add(data, "delimiter",
                  fmt::format("is {}, expected one character such as \",\", \";\" or \"\\t\"",
                              line_end ? "a line end" : fmt::format("\"{}\"", delimiter)));
  }
  if (data.quote().size() > 1 || data.quote() == "\n" || data.quote() == "\r") {
    problems->Add(data, "quote",
                  fmt::format("is \"{}\", expected one character, or \"\" for no quoting", data.quote()));
  }
  if (data.quote() == delimiter && delimiter.size() == 1) {
    problems->Add(data, data.has_quote() ? "quote" : "delimiter",
                  fmt::format("\"{}\" is both delimiter and quote: they must differ", delimiter));
  }
}

void CheckDatasetType(const DataConfig& data, Problems* problems) {
  switch (data.dataset_type()) {
    case OdpsDataset:
    case OdpsDatasetV1:
      problems->Add(
          data, "dataset_type",
          "is a table of Alibaba Cloud's MaxCompute, which cannot be read from here: export it to Parquet or CSV "
          "files (UNLOAD, or tunnel download) and write dataset_type: ParquetDataset or CsvDataset");
      break;
    case KafkaDataset:
      problems->Add(
          data, "dataset_type",
          "is a stream of messages, which cannot be read from here: write the messages to Parquet or CSV files and "
          "train on those (dataset_type: ParquetDataset or CsvDataset)");
      break;
    default: break;
  }
  if (data.has_fg_mode() && data.has_fg_encoded())
    problems->Add(data, "fg_encoded", "is the older way to say fg_mode: remove one of them");
  const std::string& separator = data.fg_encoded_multival_sep();
  if (separator.size() != 1)
    problems->Add(data, "fg_encoded_multival_sep", fmt::format("is \"{}\", expected one character", separator));
  if (!data.has_input_fields_str()) return;
  const StatusOr<std::vector<Field>> fields = ParseInputFields(data.input_fields_str());
  if (!fields.ok()) problems->Add(data, "input_fields_str", fields.status().message());
  if (data.input_fields_size() > 0)
    problems->Add(data, "input_fields_str", "names the columns again, which input_fields does: remove one of them");
}

void CheckColumns(const DataConfig& data, Problems* problems) {
  UniqueNames names(problems);
  if (data.input_fields_size() == 0)
    for (const Field& field : InputFields(data)) names.Note(field.input_name(), data, "input_fields_str");
  for (const Field& field : data.input_fields()) {
    if (field.input_name().empty()) problems->AddTo(field, "has no input_name");
    names.Note(field.input_name(), field, "input_name");
  }
  if (data.with_header() && data.dataset_type() == FieldListDataset) {
    problems->Add(
        data, "with_header",
        "is true, but lists of fields have no line of names: name the values before the fields in input_fields");
  }
  UniqueNames weights(problems);
  for (int i = 0; i < data.sample_weight_fields_size(); ++i) {
    weights.Note(data.sample_weight_fields(i), data, "sample_weight_fields", i);
  }
}

// What is known of the columns before the file is opened.
class KnownColumns {
 public:
  explicit KnownColumns(const DataConfig& data) : data_(data) {
    if (data.dataset_type() != CsvDataset || data.with_header()) return;  // the rows name columns themselves
    for (const Field& field : InputFields(data)) names_.push_back(field.input_name());
  }
  // For a column named in parent.field.
  void Check(const std::string& column, const Message& parent, std::string_view field, int index,
             Problems* problems) const {
    if (names_.empty() || column.empty() || Has(column)) return;
    problems->Add(
        parent, field, index,
        fmt::format("\"{}\" is not among the input_fields. {}", column, Suggestion(column, names_, "Columns")));
  }
  bool IsText(const std::string& column) const {
    for (const Field& field : InputFields(data_)) {
      if (field.input_name() == column && field.has_input_type() && field.input_type() == STRING) return true;
    }
    return false;
  }

 private:
  bool Has(const std::string& column) const { return std::find(names_.begin(), names_.end(), column) != names_.end(); }

  const DataConfig& data_;
  std::vector<std::string> names_;
};

// A column of the file that a feature reads, and where that is written.
struct ReadColumn {
  std::string column;
  std::string field;
  int index;
};

std::vector<ReadColumn> ColumnsReadBy(const ListedFeature& feature) {
  const std::vector<WrittenInput> inputs = WrittenInputs(*feature.written);
  std::vector<ReadColumn> columns;
  if (!feature.generator.has_value()) {
    const bool own_name = inputs.empty();
    if (!feature.column.starts_with("feature:"))
      columns.push_back({feature.column, own_name ? "feature_name" : inputs[0].field, own_name ? -1 : inputs[0].index});
    return columns;
  }
  for (int i = 0; i < feature.generator->inputs_size(); ++i) {
    const std::string& column = feature.generator->inputs(i).column();
    if (column.empty() || column.starts_with("feature:")) continue;
    const bool own_name = inputs.empty();
    const size_t at = static_cast<size_t>(i);
    columns.push_back({column, own_name ? "feature_name" : inputs[at].field, own_name ? -1 : inputs[at].index});
  }
  return columns;
}

void CheckFeatureColumns(const Pipeline& pipeline, const KnownColumns& columns, Problems* problems) {
  for (const ListedFeature& feature : ListFeatures(pipeline)) {
    for (const ReadColumn& read : ColumnsReadBy(feature)) {
      columns.Check(read.column, *feature.written, read.field, read.index, problems);
      if (!feature.generator.has_value() && feature.encoding.has_raw_feature() && columns.IsText(read.column)) {
        problems->Add(
            *feature.written, read.field,
            fmt::format("reads \"{}\", whose input_type is STRING: a raw_feature needs numbers", read.column));
      }
      for (const TaskTower& tower : TaskTowers(pipeline.model_config())) {
        if (read.column != LabelColumn(pipeline.data_config(), tower.label_name())) continue;
        problems->Add(
            *feature.written, read.field, read.index,
            fmt::format("reads \"{}\", the label of tower \"{}\": the answer would be among the inputs. Remove "
                        "this feature",
                        read.column, TowerName(tower)));
      }
    }
  }
}

// Every label that label_fields or a tower names.
std::vector<std::string> LabelNames(const Pipeline& pipeline) {
  const DataConfig& data = pipeline.data_config();
  std::vector<std::string> names(data.label_fields().begin(), data.label_fields().end());
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const TaskTower& tower : TaskTowers(pipeline.model_config())) {
    add(tower.label_name());
    add(tower.task_space_indicator_label());
  }
  return names;
}

// How a label's values become numbers must suit the towers that read it.
void CheckValuesOfLabel(const Pipeline& pipeline, const LabelConfig& label, Problems* problems) {
  UniqueNames positives(problems), classes(problems);
  for (int i = 0; i < label.positive_values_size(); ++i) {
    positives.Note(label.positive_values(i), label, "positive_values", i);
  }
  for (int i = 0; i < label.class_values_size(); ++i) classes.Note(label.class_values(i), label, "class_values", i);
  if (label.positive_values_size() > 0 && label.class_values_size() > 0) {
    problems->Add(label, "class_values", "excludes positive_values: keep one of them");
    return;
  }
  for (const TaskTower& tower : TaskTowers(pipeline.model_config())) {
    if (tower.label_name() != label.label_name()) continue;
    const uint32_t classes_of_tower = std::max(2u, tower.num_class());
    const uint32_t values = static_cast<uint32_t>(label.class_values_size());
    const TaskKind kind = KindOf(tower);
    if (values > 0 && kind != TaskKind::kClasses && kind != TaskKind::kBinary) {
      problems->Add(
          label, "class_values",
          fmt::format("makes classes, but the loss of tower \"{}\" is {}", TowerName(tower), LossName(tower)));
    } else if (values > 0 && values != classes_of_tower) {
      problems->Add(
          label, "class_values",
          fmt::format("has {} values, but tower \"{}\" has {} classes", values, TowerName(tower), classes_of_tower));
    }
    if (label.positive_values_size() > 0 && kind == TaskKind::kClasses && tower.num_class() > 2) {
      problems->Add(label, "positive_values",
                    fmt::format("makes 0 and 1, but tower \"{}\" has {} classes: write class_values", TowerName(tower),
                                tower.num_class()));
    }
  }
}

void CheckLabels(const Pipeline& pipeline, const KnownColumns& columns, Problems* problems) {
  const DataConfig& data = pipeline.data_config();
  UniqueNames fields(problems), labels(problems);
  const std::vector<std::string> names = LabelNames(pipeline);
  std::vector<std::string> computed;
  for (const LabelConfig& label : data.label_configs()) {
    if (label.label_name().empty()) {
      problems->AddTo(label, "has no label_name");
      continue;
    }
    computed.push_back(label.label_name());
    labels.Note(label.label_name(), label, "label_name");
    if (std::find(names.begin(), names.end(), label.label_name()) == names.end()) {
      problems->Add(label, "label_name",
                    fmt::format("\"{}\" is no tower's label. {}", label.label_name(),
                                Suggestion(label.label_name(), names, "Labels")));
    }
    const std::string column = LabelColumn(data, label.label_name());
    columns.Check(column, label, label.has_column() ? "column" : "label_name", -1, problems);
    if (label.positive_values_size() == 0 && label.class_values_size() == 0 && columns.IsText(column)) {
      problems->AddTo(label, fmt::format("reads \"{}\", whose input_type is STRING: name its positive_values", column));
    }
    CheckValuesOfLabel(pipeline, label, problems);
  }
  for (int i = 0; i < data.label_fields_size(); ++i) {
    fields.Note(data.label_fields(i), data, "label_fields", i);
    if (std::find(computed.begin(), computed.end(), data.label_fields(i)) != computed.end()) continue;
    columns.Check(data.label_fields(i), data, "label_fields", i, problems);
  }
  if (data.label_fields_size() > 0) return;
  for (const TaskTower& tower : TaskTowers(pipeline.model_config())) {
    for (const char* field : {"label_name", "task_space_indicator_label"}) {
      const std::string& name = field[0] == 'l' ? tower.label_name() : tower.task_space_indicator_label();
      if (std::find(computed.begin(), computed.end(), name) != computed.end()) continue;
      columns.Check(name, tower, field, -1, problems);
    }
  }
}

// Columns that losses and metrics group rows by.
void CheckGroupColumns(const Pipeline& pipeline, const KnownColumns& columns, Problems* problems) {
  for (const TaskTower& tower : TaskTowers(pipeline.model_config())) {
    for (const LossConfig& loss : tower.losses()) {
      if (!loss.has_jrc_loss()) continue;
      columns.Check(GroupColumn(pipeline, loss.jrc_loss().session_name()), loss.jrc_loss(), "session_name", -1,
                    problems);
    }
    for (const MetricConfig& metric : tower.metrics()) {
      if (metric.has_grouped_auc())
        columns.Check(GroupColumn(pipeline, metric.grouped_auc().grouping_key()), metric.grouped_auc(), "grouping_key",
                      -1, problems);
      if (metric.has_grouped_xauc())
        columns.Check(GroupColumn(pipeline, metric.grouped_xauc().grouping_key()), metric.grouped_xauc(),
                      "grouping_key", -1, problems);
    }
  }
}

void CheckSplit(const Pipeline& pipeline, Problems* problems) {
  const SplitConfig& split = pipeline.data_config().split();
  const bool has_eval = !pipeline.eval_input_path().empty();
  for (const char* fraction : {"validation_fraction", "test_fraction"}) {
    const auto* field = SplitConfig::descriptor()->FindFieldByName(fraction);
    if (!split.GetReflection()->HasField(split, field) || split.GetReflection()->GetDouble(split, field) == 0) continue;
    if (split.eval_halves()) {
      problems->Add(split, fraction, "excludes eval_halves: keep one of them");
    } else if (split.eval_is_test()) {
      if (field->name() == "validation_fraction") continue;
      problems->Add(split, fraction, "excludes eval_is_test: keep one of them");
    } else if (has_eval) {
      problems->Add(split, fraction, "has no effect with eval_input_path: remove one of them");
    }
  }
  if (split.eval_halves() && !has_eval) {
    problems->Add(split, "eval_halves", "needs eval_input_path, the file that is halved");
  }
  if (split.eval_is_test() && !has_eval)
    problems->Add(split, "eval_is_test", "needs eval_input_path, the file that tests");
  if (split.eval_is_test() && split.eval_halves()) {
    problems->Add(split, "eval_is_test", "excludes eval_halves: keep one of them");
  }
  const double sum = split.validation_fraction() + split.test_fraction();
  if (!split.eval_halves() && !has_eval && sum >= 1 && split.validation_fraction() < 1 && split.test_fraction() < 1) {
    problems->Add(
        split, "test_fraction",
        fmt::format("and validation_fraction sum to {}: less than 1 is expected, no row is left to train", sum));
  }
}

}  // namespace

void CheckData(const Pipeline& pipeline, Problems* problems) {
  const DataConfig& data = pipeline.data_config();
  const KnownColumns columns(data);
  CheckText(data, problems);
  CheckDatasetType(data, problems);
  CheckColumns(data, problems);
  // Files of the other types name their columns themselves.
  if (data.dataset_type() == CsvDataset && !data.with_header() && !data.has_input_fields_str() &&
      data.input_fields_size() == 0) {
    const std::string text =
        "no names of columns: set data_config.with_header: true, or list the columns in data_config.input_fields";
    pipeline.has_data_config() ? problems->AddTo(data, "has " + text) : problems->AddGlobal(text);
  }
  for (int i = 0; i < data.sample_weight_fields_size(); ++i) {
    columns.Check(data.sample_weight_fields(i), data, "sample_weight_fields", i, problems);
  }
  CheckFeatureColumns(pipeline, columns, problems);
  CheckLabels(pipeline, columns, problems);
  CheckGroupColumns(pipeline, columns, problems);
  CheckSplit(pipeline, problems);
}

}  // namespace manygate::config
