// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/features/feature.h"

namespace manygate::features {
namespace {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks apart; the last one is not padded.
std::string Align(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

const char* KindName(const FeatureSchema& feature) {
  switch (feature.kind()) {
    case FeatureSchema::VOCABULARY: return feature.learnt() ? "learnt vocabulary" : "vocabulary";
    case FeatureSchema::BUCKETS: return "integers";
    case FeatureSchema::HASH: return "hash";
    case FeatureSchema::BINS: return "bins";
    case FeatureSchema::NUMBER: return "number";
  }
  return "";
}

std::string InputOf(const FeatureSchema& feature) {
  const std::string ids = FormatCount(static_cast<int64_t>(feature.vocabulary_size()));
  switch (feature.encoding()) {
    case FeatureSchema::ONE_HOT: return fmt::format("one-hot {}", ids);
    case FeatureSchema::EMBEDDING:
      return fmt::format("embedding {} x {}{}", ids, feature.embedding_dim(),
                         feature.embedding_name().empty() ? "" : " \"" + feature.embedding_name() + "\"");
    case FeatureSchema::NUMBERS: return feature.width() == 1 ? "1 number" : fmt::format("{} numbers", feature.width());
  }
  return "";
}

std::string StatisticsOf(const LabelSchema& label) {
  if (label.kind() == LabelSchema::NUMBER)
    return fmt::format("mean {:.6g}, deviation {:.6g}", label.mean(), label.deviation());
  return fmt::format("{} positive ({:.4g} %)", FormatCount(static_cast<int64_t>(label.positives())),
                     100.0 * label.mean());
}

std::string RuleOf(const LabelSchema& label) {
  if (label.positive_values().empty()) return "";
  std::vector<std::string> texts;
  for (const std::string& text : label.positive_values()) texts.push_back('"' + text + '"');
  return "1 if " + JoinNames(texts, 4);
}

}  // namespace

std::string DescribeSchema(const Schema& schema) {
  std::vector<Row> features = {{"feature", "column", "kind", "input", "fitted"}};
  uint64_t one_hot = 0;
  for (const FeatureSchema& feature : schema.features()) {
    if (feature.encoding() == FeatureSchema::ONE_HOT) one_hot += feature.vocabulary_size();
    features.push_back({feature.name(), feature.column(), KindName(feature), InputOf(feature),
                        FeatureFromSchema(feature)->Describe()});
  }
  std::vector<Row> labels = {{"label", "column", "kind", "rows", "training statistics", "rule"}};
  for (const LabelSchema& label : schema.labels()) {
    labels.push_back({label.name(), label.column(), label.kind() == LabelSchema::BINARY ? "binary" : "number",
                      FormatCount(static_cast<int64_t>(label.rows())), StatisticsOf(label), RuleOf(label)});
  }
  std::string text = fmt::format("fitted on {} training rows; {} id columns ({} one-hot inputs), {} numbers\n\n",
                                 FormatCount(static_cast<int64_t>(schema.training_rows())), schema.num_id_slots(),
                                 FormatCount(static_cast<int64_t>(one_hot)), schema.number_width());
  text += Align(features) + "\n" + Align(labels);
  if (!schema.weight_column().empty()) text += fmt::format("\nrow weights: column \"{}\"\n", schema.weight_column());
  return text;
}

}  // namespace manygate::features
