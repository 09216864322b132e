// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/row_encoder.h"

#include <fmt/format.h>

#include <algorithm>
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
  result.columns_ = RequiredColumns(schema, {.labels = false, .weight = false});
  // Made columns stand behind those that are given.
  std::vector<std::string> all;
  for (const ColumnRequest& column : result.columns_) all.push_back(column.name);
  const auto place = [&](const std::string& column) {
    return static_cast<size_t>(std::find(all.begin(), all.end(), column) - all.begin());
  };
  result.wanted_as_text_.resize(all.size() + static_cast<size_t>(schema.generators_size()));
  for (const config::Generator& generator : schema.generators()) {
    Maker maker{std::make_unique<const CellMaker>(generator), {}};
    for (const config::GeneratorInput& input : generator.inputs()) {
      maker.inputs.push_back(input.has_column() ? static_cast<int>(place(input.column())) : -1);
      if (input.has_column()) result.wanted_as_text_[place(input.column())] = 1;
    }
    result.makers_.push_back(std::move(maker));
    all.push_back(generator.column());
  }
  for (const FeatureSchema& feature : schema.features()) {
    Entry entry{FeatureFromSchema(feature), place(feature.column())};
    entry.text = entry.feature->SourceKind() == ColumnKind::kCategory;
    entry.id_slot = feature.id_slot();
    entry.number_offset = feature.number_offset();
    if (entry.text) result.wanted_as_text_[entry.column] = 1;
    result.entries_.push_back(std::move(entry));
  }
  return result;
}

void RowEncoder::MakeCells(RowWorkspace* workspace) const {
  for (size_t i = 0; i < makers_.size(); ++i) {
    const CellMaker& maker = *makers_[i].maker;
    workspace->inputs.clear();
    for (const int input : makers_[i].inputs)
      workspace->inputs.push_back(input < 0 ? std::string_view() : workspace->views[static_cast<size_t>(input)]);
    const size_t column = columns_.size() + i;
    std::string& text = workspace->texts[column];
    if (maker.makes_number()) {
      text.clear();
      workspace->made_numbers[i] = maker.MakeNumber(workspace->inputs, &workspace->generator);
      if (wanted_as_text_[column] != 0) AppendNumberText(workspace->made_numbers[i], &text);
    } else {
      text = maker.MakeText(workspace->inputs, &workspace->generator);
    }
    workspace->views[column] = text;
  }
}

Status RowEncoder::Encode(std::span<const Cell> cells, RowWorkspace* workspace, int32_t* ids, float* numbers) const {
  MG_CHECK(cells.size() == columns_.size(), "{} cells for {} columns", cells.size(), columns_.size());
  const ScopedFlushDenormals flush_denormals;  // as Encode for tables
  workspace->texts.resize(wanted_as_text_.size());
  workspace->views.resize(wanted_as_text_.size());
  workspace->made_numbers.resize(makers_.size());
  for (size_t i = 0; i < cells.size(); ++i)
    if (wanted_as_text_[i] != 0)
      workspace->views[i] = cells[i].is_text() ? cells[i].text() : cells[i].AsText(&workspace->texts[i]);
  if (!makers_.empty()) MakeCells(workspace);
  std::string problems, problem;
  for (const Entry& entry : entries_) {
    // Ids are below 2^31.
    const auto feature_ids = reinterpret_cast<uint32_t*>(ids) + entry.id_slot;
    float* const feature_numbers = numbers + entry.number_offset;
    if (entry.text) {
      entry.feature->Transform({.texts = &workspace->views[entry.column], .count = 1}, feature_ids, feature_numbers);
      continue;
    }
    const bool made = entry.column >= columns_.size();
    const bool made_text = made && !makers_[entry.column - columns_.size()].maker->makes_number();
    const Cell cell = made_text ? Cell(workspace->views[entry.column])
                      : made    ? Cell(workspace->made_numbers[entry.column - columns_.size()])
                                : cells[entry.column];
    float number = 0;
    if (cell.AsNumber(&number, &problem)) {
      entry.feature->Transform({.numbers = &number, .count = 1}, feature_ids, feature_numbers);
    } else {
      problems += fmt::format("{}column \"{}\": {}, which feature \"{}\" needs", problems.empty() ? "" : "\n",
                              entry.feature->schema().column(), problem, entry.feature->schema().name());
    }
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace manygate::features
