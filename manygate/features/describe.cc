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

// `0 31.2 %, 1 40.1 %, ...`
std::string SharesOf(const LabelSchema& label) {
  constexpr int kShown = 5;
  std::string text;
  for (int i = 0; i < std::min(label.class_count_size(), kShown); ++i) {
    text += fmt::format(
        "{}{} {:.1f} %", i == 0 ? "" : ", ", i,
        100.0 * static_cast<double>(label.class_count(i)) / static_cast<double>(std::max<uint64_t>(label.rows(), 1)));
  }
  return text + (label.class_count_size() > kShown ? ", ..." : "");
}

std::string RuleOf(const LabelSchema& label) {
  if (label.kind() == LabelSchema::CLASSES) {
    if (label.class_values().empty()) return fmt::format("0..{}", label.num_class() - 1);
    std::vector<std::string> texts;
    for (int i = 0; i < label.class_values_size(); ++i)
      texts.push_back(fmt::format("{} = \"{}\"", i, label.class_values(i)));
    return JoinNames(texts, 4);
  }
  if (label.positive_values().empty()) return "";
  std::vector<std::string> texts;
  for (const std::string& text : label.positive_values()) texts.push_back('"' + text + '"');
  return "1 if " + JoinNames(texts, 4);
}

// `row weights: column "w"`
std::string ColumnsLine(const char* what, const google::protobuf::RepeatedPtrField<std::string>& columns) {
  if (columns.empty()) return "";
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back('"' + column + '"');
  return fmt::format("\n{}: {} {}\n", what, columns.size() == 1 ? "column" : "columns", JoinNames(names, 20));
}

}  // namespace

const char* KindText(const FeatureSchema& feature) {
  switch (feature.kind()) {
    case FeatureSchema::VOCABULARY: return feature.learnt() ? "learnt vocabulary" : "vocabulary";
    case FeatureSchema::BUCKETS: return "integers";
    case FeatureSchema::HASH: return "hash";
    case FeatureSchema::BINS: return "bins";
    case FeatureSchema::NUMBER: return "number";
    case FeatureSchema::PIECEWISE: return "piecewise";
  }
  return "";
}

std::string InputText(const FeatureSchema& feature) {
  const std::string ids = FormatCount(static_cast<int64_t>(feature.vocabulary_size()));
  const bool several = feature.num_values() > 1;
  switch (feature.encoding()) {
    case FeatureSchema::ONE_HOT: return fmt::format("{} {}", several ? "multi-hot" : "one-hot", ids);
    case FeatureSchema::EMBEDDING:
      return fmt::format("embedding {} x {}{}{}", ids, feature.embedding_dim(),
                         feature.embedding_name().empty() ? "" : " \"" + feature.embedding_name() + "\"",
                         !several                                   ? ""
                         : feature.pooling() == FeatureSchema::MEAN ? ", mean"
                                                                    : ", sum");
    case FeatureSchema::NUMBERS: return feature.width() == 1 ? "1 number" : fmt::format("{} numbers", feature.width());
    case FeatureSchema::PIECES:
    case FeatureSchema::PIECES_EMBEDDED:
      return fmt::format(
          "{} {}{}{}", ids, feature.vocabulary_size() == 1 ? "piece" : "pieces",
          feature.encoding() == FeatureSchema::PIECES ? "" : fmt::format(" to {}", feature.embedding_dim()),
          feature.missing_indicator() ? " + missing" : "");
  }
  return "";
}

std::string StatisticsText(const LabelSchema& label) {
  if (label.kind() == LabelSchema::NUMBER)
    return fmt::format("mean {:.6g}, deviation {:.6g}", label.mean(), label.deviation());
  if (label.kind() == LabelSchema::CLASSES) return SharesOf(label);
  return fmt::format("{} positive ({:.4g} %)", FormatCount(static_cast<int64_t>(label.positives())),
                     100.0 * label.mean());
}

const char* KindText(const LabelSchema& label) {
  switch (label.kind()) {
    case LabelSchema::BINARY: return "binary";
    case LabelSchema::NUMBER: return "number";
    case LabelSchema::CLASSES: return "classes";
  }
  return "";
}

std::string DescribeSchema(const Schema& schema) {
  std::vector<Row> features = {{"feature", "column", "kind", "input", "fitted"}};
  uint64_t one_hot = 0;
  for (const FeatureSchema& feature : schema.features()) {
    if (feature.encoding() == FeatureSchema::ONE_HOT) one_hot += feature.vocabulary_size();
    features.push_back({feature.name(), feature.column(), KindText(feature), InputText(feature),
                        FeatureFromSchema(feature)->Describe()});
  }
  std::vector<Row> labels = {{"label", "column", "kind", "rows", "training statistics", "rule"}};
  for (const LabelSchema& label : schema.labels()) {
    labels.push_back({label.name(), label.column(), KindText(label), FormatCount(static_cast<int64_t>(label.rows())),
                      StatisticsText(label), RuleOf(label)});
  }
  std::string text = fmt::format("fitted on {} training rows; {} id columns ({} one-hot inputs), {} numbers\n\n",
                                 FormatCount(static_cast<int64_t>(schema.training_rows())), schema.num_id_slots(),
                                 FormatCount(static_cast<int64_t>(one_hot)), schema.number_width());
  text += Align(features) + "\n" + Align(labels);
  text += ColumnsLine("row weights", schema.weight_column());
  text += ColumnsLine("groups of rows", schema.group_column());
  return text;
}

}  // namespace manygate::features
