// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/table_builder.h"

#include <algorithm>
#include <utility>

#include "manygate/data/csv_dictionary.h"
#include "manygate/data/growing_array.h"

namespace manygate {
namespace {

// Columns that take more move to files, where there is a folder for them.
constexpr size_t kMemoryBytes = size_t{256} << 20;

template <typename Narrow, typename Wide>
void WidenInPlace(void* data, int64_t rows) {
  for (int64_t row = rows; row-- > 0;) {  // from the end: the wide values lie behind the narrow ones
    const Narrow value = static_cast<const Narrow*>(data)[row];
    static_cast<Wide*>(data)[row] = value;
  }
}

template <typename Code>
void MapCodes(const std::vector<uint32_t>& map, const uint32_t* codes, int64_t rows, Code* out) {
  for (int64_t row = 0; row < rows; ++row) out[row] = static_cast<Code>(map[codes[row]]);
}

}  // namespace

// One column of the table while it grows.
class ColumnBuilder {
 public:
  ColumnBuilder(ColumnKind kind, std::span<const std::string> missing_values)
      : kind_(kind), dictionary_(missing_values) {}

  void Append(const RowBlock::Column& part, int64_t rows) {
    if (kind_ == ColumnKind::kNumber) {
      values_.Reserve(static_cast<size_t>(rows_ + rows) * sizeof(float));
      std::copy_n(part.numbers.data(), rows, reinterpret_cast<float*>(values_.data()) + rows_);
    } else {
      AppendCodes(part, rows);
    }
    rows_ += rows;
    values_.Written(bytes());
  }

  size_t bytes() const { return static_cast<size_t>(rows_) * value_bytes(); }
  void MoveToFile(const std::string& folder) { values_.MoveToFile(folder, bytes()); }

  void Finish(const std::string& name, Table* table) {
    Column column;
    column.name = name;
    column.kind = kind_;
    column.mapped = values_.in_file();
    std::shared_ptr<const void> memory = values_.Take(bytes());
    if (kind_ == ColumnKind::kNumber) {
      column.numbers = static_cast<const float*>(memory.get());
    } else {
      column.codes = memory.get();
      column.code_bytes = code_bytes_;
      column.dictionary = dictionary_.TakeTexts();
    }
    table->storage.push_back(std::move(memory));
    table->columns.push_back(std::move(column));
  }

 private:
  size_t value_bytes() const { return kind_ == ColumnKind::kNumber ? sizeof(float) : static_cast<size_t>(code_bytes_); }

  void AppendCodes(const RowBlock::Column& part, int64_t rows) {
    map_.resize(part.dictionary.size());
    map_[0] = 0;
    for (uint32_t local = 1; local < part.dictionary.size(); ++local) {
      map_[local] = dictionary_.Find(part.dictionary.text(local), part.dictionary.hash(local));
    }
    Widen(dictionary_.texts().size());
    values_.Reserve(static_cast<size_t>(rows_ + rows) * static_cast<size_t>(code_bytes_));
    const uint32_t* codes = part.codes.data();
    switch (code_bytes_) {
      case 1: return MapCodes(map_, codes, rows, reinterpret_cast<uint8_t*>(values_.data()) + rows_);
      case 2: return MapCodes(map_, codes, rows, reinterpret_cast<uint16_t*>(values_.data()) + rows_);
      default: return MapCodes(map_, codes, rows, reinterpret_cast<uint32_t*>(values_.data()) + rows_);
    }
  }

  void Widen(size_t dictionary_size) {
    const int needed = dictionary_size <= 256 ? 1 : dictionary_size <= 65536 ? 2 : 4;
    if (needed == code_bytes_) return;
    values_.Reserve(static_cast<size_t>(rows_) * static_cast<size_t>(needed));
    if (code_bytes_ == 2) {
      WidenInPlace<uint16_t, uint32_t>(values_.data(), rows_);
    } else if (needed == 2) {
      WidenInPlace<uint8_t, uint16_t>(values_.data(), rows_);
    } else {
      WidenInPlace<uint8_t, uint32_t>(values_.data(), rows_);
    }
    code_bytes_ = needed;
  }

  ColumnKind kind_;
  MergedDictionary dictionary_;
  GrowingArray values_;
  int64_t rows_ = 0;
  int code_bytes_ = 1;
  std::vector<uint32_t> map_;  // codes of the present block to codes of the column
};

TableBuilder::TableBuilder(std::span<const ColumnRequest> requests, std::span<const std::string> missing_values,
                           std::string folder)
    : requests_(requests), folder_(std::move(folder)) {
  for (const ColumnRequest& request : requests) columns_.emplace_back(request.kind, missing_values);
}

TableBuilder::~TableBuilder() = default;

void TableBuilder::Append(const RowBlock& block) {
  size_t bytes = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].Append(block.columns[i], block.rows);
    bytes += columns_[i].bytes();
  }
  rows_ += block.rows;
  if (folder_.empty() || bytes <= kMemoryBytes) return;
  for (ColumnBuilder& column : columns_) column.MoveToFile(folder_);
}

Table TableBuilder::Finish(std::string source) {
  Table table;
  table.rows = rows_;
  table.source = std::move(source);
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].Finish(requests_[i].name, &table);
  return table;
}

}  // namespace manygate
