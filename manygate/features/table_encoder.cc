// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/table_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/features/labels.h"
#include "manygate/features/values.h"

namespace manygate::features {

// One column of the encoded table: reads a raw column and writes an id, numbers or both into each record.
struct ColumnStep {
  const Column* column = nullptr;
  const Feature* feature = nullptr;  // number columns only: what to apply to each value
  bool has_id = false;
  int num_values = 1;     // ids written per row
  uint32_t no_value = 0;  // fills the ids that a row does not use
  int width = 1;          // numbers written per row; of weighted ids as many as num_values
  size_t id_offset = 0;   // in the record, bytes
  size_t numbers_offset = 0;
  // Category columns: the id of each code; of several values, those of code c stand from first_id[c] to first_id[c + 1].
  std::vector<uint32_t> ids = {};
  std::vector<uint64_t> first_id = {};
  std::vector<float> numbers = {};  // category columns: [codes, width]
};

namespace {

// Rows that one task encodes: their records stay in the L2 cache while each column passes over them.
constexpr int64_t kBlockRows = 1024;

template <typename Code, typename Id>
void WriteIds(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, size_t record_bytes) {
  const Code* codes = static_cast<const Code*>(step.column->codes);
  if (!step.first_id.empty()) {
    for (int64_t row = begin; row < end; ++row, out += record_bytes) {
      Id* to = reinterpret_cast<Id*>(out);
      Id* const all = to + step.num_values;
      for (uint64_t i = step.first_id[codes[row]]; i < step.first_id[codes[row] + size_t{1}]; ++i)
        *to++ = static_cast<Id>(step.ids[i]);
      std::fill(to, all, static_cast<Id>(step.no_value));
    }
    return;
  }
  for (int64_t row = begin; row < end; ++row, out += record_bytes)
    *reinterpret_cast<Id*>(out) = static_cast<Id>(step.ids[codes[row]]);
}

template <typename Code>
void WriteFloats(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, size_t record_bytes) {
  const Code* codes = static_cast<const Code*>(step.column->codes);
  const size_t bytes = static_cast<size_t>(step.width) * sizeof(float);
  for (int64_t row = begin; row < end; ++row, out += record_bytes)
    std::memcpy(out, step.numbers.data() + static_cast<size_t>(codes[row]) * step.width, bytes);
}

template <typename Code>
void WriteCodes(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, const RecordLayout& layout) {
  if (step.width > 0) WriteFloats<Code>(step, begin, end, out + step.numbers_offset, layout.record_bytes);
  if (!step.has_id) return;
  if (layout.id_bytes == 2) {
    WriteIds<Code, uint16_t>(step, begin, end, out + step.id_offset, layout.record_bytes);
  } else {
    WriteIds<Code, uint32_t>(step, begin, end, out + step.id_offset, layout.record_bytes);
  }
}

template <typename Id>
void StoreIds(const uint32_t* ids, int64_t rows, std::byte* out, size_t record_bytes) {
  for (int64_t i = 0; i < rows; ++i, out += record_bytes) *reinterpret_cast<Id*>(out) = static_cast<Id>(ids[i]);
}

// A number column: through the feature, or as it is (labels, weights).
void WriteNumbers(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, const RecordLayout& layout) {
  uint32_t ids[kBlockRows];
  std::vector<float> transformed;
  const int64_t rows = end - begin;
  const float* numbers = step.column->numbers + begin;
  if (step.feature != nullptr) {
    transformed.resize(static_cast<size_t>(rows * step.width));
    step.feature->Transform({.numbers = numbers, .count = rows}, ids, transformed.data());
    numbers = transformed.data();
  }
  if (step.width > 0) {
    std::byte* to = out + step.numbers_offset;
    for (int64_t i = 0; i < rows; ++i, to += layout.record_bytes)
      std::memcpy(to, numbers + i * step.width, static_cast<size_t>(step.width) * sizeof(float));
  }
  if (!step.has_id) return;
  if (layout.id_bytes == 2) {
    StoreIds<uint16_t>(ids, rows, out + step.id_offset, layout.record_bytes);
  } else {
    StoreIds<uint32_t>(ids, rows, out + step.id_offset, layout.record_bytes);
  }
}

// The ids of each text of a dictionary, several per text, without those that say "no more". A dictionary of lists can be as
// long as the table, and most lists far shorter than the longest.
void ListIds(const Feature& feature, const std::vector<std::string_view>& texts, ColumnStep* step) {
  constexpr size_t kTexts = 64;
  std::vector<uint32_t> ids(kTexts * static_cast<size_t>(step->num_values));
  const auto width = static_cast<size_t>(step->width);
  step->first_id = {0};
  for (size_t first = 0; first < texts.size(); first += kTexts) {
    const size_t count = std::min(kTexts, texts.size() - first);
    feature.Transform({.texts = texts.data() + first, .count = static_cast<int64_t>(count)}, ids.data(),
                      width > 0 ? step->numbers.data() + first * width : nullptr);
    for (size_t i = 0; i < count; ++i) {
      const auto begin = ids.begin() + static_cast<ptrdiff_t>(i) * step->num_values;
      step->ids.insert(step->ids.end(), begin, std::find(begin, begin + step->num_values, step->no_value));
      step->first_id.push_back(step->ids.size());
    }
  }
}

// The codes of a column as groups of rows.
template <typename Code>
void CopyCodes(const Column& column, int64_t begin, int64_t end, int32_t* out) {
  const Code* codes = static_cast<const Code*>(column.codes);
  for (int64_t row = begin; row < end; ++row) out[row - begin] = static_cast<int32_t>(codes[row]);
}

}  // namespace

TableEncoder::TableEncoder(const Schema& schema, const Table& table, bool with_labels)
    : schema_(schema), table_(table), layout_(LayoutOf(schema, with_labels)) {
  for (const FeatureSchema& feature : schema_.features()) {
    AddFeature(feature);
    table_.Release(0, table_.rows);  // whoever looks at a whole column is done with it
  }
  if (!with_labels) return;
  for (int i = 0; i < schema_.labels_size(); ++i) {
    AddLabel(schema_.labels(i), i);
    table_.Release(0, table_.rows);
  }
  for (int i = 0; i < schema_.weight_column_size(); ++i) AddWeight(i);
  table_.Release(0, table_.rows);
  for (const std::string& name : schema_.group_column()) AddGroup(name);
}

TableEncoder::TableEncoder(TableEncoder&&) noexcept = default;
TableEncoder::~TableEncoder() = default;

StatusOr<TableEncoder> TableEncoder::Create(const Schema& schema, const Table& table, bool with_labels) {
  // As in the pool's threads, so that which thread takes a block makes no difference.
  const ScopedFlushDenormals flush_denormals;
  TableEncoder encoder(schema, table, with_labels);
  if (!encoder.problems_.empty()) return InvalidInput(encoder.problems_);
  return encoder;
}

EncodedTable TableEncoder::NewTable(int64_t rows) const {
  return EncodedTable(rows, layout_, static_cast<int>(groups_.size()));
}

void TableEncoder::EncodeRows(int64_t begin, int64_t count, int64_t at, ThreadPool& pool, EncodedTable* result) const {
  const int64_t blocks = (count + kBlockRows - 1) / kBlockRows;
  pool.ParallelFor(blocks, [&](int64_t block, int) {
    const int64_t first = block * kBlockRows;
    EncodeBlock(begin + first, begin + std::min(first + kBlockRows, count), at + first, result);
  });
}

void TableEncoder::AddFeature(const FeatureSchema& feature_schema) {
  const std::string who = fmt::format("feature \"{}\"", feature_schema.name());
  const Column* column = FindColumn(who, feature_schema.column());
  if (column == nullptr) return;
  features_.push_back(FeatureFromSchema(feature_schema));
  const Feature& feature = *features_.back();
  ColumnStep step{.column = column,
                  .has_id = HasIdSlot(feature_schema),
                  .num_values = NumIdSlots(feature_schema),
                  .no_value = static_cast<uint32_t>(feature_schema.vocabulary_size()),
                  .width = NumNumbers(feature_schema)};
  step.id_offset = static_cast<size_t>(feature_schema.id_slot()) * layout_.id_bytes;
  step.numbers_offset = layout_.numbers_offset + feature_schema.number_offset() * sizeof(float);
  const size_t codes = column->dictionary.size();
  const bool lists = step.has_id && (step.num_values > 1 || feature_schema.sequence());
  step.ids.resize(step.has_id && !lists ? codes : 0);
  step.numbers.resize(codes * static_cast<size_t>(step.width));
  RawValues values{.count = static_cast<int64_t>(codes)};
  std::vector<std::string_view> texts(column->dictionary.begin(), column->dictionary.end());
  if (feature.SourceKind() == ColumnKind::kCategory) {
    MG_CHECK(column->kind == ColumnKind::kCategory, "column \"{}\" must be read as a category", column->name);
    values.texts = texts.data();
    if (lists) {
      ListIds(feature, texts, &step);
    } else {
      feature.Transform(values, step.ids.data(), step.numbers.data());
    }
  } else {
    const StatusOr<NumberColumn> numbers = NumberColumn::Of(*column, table_.rows);
    if (!numbers.ok()) return AddProblem(who, *column, numbers.status().message());
    values.numbers = numbers->dictionary().data();
    if (numbers->is_category()) {
      feature.Transform(values, step.ids.data(), step.numbers.data());
    } else {
      step.feature = &feature;
    }
  }
  steps_.push_back(std::move(step));
}

void TableEncoder::AddLabel(const LabelSchema& label, int index) {
  const std::string who = fmt::format("label \"{}\"", label.name());
  const Column* column = FindColumn(who, label.column());
  if (column == nullptr) return;
  const StatusOr<LabelColumn> values = LabelColumn::Of(label, *column, table_.rows);
  if (!values.ok()) return AddProblem(who, *column, values.status().message());
  steps_.push_back({.column = column,
                    .numbers_offset = layout_.labels_offset + static_cast<size_t>(index) * sizeof(float),
                    .numbers = std::vector<float>(values->dictionary().begin(), values->dictionary().end())});
}

void TableEncoder::AddWeight(int index) {
  const std::string who = "row weights";
  const Column* column = FindColumn(who, schema_.weight_column(index));
  if (column == nullptr) return;
  const StatusOr<NumberColumn> values = NumberColumn::Of(*column, table_.rows);
  if (!values.ok()) return AddProblem(who, *column, values.status().message());
  const std::string problem = WeightProblem(*values, table_.rows);
  if (!problem.empty()) return AddProblem(who, *column, problem);
  steps_.push_back({.column = column,
                    .numbers_offset = layout_.weights_offset + static_cast<size_t>(index) * sizeof(float),
                    .numbers = std::vector<float>(values->dictionary().begin(), values->dictionary().end())});
}

void TableEncoder::AddGroup(const std::string& name) {
  const Column* column = FindColumn("groups of rows", name);
  if (column == nullptr) return;
  MG_CHECK(column->kind == ColumnKind::kCategory, "column \"{}\" must be read as a category", name);
  groups_.push_back(column);
}

const Column* TableEncoder::FindColumn(const std::string& who, const std::string& name) {
  const int index = table_.Find(name);
  if (index >= 0) return &table_.columns[index];
  std::vector<std::string> names;
  for (const Column& column : table_.columns) names.push_back(column.name);
  problems_ += fmt::format("{}{}: no column \"{}\" for {}. {}", problems_.empty() ? "" : "\n", table_.source, name, who,
                           Suggestion(name, names, "Columns"));
  return nullptr;
}

void TableEncoder::AddProblem(const std::string& who, const Column& column, const std::string& problem) {
  problems_ += fmt::format("{}{}: {} (column \"{}\") {}", problems_.empty() ? "" : "\n", table_.source, who,
                           column.name, problem);
}

void TableEncoder::EncodeBlock(int64_t begin, int64_t end, int64_t at, EncodedTable* result) const {
  for (const ColumnStep& step : steps_) {
    std::byte* out = result->record(at);
    if (step.column->kind == ColumnKind::kNumber) {
      WriteNumbers(step, begin, end, out, layout_);
    } else if (step.column->code_bytes == 1) {
      WriteCodes<uint8_t>(step, begin, end, out, layout_);
    } else if (step.column->code_bytes == 2) {
      WriteCodes<uint16_t>(step, begin, end, out, layout_);
    } else {
      WriteCodes<uint32_t>(step, begin, end, out, layout_);
    }
  }
  for (size_t k = 0; k < groups_.size(); ++k) {
    int32_t* out = result->mutable_groups(static_cast<int>(k)).data() + at;
    switch (groups_[k]->code_bytes) {
      case 1: CopyCodes<uint8_t>(*groups_[k], begin, end, out); break;
      case 2: CopyCodes<uint16_t>(*groups_[k], begin, end, out); break;
      default: CopyCodes<uint32_t>(*groups_[k], begin, end, out); break;
    }
  }
}

}  // namespace manygate::features
