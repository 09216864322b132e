// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/checked_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/base/text.h"
#include "manygate/data/number_text.h"
#include "manygate/metrics/ranked_rows.h"

namespace manygate::check {

uint32_t ValueKey(const Column& column, int64_t row) {
  if (column.kind == ColumnKind::kCategory) return column.Code(row);
  return std::isnan(column.numbers[row]) ? 0u : OrderedKey(column.numbers[row]);
}

bool IsMissing(const Column& column, int64_t row) {
  return column.kind == ColumnKind::kCategory ? column.Code(row) == 0 : std::isnan(column.numbers[row]);
}

std::vector<float> NumbersOf(const Column& column, std::span<const uint32_t> rows) {
  std::vector<float> by_code;
  if (column.kind == ColumnKind::kCategory) {
    by_code.assign(column.dictionary.size(), std::numeric_limits<float>::quiet_NaN());
    for (size_t code = 1; code < by_code.size(); ++code) {
      float value = 0;
      if (ParseFloat(column.dictionary[code], &value) == NumberParse::kOk) by_code[code] = value;
    }
  }
  std::vector<float> numbers;
  numbers.reserve(rows.size());
  for (const uint32_t row : rows)
    numbers.push_back(column.kind == ColumnKind::kCategory ? by_code[column.Code(row)] : column.numbers[row]);
  return numbers;
}

std::vector<int64_t> CountCodes(const Column& column, std::span<const uint32_t> rows) {
  std::vector<int64_t> counts(column.dictionary.size(), 0);
  for (const uint32_t row : rows) ++counts[column.Code(row)];
  return counts;
}

std::vector<uint32_t> SampleOf(std::span<const uint32_t> rows, size_t most) {
  if (rows.size() <= most) return {rows.begin(), rows.end()};
  std::vector<uint32_t> sample;
  sample.reserve(most);
  for (size_t i = 0; i < most; ++i) sample.push_back(rows[i * rows.size() / most]);
  return sample;
}

bool LearnsEveryValue(const config::FeatureConfig& encoding) {
  if (!encoding.has_id_feature()) return false;
  const config::IdFeature& id = encoding.id_feature();
  return !id.has_num_buckets() && !id.has_hash_bucket_size() && id.vocab_list_size() == 0 &&
         id.vocab_dict_size() == 0 && !id.has_vocab_file() && !id.has_zch() && !id.has_dynamicemb() &&
         id.min_count() <= 1 && id.max_vocabulary() == 0;
}

bool HoldsLists(const config::ListedFeature& feature, const Column& column) {
  if (feature.is_sequence) return true;
  const std::string& separator = feature.encoding.id_feature().separator();
  return !separator.empty() && std::any_of(column.dictionary.begin(), column.dictionary.end(),
                                           [&](const auto& text) { return text.find(separator) != std::string::npos; });
}

bool LearnsEveryValue(const CheckedColumn& column) {
  if (column.train->kind != ColumnKind::kCategory) return false;
  return std::any_of(column.features.begin(), column.features.end(), [&](const config::ListedFeature* feature) {
    return LearnsEveryValue(feature->encoding) && !HoldsLists(*feature, *column.train);
  });
}

std::string EvaluationWhere(const CheckedRows& rows) {
  return rows.loaded->Place(rows.pipeline(), rows.separate ? "eval_input_path" : "train_input_path") +
         (rows.separate ? ": the evaluation file" : ": what is held out");
}

bool ReadsNumbers(const CheckedColumn& column) {
  return std::any_of(column.features.begin(), column.features.end(),
                     [](auto* f) { return f->encoding.has_raw_feature(); });
}

std::string Percent(double share) {
  return share > 0 && share < 0.001 ? fmt::format("{:.2g} %", 100 * share) : fmt::format("{:.1f} %", 100 * share);
}

std::string QuotedNames(std::span<const std::string> names, size_t limit) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back('"' + name + '"');
  return JoinNames(quoted, limit);
}

}  // namespace manygate::check
