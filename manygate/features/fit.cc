// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"
#include "manygate/features/feature.h"
#include "manygate/features/labels.h"
#include "manygate/features/values.h"

namespace manygate::features {
namespace {

// rows per code, in the width that the column has: one branch per column, not per row.
template <typename Code>
void CountCodesAs(const void* codes, std::span<const uint32_t> rows, std::vector<uint64_t>* counts) {
  const Code* typed = static_cast<const Code*>(codes);
  for (const uint32_t row : rows) ++(*counts)[typed[row]];
}

std::vector<uint64_t> CountCodes(const Column& column, std::span<const uint32_t> rows) {
  std::vector<uint64_t> counts(column.dictionary.size(), 0);
  switch (column.code_bytes) {
    case 1: CountCodesAs<uint8_t>(column.codes, rows, &counts); break;
    case 2: CountCodesAs<uint16_t>(column.codes, rows, &counts); break;
    default: CountCodesAs<uint32_t>(column.codes, rows, &counts); break;
  }
  return counts;
}

TrainingColumn TrainingTexts(const Column& column, std::span<const uint32_t> rows) {
  MG_CHECK(column.kind == ColumnKind::kCategory, "column \"{}\" must be read as a category", column.name);
  TrainingColumn result;
  const std::vector<uint64_t> counts = CountCodes(column, rows);
  result.missing_rows = counts.empty() ? 0 : counts[0];
  for (size_t code = 1; code < counts.size(); ++code)
    if (counts[code] > 0) result.values.push_back({column.dictionary[code], counts[code]});
  return result;
}

// Error: a clause that goes behind the feature's name.
StatusOr<TrainingColumn> TrainingNumbers(const Column& column, int64_t table_rows, std::span<const uint32_t> rows) {
  MG_ASSIGN_OR_RETURN(const NumberColumn numbers, NumberColumn::Of(column, table_rows));
  TrainingColumn result;
  result.numbers.reserve(rows.size());
  for (const uint32_t row : rows) {
    result.numbers.push_back(numbers.Value(row));
    if (std::isnan(result.numbers.back())) ++result.missing_rows;
  }
  return result;
}

// Adds one column's counts to another's.
void Merge(const TrainingColumn& from, TrainingColumn* into) {
  std::map<std::string_view, uint64_t> rows;
  for (const ValueCount& value : into->values) rows[value.text] += value.rows;
  for (const ValueCount& value : from.values) rows[value.text] += value.rows;
  into->values.clear();
  for (const auto& [text, count] : rows) into->values.push_back({text, count});
  into->missing_rows += from.missing_rows;
}

std::string WhoIs(const config::ListedFeature& feature) { return fmt::format("feature \"{}\"", feature.name); }

// vocab_file becomes vocab_list or vocab_dict: lines "value", or "value id".
void ReadVocabulary(config::IdFeature* id, FitMessages* messages) {
  const StatusOr<std::string> text = ReadFile(id->vocab_file());
  if (!text.ok()) {
    messages->problems.push_back(fmt::format("cannot read its vocab_file: {}", text.status().message()));
    return;
  }
  int line_number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = Trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    ++line_number;
    if (line.empty()) continue;
    const size_t space = line.find_last_of(" \t");
    uint64_t number = 0;
    const std::string_view last = space == std::string_view::npos ? "" : line.substr(space + 1);
    const auto [stop, error] = std::from_chars(last.data(), last.data() + last.size(), number);
    const bool has_id = !last.empty() && error == std::errc() && stop == last.data() + last.size();
    if (has_id ? id->vocab_list_size() > 0 : id->vocab_dict_size() > 0) {
      messages->problems.push_back(fmt::format(
          "{}:{}: \"{}\" {} where the lines before {}: all lines are \"value\", or all are "
          "\"value id\"",
          id->vocab_file(), line_number, line, has_id ? "has an id" : "has no id", has_id ? "have none" : "have one"));
      return;
    }
    if (has_id) {
      config::VocabEntry* entry = id->add_vocab_dict();
      entry->set_key(std::string(Trim(line.substr(0, space))));
      entry->set_value(number);
    } else {
      id->add_vocab_list(std::string(line));
    }
  }
  if (id->vocab_list().empty() && id->vocab_dict().empty())
    messages->problems.push_back(fmt::format("has an empty vocab_file, {}", id->vocab_file()));
}

class Fitter {
 public:
  Fitter(const config::LoadedPipeline& loaded, const Table& table, std::span<const uint32_t> training_rows)
      : loaded_(loaded), pipeline_(loaded.pipeline), table_(table), training_rows_(training_rows) {}

  StatusOr<Schema> Fit(std::vector<std::string>* notes);

 private:
  void FitAllFeatures();
  void FitOne(const config::ListedFeature& listed, Feature* feature);
  TrainingColumn SharedTexts(const Feature& feature, const Column& column);
  void PlaceInRow(Feature* feature);
  void FitAllLabels();
  void FitWeight(int index);
  void FindGroups();
  const Column* FindColumn(const std::string& name, const std::string& path, const std::string& who);
  void Report(const std::string& path, const std::string& who, const FitMessages& messages);
  std::string LabelPath(const LabelSchema& label) const;
  // The column that a metric groups rows by, and where it is written.
  template <typename Metric>
  std::pair<std::string, std::string> GroupingKey(const Metric& metric) const {
    if (metric.grouping_key().empty()) return {};
    return {metric.grouping_key(), loaded_.Path(metric, "grouping_key")};
  }

  const config::LoadedPipeline& loaded_;
  const config::Pipeline& pipeline_;
  const Table& table_;
  const std::span<const uint32_t> training_rows_;
  std::vector<config::ListedFeature> listed_;       // those that are encoded
  std::vector<std::unique_ptr<Feature>> features_;  // of listed_
  std::map<std::string, const Feature*> tables_;    // the first feature of each embedding_name
  Schema schema_;
  FitMessages messages_;
};

std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

StatusOr<Schema> Fitter::Fit(std::vector<std::string>* notes) {
  if (training_rows_.empty()) return InvalidInput(fmt::format("{}: no training rows", table_.source));
  schema_.set_format_version(kSchemaFormatVersion);
  schema_.set_training_rows(training_rows_.size());
  FitAllFeatures();
  FitAllLabels();
  for (int i = 0; i < pipeline_.data_config().sample_weight_fields_size(); ++i) FitWeight(i);
  FindGroups();
  if (!messages_.problems.empty()) return InvalidInput(Lines(messages_.problems));
  MG_CHECK(ValidateSchema(schema_).ok(), "{}", ValidateSchema(schema_).message());
  if (notes != nullptr) notes->insert(notes->end(), messages_.notes.begin(), messages_.notes.end());
  return std::move(schema_);
}

void Fitter::FitAllFeatures() {
  listed_ = config::ListFeatures(pipeline_);
  for (const config::Generator& generator : config::ListGenerators(listed_)) *schema_.add_generators() = generator;
  std::erase_if(listed_, [](const config::ListedFeature& feature) { return feature.stub; });
  for (config::ListedFeature& feature : listed_) {
    FitMessages messages;
    if (feature.encoding.id_feature().has_vocab_file())
      ReadVocabulary(feature.encoding.mutable_id_feature(), &messages);
    Report(feature.path, WhoIs(feature), messages);
    features_.push_back(NewFeature(feature));
  }
  for (size_t i = 0; i < listed_.size(); ++i) FitOne(listed_[i], features_[i].get());
  for (const auto& feature : features_) *schema_.add_features() = feature->schema();
}

void Fitter::FitOne(const config::ListedFeature& listed, Feature* feature) {
  const std::string who = WhoIs(listed);
  const Column* column = FindColumn(feature->schema().column(), listed.path, who);
  if (column == nullptr) return;
  FitMessages messages;
  if (feature->SourceKind() == ColumnKind::kCategory) {
    feature->Fit(SharedTexts(*feature, *column), &messages);
  } else {
    StatusOr<TrainingColumn> numbers = TrainingNumbers(*column, table_.rows, training_rows_);
    if (numbers.ok()) {
      feature->Fit(*std::move(numbers), &messages);
    } else {
      messages.problems.push_back(fmt::format("(column \"{}\") {}", column->name, numbers.status().message()));
    }
  }
  if (messages.problems.empty()) {
    std::string problem = FeatureProblem(feature->schema());
    if (problem.empty() && !feature->schema().embedding_name().empty()) {
      const Feature& first = *tables_.try_emplace(feature->schema().embedding_name(), feature).first->second;
      problem = SharedTableProblem(first.schema(), feature->schema());
    }
    if (!problem.empty()) messages.problems.push_back(std::move(problem));
  }
  for (const LabelSchema& label : LabelsOf(pipeline_)) {
    if (label.column() != column->name) continue;
    messages.notes.push_back(fmt::format(
        "reads column \"{}\", which label \"{}\" is made from: the model sees the answer", column->name, label.name()));
  }
  column->Release(0, table_.rows);
  PlaceInRow(feature);
  Report(listed.path, who, messages);
}

// A learnt vocabulary belongs to the table: features that share the table learn it from all their columns together, each
// split by its own separator.
TrainingColumn Fitter::SharedTexts(const Feature& feature, const Column& column) {
  TrainingColumn texts = feature.Split(TrainingTexts(column, training_rows_));
  const std::string& table = feature.schema().embedding_name();
  if (!feature.schema().learnt() || table.empty()) return texts;
  for (const auto& other : features_) {
    if (other == nullptr || other.get() == &feature || other->schema().embedding_name() != table) continue;
    const int index = table_.Find(other->schema().column());
    if (index < 0 || other->SourceKind() != ColumnKind::kCategory) continue;
    Merge(other->Split(TrainingTexts(table_.columns[index], training_rows_)), &texts);
  }
  return texts;
}

void Fitter::PlaceInRow(Feature* feature) {
  FeatureSchema* schema = feature->mutable_schema();
  if (HasIdSlot(*schema)) {
    schema->set_id_slot(schema_.num_id_slots());
    schema_.set_num_id_slots(schema_.num_id_slots() + schema->num_values());
  }
  if (const auto width = static_cast<uint32_t>(NumNumbers(*schema)); width > 0) {
    schema->set_number_offset(schema_.number_width());
    schema_.set_number_width(schema_.number_width() + width);
  }
}

void Fitter::FitAllLabels() {
  for (LabelSchema& label : LabelsOf(pipeline_)) {
    const std::string who = fmt::format("label \"{}\"", label.name());
    const Column* column = FindColumn(label.column(), LabelPath(label), who);
    if (column == nullptr) continue;
    FitMessages messages;
    if (std::string conflict = LabelConflict(pipeline_, label.name()); !conflict.empty()) {
      messages.problems.push_back(std::move(conflict));
      Report(LabelPath(label), who, messages);
      continue;
    }
    FitLabel(*column, table_.rows, training_rows_, &label, &messages);
    column->Release(0, table_.rows);
    Report(LabelPath(label), who, messages);
    *schema_.add_labels() = std::move(label);
  }
}

void Fitter::FitWeight(int index) {
  const std::string& name = pipeline_.data_config().sample_weight_fields(index);
  const std::string path = fmt::format("data_config.sample_weight_fields[{}]", index);
  const std::string who = fmt::format("row weight \"{}\"", name);
  const Column* column = FindColumn(name, path, who);
  if (column == nullptr) return;
  FitMessages messages;
  StatusOr<NumberColumn> weights = NumberColumn::Of(*column, table_.rows);
  double sum = 0;
  if (!weights.ok()) {
    messages.problems.push_back(weights.status().message());
  } else if (std::string problem = WeightProblem(*weights, table_.rows); !problem.empty()) {
    messages.problems.push_back(std::move(problem));
  } else {
    for (const uint32_t row : training_rows_) sum += weights->Value(row);
    if (sum == 0) messages.problems.push_back("is 0 in all training rows");
  }
  column->Release(0, table_.rows);
  Report(path, who, messages);
  schema_.add_weight_column(name);
}

void Fitter::FindGroups() {
  for (const config::TaskTower& tower : config::TaskTowers(pipeline_.model_config())) {
    const std::string who = fmt::format("tower \"{}\"", config::TowerName(tower));
    for (const auto& metric : tower.metrics())
      for (const auto& [key, path] : {GroupingKey(metric.grouped_auc()), GroupingKey(metric.grouped_xauc())})
        if (!key.empty()) FindColumn(key, path, who);
    for (const auto& loss : tower.losses())
      if (loss.has_jrc_loss())
        FindColumn(loss.jrc_loss().session_name(), loaded_.Path(loss.jrc_loss(), "session_name"), who);
  }
  for (const std::string& column : GroupColumns(pipeline_)) schema_.add_group_column(column);
}

const Column* Fitter::FindColumn(const std::string& name, const std::string& path, const std::string& who) {
  const int index = table_.Find(name);
  if (index >= 0) return &table_.columns[index];
  std::vector<std::string> names;
  for (const Column& column : table_.columns) names.push_back(column.name);
  FitMessages messages;
  messages.problems.push_back(fmt::format("needs column \"{}\", which {} does not have. {}", name,
                                          table_.source.empty() ? "the table" : table_.source,
                                          Suggestion(name, names, "Columns")));
  Report(path, who, messages);
  return nullptr;
}

void Fitter::Report(const std::string& path, const std::string& who, const FitMessages& messages) {
  for (const std::string& problem : messages.problems)
    messages_.problems.push_back(fmt::format("{}: {} {}", loaded_.PlaceOfPath(path), who, problem));
  for (const std::string& note : messages.notes) messages_.notes.push_back(fmt::format("{} {}", who, note));
}

// The label's own configuration, or else the tower or list that names it; of these the first that the user wrote.
std::string Fitter::LabelPath(const LabelSchema& label) const {
  const config::DataConfig& data = pipeline_.data_config();
  std::vector<std::string> paths;
  for (int i = 0; i < data.label_configs_size(); ++i)
    if (data.label_configs(i).label_name() == label.name())
      paths.push_back(fmt::format("data_config.label_configs[{}]", i));
  for (const config::TaskTower& tower : config::TaskTowers(pipeline_.model_config()))
    if (tower.label_name() == label.name()) paths.push_back(loaded_.Path(tower, "label_name"));
  for (const config::TaskTower& tower : config::TaskTowers(pipeline_.model_config())) {
    if (tower.task_space_indicator_label() == label.name())
      paths.push_back(loaded_.Path(tower, "task_space_indicator_label"));
  }
  for (int i = 0; i < data.label_fields_size(); ++i)
    if (data.label_fields(i) == label.name()) paths.push_back(fmt::format("data_config.label_fields[{}]", i));
  for (const std::string& path : paths)
    if (loaded_.places.contains(path)) return path;
  return paths.front();
}

}  // namespace

std::vector<ColumnRequest> RequiredColumns(const config::Pipeline& pipeline) {
  std::vector<ColumnRequest> requests;
  const std::vector<config::ListedFeature> features = config::ListFeatures(pipeline);
  std::set<std::string> made;
  for (const config::Generator& generator : config::ListGenerators(features)) made.insert(generator.column());
  for (const config::ListedFeature& feature : features) {
    if (!made.contains(feature.column) && !feature.stub)
      AddRequest(feature.column, NewFeature(feature)->SourceKind(), &requests);
    if (!feature.generator.has_value()) continue;
    for (const config::GeneratorInput& input : feature.generator->inputs())
      if (input.has_column() && !made.contains(input.column()))
        AddRequest(input.column(), ColumnKind::kCategory, &requests);
  }
  for (const LabelSchema& label : LabelsOf(pipeline)) AddRequest(label.column(), SourceKind(label), &requests);
  for (const std::string& column : pipeline.data_config().sample_weight_fields())
    AddRequest(column, ColumnKind::kNumber, &requests);
  for (const std::string& column : GroupColumns(pipeline)) AddRequest(column, ColumnKind::kCategory, &requests);
  return requests;
}

std::vector<std::string> GroupColumns(const config::Pipeline& pipeline) {
  std::vector<std::string> columns;
  const auto add = [&columns](const std::string& column) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
  };
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config())) {
    for (const config::MetricConfig& metric : tower.metrics())
      for (const std::string& key : {metric.grouped_auc().grouping_key(), metric.grouped_xauc().grouping_key()})
        if (!key.empty()) add(key);
    for (const config::LossConfig& loss : tower.losses())
      if (loss.has_jrc_loss()) add(loss.jrc_loss().session_name());
  }
  return columns;
}

StatusOr<Schema> FitFeatures(const config::LoadedPipeline& loaded, const Table& table,
                             std::span<const uint32_t> training_rows, std::vector<std::string>* notes) {
  return Fitter(loaded, table, training_rows).Fit(notes);
}

}  // namespace manygate::features
