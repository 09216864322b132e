// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/schema.h"

#include <fmt/format.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace manygate::features {
namespace {

// Keeps the first error of the text parser as "file:line:column: message".
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(const std::string& file) : file_(file) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}:{}:{}: {}", file_, line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  const std::string& file_;
  std::string text_;
};

std::string CheckEdges(const FeatureSchema& feature) {
  for (int i = 0; i < feature.edges_size(); ++i)
    if (!std::isfinite(feature.edges(i)) || (i > 0 && !(feature.edges(i - 1) < feature.edges(i))))
      return "edges must be finite and ascending";
  return "";
}

std::string CheckValues(const FeatureSchema& feature) {
  if (feature.num_values() < 1 || feature.num_values() > kMostValues)
    return fmt::format("num_values is {}; expected 1 to {}", feature.num_values(), kMostValues);
  if (feature.kind() == FeatureSchema::NUMBER_LIST) return "";  // CheckNumberList
  const bool may_split = IsId(feature) && feature.kind() != FeatureSchema::BINS;
  if (feature.has_separator() && (!may_split || feature.separator().size() != 1))
    return fmt::format("separator is \"{}\"; expected one character, of an id", feature.separator());
  if (feature.num_values() > 1 && !feature.has_separator()) return "several values need a separator";
  if (feature.pooling() == FeatureSchema::MEAN && feature.encoding() != FeatureSchema::EMBEDDING)
    return "pooling MEAN needs encoding EMBEDDING";
  return "";
}

std::string CheckIds(const FeatureSchema& feature) {
  if (feature.kind() == FeatureSchema::NUMBER) return "a number needs encoding NUMBERS";
  if (feature.kind() == FeatureSchema::PIECEWISE) return "pieces need encoding PIECES or PIECES_EMBEDDED";
  const bool buckets = feature.kind() == FeatureSchema::BUCKETS, hash = feature.kind() == FeatureSchema::HASH;
  if (buckets && (feature.num_buckets() < 1 || feature.num_buckets() > kMaxVocabularySize - 2))
    return fmt::format("num_buckets is {}; expected 1 to {}", feature.num_buckets(), kMaxVocabularySize - 2);
  if (hash && (feature.hash_bucket_size() < 1 || feature.hash_bucket_size() > kMaxVocabularySize - 1))
    return fmt::format("hash_bucket_size is {}; expected 1 to {}", feature.hash_bucket_size(), kMaxVocabularySize - 1);
  if (feature.training_count_size() != feature.value_size()) {
    return fmt::format("{} values but {} values of training_count", feature.value_size(),
                       feature.training_count_size());
  }
  if (std::set<std::string_view>(feature.value().begin(), feature.value().end()).size() !=
      static_cast<size_t>(feature.value_size())) {
    return "a value of the vocabulary stands twice";
  }
  if (std::string problem = CheckEdges(feature); !problem.empty()) return problem;
  if (feature.vocabulary_size() != CountIds(feature)) {
    return fmt::format("vocabulary_size is {}, but its values and buckets are {}", feature.vocabulary_size(),
                       CountIds(feature));
  }
  if (feature.vocabulary_size() > kMaxVocabularySize)
    return fmt::format("vocabulary_size {} is above {}", feature.vocabulary_size(), kMaxVocabularySize);
  if (feature.frequent_id() >= feature.vocabulary_size())
    return fmt::format("frequent_id is {} of {} ids", feature.frequent_id(), feature.vocabulary_size());
  if (feature.encoding() == FeatureSchema::EMBEDDING && feature.embedding_dim() == 0) {
    return "needs an embedding_dim of at least 1, or one_hot: true";
  }
  return "";
}

// What numbers and pieces have in common.
std::string CheckWidthAndFill(const FeatureSchema& feature) {
  if (feature.width() != (feature.missing_indicator() ? 2u : 1u)) return "width does not fit missing_indicator";
  if (!feature.has_fill() || !std::isfinite(feature.fill())) return "fill is missing or not finite";
  return "";
}

std::string CheckPieces(const FeatureSchema& feature) {
  if (feature.kind() != FeatureSchema::PIECEWISE) return "encoding PIECES and PIECES_EMBEDDED need kind PIECEWISE";
  if (std::string problem = CheckWidthAndFill(feature); !problem.empty()) return problem;
  if (std::string problem = CheckEdges(feature); !problem.empty()) return problem;
  if (feature.vocabulary_size() != CountIds(feature)) {
    return fmt::format("vocabulary_size is {}, but its edges make {} pieces", feature.vocabulary_size(),
                       CountIds(feature));
  }
  if (feature.encoding() == FeatureSchema::PIECES_EMBEDDED && feature.embedding_dim() == 0)
    return "needs an embedding_dim of at least 1";
  return "";
}

std::string CheckNumberList(const FeatureSchema& feature) {
  const uint64_t width = uint64_t{feature.num_values()} * feature.position_width();
  if (width == 0 || feature.width() != width) return "width does not fit num_values and position_width";
  if (feature.separator().size() > 1 || feature.sequence_delim().size() != (feature.sequence() ? 1u : 0u))
    return "separator and sequence_delim must be one character";
  return feature.has_fill() && std::isfinite(feature.fill()) ? "" : "fill is missing or not finite";
}

std::string CheckNumbers(const FeatureSchema& feature) {
  if (feature.kind() == FeatureSchema::PIECEWISE) return "pieces need encoding PIECES or PIECES_EMBEDDED";
  if (feature.kind() == FeatureSchema::NUMBER_LIST) return CheckNumberList(feature);
  if (feature.kind() != FeatureSchema::NUMBER) return "ids need encoding ONE_HOT or EMBEDDING";
  if (std::string problem = CheckWidthAndFill(feature); !problem.empty()) return problem;
  if (!std::isfinite(feature.mean())) return "mean is not finite";
  if (feature.standardise() && !(feature.deviation() > 0 && std::isfinite(feature.deviation())))
    return "deviation must be above 0";
  return "";
}

// Running totals over the features, to compare with the slots, the offsets and the tables that they claim.
struct RowShape {
  uint64_t id_slots = 0;
  uint64_t number_width = 0;
  std::map<std::string, const FeatureSchema*> tables;

  std::string Add(const FeatureSchema& feature) {
    const uint64_t offset = number_width, slot = id_slots;
    number_width += static_cast<uint64_t>(NumNumbers(feature));
    id_slots += static_cast<uint64_t>(NumIdSlots(feature));
    if (NumNumbers(feature) > 0 && feature.number_offset() != offset)
      return fmt::format("number_offset must be {}", offset);
    if (HasIdSlot(feature) && feature.id_slot() != slot) return fmt::format("id_slot must be {}", slot);
    if (feature.encoding() != FeatureSchema::EMBEDDING || feature.embedding_name().empty()) return "";
    const FeatureSchema& first = *tables.try_emplace(feature.embedding_name(), &feature).first->second;
    return SharedTableProblem(first, feature);
  }
};

}  // namespace

std::string FeatureProblem(const FeatureSchema& feature) {
  if (feature.column().empty()) return "column is missing";
  if (!feature.has_kind() || !feature.has_encoding()) return "kind or encoding is missing";
  if (std::isnan(feature.clip_min()) || std::isnan(feature.clip_max())) return "clip bounds must be numbers";
  if (feature.has_clip_min() && feature.has_clip_max() && feature.clip_min() > feature.clip_max())
    return "clip_min is above clip_max";
  if (std::string problem = CheckValues(feature); !problem.empty()) return problem;
  if (IsId(feature)) return CheckIds(feature);
  return HasIdSlot(feature) ? CheckPieces(feature) : CheckNumbers(feature);
}

std::string LabelProblem(const LabelSchema& label) {
  if (label.column().empty()) return "column is missing";
  if (!label.has_kind()) return "kind is missing";
  if (label.kind() != LabelSchema::BINARY && !label.positive_values().empty())
    return "positive_values need kind BINARY";
  if (label.kind() != LabelSchema::CLASSES) return "";
  if (label.num_class() < 2) return fmt::format("num_class is {}; classes need at least 2", label.num_class());
  if (!label.class_values().empty() && label.class_values_size() != static_cast<int>(label.num_class()))
    return fmt::format("num_class is {}, but class_values are {}", label.num_class(), label.class_values_size());
  if (label.class_count_size() != static_cast<int>(label.num_class()))
    return fmt::format("num_class is {}, but class_count has {} numbers", label.num_class(), label.class_count_size());
  return "";
}

std::string SharedTableProblem(const FeatureSchema& first, const FeatureSchema& second) {
  if (first.vocabulary_size() == second.vocabulary_size() && first.embedding_dim() == second.embedding_dim()) {
    if (std::equal(first.value().begin(), first.value().end(), second.value().begin(), second.value().end())) return "";
    return fmt::format("shares the table \"{}\" with feature \"{}\" but has other values", second.embedding_name(),
                       first.name());
  }
  return fmt::format(
      "shares the table \"{}\" with feature \"{}\" but has {} ids of width {} where that has {} of width {}; give both "
      "the same values and embedding_dim, or different embedding_names",
      second.embedding_name(), first.name(), second.vocabulary_size(), second.embedding_dim(), first.vocabulary_size(),
      first.embedding_dim());
}

std::string SchemaToText(const Schema& schema) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetUseShortRepeatedPrimitives(true);
  std::string text;
  printer.PrintToString(schema, &text);
  return text;
}

StatusOr<Schema> SchemaFromText(std::string_view text, const std::string& file) {
  FirstError error(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  Schema schema;
  if (!parser.ParseFromString(std::string(text), &schema)) return InvalidInput(error.text());
  if (schema.format_version() != kSchemaFormatVersion) {
    return InvalidInput(fmt::format("{}: format_version is {}, but this program reads version {}", file,
                                    schema.format_version(), kSchemaFormatVersion));
  }
  const Status status = ValidateSchema(schema);
  if (!status.ok())
    return InvalidInput(fmt::format("{}: not a schema that was written by training:\n{}", file, status.message()));
  return schema;
}

Status ValidateSchema(const Schema& schema) {
  std::string problems;
  const auto add = [&problems](std::string_view what, const std::string& name, const std::string& problem) {
    if (!problem.empty()) problems += fmt::format("{}{} \"{}\": {}", problems.empty() ? "" : "\n", what, name, problem);
  };
  RowShape shape;
  std::set<std::string_view> names;
  for (const FeatureSchema& feature : schema.features()) {
    if (feature.name().empty() || !names.insert(feature.name()).second)
      add("feature", feature.name(), "names must differ");
    const std::string problem = FeatureProblem(feature);
    add("feature", feature.name(), problem);
    const std::string misfit = shape.Add(feature);
    if (problem.empty()) add("feature", feature.name(), misfit);
  }
  names.clear();
  for (const LabelSchema& label : schema.labels()) {
    if (label.name().empty() || !names.insert(label.name()).second) add("label", label.name(), "names must differ");
    add("label", label.name(), LabelProblem(label));
  }
  if (schema.num_id_slots() != shape.id_slots || schema.number_width() != shape.number_width) {
    problems += fmt::format("{}num_id_slots and number_width are {} and {}, but the features have {} and {}",
                            problems.empty() ? "" : "\n", schema.num_id_slots(), schema.number_width(), shape.id_slots,
                            shape.number_width);
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

uint64_t NumWrittenIds(const FeatureSchema& feature) {
  uint64_t ids = feature.value_id().empty() ? static_cast<uint64_t>(feature.value_size()) : 0;
  for (const uint64_t id : feature.value_id()) ids = std::max(ids, id + 1);
  return feature.has_default_id() ? std::max(ids, feature.default_id() + 1) : ids;
}

uint64_t CountIds(const FeatureSchema& feature) {
  // Of features that share a table, one may need the row of missing values.
  const uint64_t missing = feature.default_value().empty() || !feature.embedding_name().empty() ? 1 : 0;
  switch (feature.kind()) {
    case FeatureSchema::VOCABULARY: return NumWrittenIds(feature) + (feature.has_default_id() ? 0 : 1) + missing;
    case FeatureSchema::BUCKETS: return feature.num_buckets() + 1 + missing;
    case FeatureSchema::HASH: return feature.hash_bucket_size() + missing;
    case FeatureSchema::BINS:
      return static_cast<uint64_t>(feature.edges_size()) + (feature.has_default_number() ? 1 : 2);
    case FeatureSchema::NUMBER:
    case FeatureSchema::NUMBER_LIST: return 0;
    case FeatureSchema::PIECEWISE: return static_cast<uint64_t>(std::max(1, feature.edges_size() - 1));
  }
  return 0;
}

ColumnKind SourceKind(const LabelSchema& label) {
  return label.kind() == LabelSchema::NUMBER ? ColumnKind::kNumber : ColumnKind::kCategory;
}

void AddRequest(std::string_view name, ColumnKind kind, std::vector<ColumnRequest>* requests) {
  for (ColumnRequest& request : *requests) {
    if (request.name != name) continue;
    if (kind == ColumnKind::kCategory) request.kind = kind;
    return;
  }
  requests->push_back({std::string(name), kind});
}

std::vector<ColumnRequest> RequiredColumns(const Schema& schema, const ColumnChoice& choice) {
  std::vector<ColumnRequest> requests;
  std::set<std::string_view> made;
  for (const config::Generator& generator : schema.generators()) made.insert(generator.column());
  for (const config::Generator& generator : schema.generators())
    for (const config::GeneratorInput& input : generator.inputs())
      if (input.has_column() && !made.contains(input.column()))
        AddRequest(input.column(), ColumnKind::kCategory, &requests);
  for (const FeatureSchema& feature : schema.features()) {
    if (made.contains(feature.column())) continue;
    const bool numeric = feature.kind() == FeatureSchema::NUMBER || feature.kind() == FeatureSchema::BINS ||
                         feature.kind() == FeatureSchema::PIECEWISE;
    AddRequest(feature.column(), numeric ? ColumnKind::kNumber : ColumnKind::kCategory, &requests);
  }
  if (choice.labels)
    for (const LabelSchema& label : schema.labels()) AddRequest(label.column(), SourceKind(label), &requests);
  if (choice.weight)
    for (const std::string& column : schema.weight_column()) AddRequest(column, ColumnKind::kNumber, &requests);
  if (choice.labels)
    for (const std::string& column : schema.group_column()) AddRequest(column, ColumnKind::kCategory, &requests);
  return requests;
}

}  // namespace manygate::features
