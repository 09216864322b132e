// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/features/feature.h"
#include "manygate/features/labels.h"
#include "manygate/features/values.h"

namespace manygate::features {
namespace {

// Rows that one task encodes: their records stay in the L2 cache while each column passes over them.
constexpr int64_t kBlockRows = 1024;
// Records to fetch ahead of the copy; enough to cover a trip to memory.
constexpr int kPrefetchRows = 12;
constexpr size_t kCacheLine = 64;

// Fixed blocks, which the compiler turns into vector moves; the last block overlaps the one before.
template <typename Id>
inline void CopyIds(const std::byte* record, int count, int32_t* __restrict out) {
  constexpr int kBlock = 8;
  const Id* __restrict in = reinterpret_cast<const Id*>(record);
  if (count < kBlock) {
    for (int i = 0; i < count; ++i) out[i] = static_cast<int32_t>(in[i]);
    return;
  }
  for (int start = 0; start < count; start += kBlock) {
    const int from = std::min(start, count - kBlock);
    for (int i = 0; i < kBlock; ++i) out[from + i] = static_cast<int32_t>(in[from + i]);
  }
}

inline void CopyFloats(const std::byte* in, int count, float* out) {
  constexpr int kBlock = 4;
  int i = 0;
  for (; i + kBlock <= count; i += kBlock) std::memcpy(out + i, in + i * sizeof(float), kBlock * sizeof(float));
  for (; i < count; ++i) std::memcpy(out + i, in + i * sizeof(float), sizeof(float));
}

// One column of the encoded table: reads a raw column and writes an id, numbers or both into each record.
struct ColumnStep {
  const Column* column = nullptr;
  const Feature* feature = nullptr;  // number columns only: what to apply to each value
  bool has_id = false;
  int width = 1;         // numbers written per row
  size_t id_offset = 0;  // in the record, bytes
  size_t numbers_offset = 0;
  std::vector<uint32_t> ids = {};   // category columns: of each code
  std::vector<float> numbers = {};  // category columns: [codes, width]
};

template <typename Code, typename Id>
void WriteIds(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, size_t record_bytes) {
  const Code* codes = static_cast<const Code*>(step.column->codes);
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

// The codes of a column as groups of rows.
template <typename Code>
void CopyCodes(const Column& column, int64_t begin, int64_t end, int32_t* out) {
  const Code* codes = static_cast<const Code*>(column.codes);
  for (int64_t row = begin; row < end; ++row) out[row] = static_cast<int32_t>(codes[row]);
}

class TableEncoder {
 public:
  TableEncoder(const Schema& schema, const Table& table, const RecordLayout& layout)
      : schema_(schema), table_(table), layout_(layout) {}

  Status Prepare(bool with_labels);
  void EncodeRows(int64_t begin, int64_t end, EncodedTable* result) const;

 private:
  void AddFeature(const FeatureSchema& feature_schema);
  void AddLabel(const LabelSchema& label, int index);
  void AddWeight(int index);
  void AddGroup(const std::string& name);
  const Column* FindColumn(const std::string& who, const std::string& name);
  void AddProblem(const std::string& who, const Column& column, const std::string& problem);

  const Schema& schema_;
  const Table& table_;
  const RecordLayout layout_;
  std::vector<std::unique_ptr<Feature>> features_;
  std::vector<ColumnStep> steps_;
  std::vector<const Column*> groups_;
  std::string problems_;
};

Status TableEncoder::Prepare(bool with_labels) {
  for (const FeatureSchema& feature : schema_.features()) AddFeature(feature);
  if (with_labels) {
    for (int i = 0; i < schema_.labels_size(); ++i) AddLabel(schema_.labels(i), i);
    for (int i = 0; i < schema_.weight_column_size(); ++i) AddWeight(i);
    for (const std::string& name : schema_.group_column()) AddGroup(name);
  }
  return problems_.empty() ? OkStatus() : InvalidInput(problems_);
}

void TableEncoder::AddFeature(const FeatureSchema& feature_schema) {
  const std::string who = fmt::format("feature \"{}\"", feature_schema.name());
  const Column* column = FindColumn(who, feature_schema.column());
  if (column == nullptr) return;
  features_.push_back(FeatureFromSchema(feature_schema));
  const Feature& feature = *features_.back();
  ColumnStep step{.column = column, .has_id = HasIdSlot(feature_schema), .width = NumNumbers(feature_schema)};
  step.id_offset = static_cast<size_t>(feature_schema.id_slot()) * layout_.id_bytes;
  step.numbers_offset = layout_.numbers_offset + feature_schema.number_offset() * sizeof(float);
  const size_t codes = column->dictionary.size();
  step.ids.resize(step.has_id ? codes : 0);
  step.numbers.resize(codes * static_cast<size_t>(step.width));
  RawValues values{.count = static_cast<int64_t>(codes)};
  std::vector<std::string_view> texts(column->dictionary.begin(), column->dictionary.end());
  if (feature.SourceKind() == ColumnKind::kCategory) {
    MG_CHECK(column->kind == ColumnKind::kCategory, "column \"{}\" must be read as a category", column->name);
    values.texts = texts.data();
    feature.Transform(values, step.ids.data(), step.numbers.data());
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

void TableEncoder::EncodeRows(int64_t begin, int64_t end, EncodedTable* result) const {
  for (const ColumnStep& step : steps_) {
    std::byte* out = result->record(begin);
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
    int32_t* out = result->mutable_groups(static_cast<int>(k)).data();
    switch (groups_[k]->code_bytes) {
      case 1: CopyCodes<uint8_t>(*groups_[k], begin, end, out); break;
      case 2: CopyCodes<uint16_t>(*groups_[k], begin, end, out); break;
      default: CopyCodes<uint32_t>(*groups_[k], begin, end, out); break;
    }
  }
}

}  // namespace

RecordLayout LayoutOf(const Schema& schema, bool with_labels) {
  RecordLayout layout;
  layout.num_id_slots = static_cast<int>(schema.num_id_slots());
  layout.number_width = static_cast<int>(schema.number_width());
  layout.num_labels = with_labels ? schema.labels_size() : 0;
  layout.num_weights = with_labels ? schema.weight_column_size() : 0;
  for (const FeatureSchema& feature : schema.features())
    if (HasIdSlot(feature) && feature.vocabulary_size() > std::numeric_limits<uint16_t>::max() + uint64_t{1})
      layout.id_bytes = 4;
  const size_t id_bytes = static_cast<size_t>(layout.num_id_slots) * layout.id_bytes;
  layout.numbers_offset = (id_bytes + 3) / 4 * 4;
  layout.labels_offset = layout.numbers_offset + static_cast<size_t>(layout.number_width) * sizeof(float);
  layout.weights_offset = layout.labels_offset + static_cast<size_t>(layout.num_labels) * sizeof(float);
  const size_t used = layout.weights_offset + static_cast<size_t>(layout.num_weights) * sizeof(float);
  layout.record_bytes =
      used <= kCacheLine ? std::max<size_t>(std::bit_ceil(used), 8) : (used + kCacheLine - 1) / kCacheLine * kCacheLine;
  return layout;
}

EncodedTable::EncodedTable(int64_t rows, const RecordLayout& layout, int num_groups)
    : rows_(rows),
      layout_(layout),
      storage_(static_cast<size_t>(rows) * layout.record_bytes / sizeof(float)),
      groups_(static_cast<size_t>(num_groups), std::vector<int32_t>(static_cast<size_t>(rows))) {}

void EncodedTable::CopyRows(const uint32_t* rows, int n, int32_t* ids, float* numbers, float* labels,
                            float* weights) const {
  // The prefetch stands in the loop itself: GCC 12 takes a function that only prefetches for one without effect and
  // drops every call of it.
  int ahead = 0;
  for (int i = 0; i < n; ++i) {
    MG_CHECK(rows[i] < rows_, "row {} of {}", rows[i], rows_);
    for (; ahead < std::min(n, i + kPrefetchRows); ++ahead) {
      const std::byte* next = record(rows[ahead]);
      for (size_t byte = 0; byte < layout_.record_bytes; byte += kCacheLine) __builtin_prefetch(next + byte);
    }
    const std::byte* from = record(rows[i]);
    const size_t row = static_cast<size_t>(i);
    if (ids != nullptr) {
      int32_t* out = ids + row * layout_.num_id_slots;
      if (layout_.id_bytes == 2) {
        CopyIds<uint16_t>(from, layout_.num_id_slots, out);
      } else {
        CopyIds<uint32_t>(from, layout_.num_id_slots, out);
      }
    }
    if (numbers != nullptr)
      CopyFloats(from + layout_.numbers_offset, layout_.number_width, numbers + row * layout_.number_width);
    if (labels != nullptr)
      CopyFloats(from + layout_.labels_offset, layout_.num_labels, labels + row * layout_.num_labels);
    if (weights != nullptr)
      CopyFloats(from + layout_.weights_offset, layout_.num_weights, weights + row * layout_.num_weights);
  }
}

StatusOr<EncodedTable> Encode(const Schema& schema, const Table& table, bool with_labels, ThreadPool& pool) {
  const RecordLayout layout = LayoutOf(schema, with_labels);
  TableEncoder encoder(schema, table, layout);
  // As in the pool's threads, so that which thread takes a block makes no difference.
  const ScopedFlushDenormals flush_denormals;
  MG_RETURN_IF_ERROR(encoder.Prepare(with_labels));
  EncodedTable result(table.rows, layout, with_labels ? schema.group_column_size() : 0);
  const int64_t blocks = (table.rows + kBlockRows - 1) / kBlockRows;
  pool.ParallelFor(blocks, [&](int64_t block, int) {
    encoder.EncodeRows(block * kBlockRows, std::min((block + 1) * kBlockRows, table.rows), &result);
  });
  return result;
}

}  // namespace manygate::features
