// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/number_text.h"

namespace manygate::features {

StatusOr<RowEncoder> RowEncoder::Create(const Schema& schema) {
  MG_RETURN_IF_ERROR(ValidateSchema(schema));
  RowEncoder result;
  result.num_id_slots_ = static_cast<int>(schema.num_id_slots());
  result.number_width_ = static_cast<int>(schema.number_width());
  std::set<std::string> made;
  for (const config::Generator& generator : schema.generators()) made.insert(generator.column());
  const auto add = [&](const std::string& column) {
    if (!made.contains(column) &&
        std::find(result.columns_.begin(), result.columns_.end(), column) == result.columns_.end())
      result.columns_.push_back(column);
  };
  for (const config::Generator& generator : schema.generators())
    for (const config::GeneratorInput& input : generator.inputs())
      if (input.has_column()) add(input.column());
  for (const FeatureSchema& feature : schema.features()) add(feature.column());
  // Made columns stand behind those that are given.
  std::vector<std::string> all = result.columns_;
  const auto place = [&](const std::string& column) {
    return static_cast<int>(std::find(all.begin(), all.end(), column) - all.begin());
  };
  for (const config::Generator& generator : schema.generators()) {
    Maker maker{std::make_unique<const CellMaker>(generator), {}};
    for (const config::GeneratorInput& input : generator.inputs())
      maker.inputs.push_back(input.has_column() ? place(input.column()) : -1);
    result.makers_.push_back(std::move(maker));
    all.push_back(generator.column());
  }
  for (const FeatureSchema& feature : schema.features())
    result.entries_.push_back({FeatureFromSchema(feature), place(feature.column())});
  return result;
}

// Numbers as texts of all their digits, which ParseFloat reads back to the same bits.
void RowEncoder::MakeCells(std::span<const std::string_view> texts, std::vector<std::string>* made) const {
  GeneratorWorkspace workspace;
  std::vector<std::string_view> cells;
  for (size_t i = 0; i < makers_.size(); ++i) {
    cells.clear();
    for (const int input : makers_[i].inputs) {
      const auto column = static_cast<size_t>(std::max(input, 0));
      cells.push_back(input < 0 ? "" : column < texts.size() ? texts[column] : (*made)[column - texts.size()]);
    }
    if (!makers_[i].maker->makes_number()) {
      (*made)[i] = makers_[i].maker->MakeText(cells, &workspace);
      continue;
    }
    const float number = makers_[i].maker->MakeNumber(cells, &workspace);
    if (!std::isnan(number)) (*made)[i] = fmt::format("{}", number);
  }
}

Status RowEncoder::Encode(std::span<const std::string_view> texts, int32_t* ids, float* numbers) const {
  MG_CHECK(texts.size() == columns_.size(), "{} texts for {} columns", texts.size(), columns_.size());
  const ScopedFlushDenormals flush_denormals;  // as Encode for tables
  std::string problems;
  std::vector<std::string> made(makers_.size());
  MakeCells(texts, &made);
  for (const Entry& entry : entries_) {
    const FeatureSchema& schema = entry.feature->schema();
    const auto column = static_cast<size_t>(entry.column);
    const std::string_view text = column < texts.size() ? texts[column] : made[column - texts.size()];
    float number = std::numeric_limits<float>::quiet_NaN();
    RawValues values{.count = 1};
    if (entry.feature->SourceKind() == ColumnKind::kCategory) {
      values.texts = &text;
    } else {
      values.numbers = &number;
      if (!text.empty() && ParseFloat(text, &number) != NumberParse::kOk) {
        problems += fmt::format("{}column \"{}\": \"{}\" is no number, which feature \"{}\" needs",
                                problems.empty() ? "" : "\n", schema.column(), text, schema.name());
        continue;
      }
    }
    // Ids are below 2^31.
    entry.feature->Transform(values, reinterpret_cast<uint32_t*>(ids) + schema.id_slot(),
                             numbers + schema.number_offset());
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace manygate::features
