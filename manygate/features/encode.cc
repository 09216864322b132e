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

// One column of the encoded table: reads a raw column and writes one field of each record.
struct ColumnStep {
  const Column* column = nullptr;
  const Feature* feature = nullptr;  // number columns only: what to apply to each value
  bool is_id = false;
  int width = 1;                    // fields written per row
  size_t offset = 0;                // in the record, bytes
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
  if (!step.is_id) {
    WriteFloats<Code>(step, begin, end, out, layout.record_bytes);
  } else if (layout.id_bytes == 2) {
    WriteIds<Code, uint16_t>(step, begin, end, out, layout.record_bytes);
  } else {
    WriteIds<Code, uint32_t>(step, begin, end, out, layout.record_bytes);
  }
}

// A number column: through the feature, or as it is (labels, weights).
void WriteNumbers(const ColumnStep& step, int64_t begin, int64_t end, std::byte* out, const RecordLayout& layout) {
  uint32_t ids[kBlockRows];
  std::vector<float> transformed;
  const float* numbers = step.column->numbers + begin;
  if (step.feature != nullptr) {
    if (!step.is_id) transformed.resize(static_cast<size_t>((end - begin) * step.width));
    step.feature->Transform({.numbers = numbers, .count = end - begin}, ids, transformed.data());
    numbers = transformed.data();
  }
  for (int64_t i = 0; i < end - begin; ++i, out += layout.record_bytes) {
    if (!step.is_id) {
      std::memcpy(out, numbers + i * step.width, static_cast<size_t>(step.width) * sizeof(float));
    } else if (layout.id_bytes == 2) {
      *reinterpret_cast<uint16_t*>(out) = static_cast<uint16_t>(ids[i]);
    } else {
      *reinterpret_cast<uint32_t*>(out) = ids[i];
    }
  }
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
  void AddWeight();
  const Column* FindColumn(const std::string& who, const std::string& name);
  void AddProblem(const std::string& who, const Column& column, const std::string& problem);

  const Schema& schema_;
  const Table& table_;
  const RecordLayout layout_;
  std::vector<std::unique_ptr<Feature>> features_;
  std::vector<ColumnStep> steps_;
  std::string problems_;
};

Status TableEncoder::Prepare(bool with_labels) {
  for (const FeatureSchema& feature : schema_.features()) AddFeature(feature);
  if (with_labels) {
    for (int i = 0; i < schema_.labels_size(); ++i) AddLabel(schema_.labels(i), i);
    if (!schema_.weight_column().empty()) AddWeight();
  }
  return problems_.empty() ? OkStatus() : InvalidInput(problems_);
}

void TableEncoder::AddFeature(const FeatureSchema& feature_schema) {
  const std::string who = fmt::format("feature \"{}\"", feature_schema.name());
  const Column* column = FindColumn(who, feature_schema.column());
  if (column == nullptr) return;
  features_.push_back(FeatureFromSchema(feature_schema));
  const Feature& feature = *features_.back();
  ColumnStep step{.column = column, .is_id = feature.is_id()};
  step.width = step.is_id ? 1 : static_cast<int>(feature_schema.width());
  step.offset = step.is_id ? static_cast<size_t>(feature_schema.id_slot()) * layout_.id_bytes
                           : layout_.numbers_offset + feature_schema.number_offset() * sizeof(float);
  const size_t codes = column->dictionary.size();
  step.ids.resize(step.is_id ? codes : 0);
  step.numbers.resize(step.is_id ? 0 : codes * static_cast<size_t>(step.width));
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
                    .offset = layout_.labels_offset + static_cast<size_t>(index) * sizeof(float),
                    .numbers = std::vector<float>(values->dictionary().begin(), values->dictionary().end())});
}

void TableEncoder::AddWeight() {
  const std::string who = "row weights";
  const Column* column = FindColumn(who, schema_.weight_column());
  if (column == nullptr) return;
  const StatusOr<NumberColumn> values = NumberColumn::Of(*column, table_.rows);
  if (!values.ok()) return AddProblem(who, *column, values.status().message());
  const std::string problem = WeightProblem(*values, table_.rows);
  if (!problem.empty()) return AddProblem(who, *column, problem);
  steps_.push_back({.column = column,
                    .offset = layout_.weight_offset,
                    .numbers = std::vector<float>(values->dictionary().begin(), values->dictionary().end())});
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
    std::byte* out = result->record(begin) + step.offset;
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
}

}  // namespace

RecordLayout LayoutOf(const Schema& schema, bool with_labels) {
  RecordLayout layout;
  layout.num_id_slots = static_cast<int>(schema.num_id_slots());
  layout.number_width = static_cast<int>(schema.number_width());
  layout.num_labels = with_labels ? schema.labels_size() : 0;
  layout.has_weight = with_labels && !schema.weight_column().empty();
  for (const FeatureSchema& feature : schema.features())
    if (IsId(feature) && feature.vocabulary_size() > std::numeric_limits<uint16_t>::max() + uint64_t{1})
      layout.id_bytes = 4;
  const size_t id_bytes = static_cast<size_t>(layout.num_id_slots) * layout.id_bytes;
  layout.numbers_offset = (id_bytes + 3) / 4 * 4;
  layout.labels_offset = layout.numbers_offset + static_cast<size_t>(layout.number_width) * sizeof(float);
  layout.weight_offset = layout.labels_offset + static_cast<size_t>(layout.num_labels) * sizeof(float);
  const size_t used = layout.weight_offset + (layout.has_weight ? sizeof(float) : 0);
  layout.record_bytes =
      used <= kCacheLine ? std::max<size_t>(std::bit_ceil(used), 8) : (used + kCacheLine - 1) / kCacheLine * kCacheLine;
  return layout;
}

EncodedTable::EncodedTable(int64_t rows, const RecordLayout& layout)
    : rows_(rows), layout_(layout), storage_(static_cast<size_t>(rows) * layout.record_bytes / sizeof(float)) {}

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
    if (weights != nullptr && layout_.has_weight) CopyFloats(from + layout_.weight_offset, 1, weights + row);
  }
  if (weights != nullptr && !layout_.has_weight) std::fill_n(weights, n, 1.0f);
}

StatusOr<EncodedTable> Encode(const Schema& schema, const Table& table, bool with_labels, ThreadPool& pool) {
  const RecordLayout layout = LayoutOf(schema, with_labels);
  TableEncoder encoder(schema, table, layout);
  // As in the pool's threads, so that which thread takes a block makes no difference.
  const ScopedFlushDenormals flush_denormals;
  MG_RETURN_IF_ERROR(encoder.Prepare(with_labels));
  EncodedTable result(table.rows, layout);
  const int64_t blocks = (table.rows + kBlockRows - 1) / kBlockRows;
  pool.ParallelFor(blocks, [&](int64_t block, int) {
    encoder.EncodeRows(block * kBlockRows, std::min((block + 1) * kBlockRows, table.rows), &result);
  });
  return result;
}

}  // namespace manygate::features
