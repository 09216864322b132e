// SPDX-License-Identifier: Apache-2.0
#include "manygate/predictor/arrow_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/data/arrow_layout.h"
#include "manygate/data/arrow_values.h"

namespace manygate {
namespace {

using features::Cell;

// Rows that a thread encodes and scores at once: enough to fill the executor's slices, few enough for every thread to
// have some and for their records to stay in its cache.
constexpr int64_t kSliceRows = 1024;

// What lies in its buffers as a cell has it; of the others (dates, decimals, lists, half floats, uint64, which may be
// beyond the integers of cells), texts are made.
bool IsInPlace(const ArrowType& type) {
  switch (type.kind) {
    case ArrowKind::kNull:
    case ArrowKind::kBool:
    case ArrowKind::kText:
    case ArrowKind::kTextView: return true;
    case ArrowKind::kInteger: return type.is_signed || type.bytes < 8;
    case ArrowKind::kFloat: return type.bytes >= 4;
    default: return false;
  }
}

// Some threads flush denormal numbers to zero and others do not; where numbers are wanted, none is kept, as in files
// (ReadArrowNumbers).
template <typename T>
Cell FloatCell(T value, bool number) {
  const bool flush = number && std::abs(value) < T{std::numeric_limits<float>::min()};
  return Cell(flush ? T{0} : value);
}

// use(load) with what makes a cell of the value at a row from the beginning of the buffers; types that are in place.
template <typename Use>
void WithLoad(const ArrowType& type, const ArrowArray& array, bool number, const Use& use) {
  const auto integer = [&](auto value) {
    use([&](int64_t row) { return Cell(static_cast<int64_t>(Load<decltype(value)>(array, 1, row))); });
  };
  const auto text = [&](int64_t row) { return Cell(LoadText(type, array, row)); };
  switch (type.kind) {
    case ArrowKind::kBool: return use([&](int64_t row) { return Cell(int64_t{LoadBool(array, row)}); });
    case ArrowKind::kText:
    case ArrowKind::kTextView: return use(text);
    case ArrowKind::kInteger:
      switch (type.is_signed ? type.bytes : -type.bytes) {
        case 1: return integer(int8_t{});
        case -1: return integer(uint8_t{});
        case 2: return integer(int16_t{});
        case -2: return integer(uint16_t{});
        case 4: return integer(int32_t{});
        case -4: return integer(uint32_t{});
        default: return integer(int64_t{});
      }
    case ArrowKind::kFloat:
      if (type.bytes == 4) return use([&](int64_t row) { return FloatCell(Load<float>(array, 1, row), number); });
      return use([&](int64_t row) { return FloatCell(Load<double>(array, 1, row), number); });
    default: return use([](int64_t) { return Cell(); });  // null
  }
}

// Cells of one column of a batch.
class ColumnCells {
 public:
  // batch: which the column is of.
  ColumnCells(const ArrowType& type, const ArrowArray& array, const ArrowArray& batch, bool number)
      : type_(&type), array_(&array), offset_(batch.offset), number_(number) {
    if (type.kind != ArrowKind::kDictionary) return;
    const ArrowArray& dictionary = *array.dictionary;
    if (!IsInPlace(*type.values)) {
      texts_ = std::make_unique<ArrowTexts>();
      texts_->Read(*type.values, dictionary, 0, dictionary.length);
      values_.assign(texts_->views().begin(), texts_->views().end());
    } else if (dictionary.length <= batch.length) {  // a larger one is looked at where rows need it
      values_.resize(static_cast<size_t>(dictionary.length));
      WithLoad(*type.values, dictionary, number, [&](const auto& load) {
        Write(dictionary, dictionary.offset, dictionary.length, 1, load, values_.data());
      });
    }
  }
  bool needs_texts() const { return type_->kind != ArrowKind::kDictionary && !IsInPlace(*type_); }
  // begin: of the batch.
  void MakeTexts(int64_t begin, int64_t rows, ArrowTexts* texts) const {
    texts->Read(*type_, *array_, offset_ + begin, rows);
  }

  // Cells of `rows` rows from `begin` on, which counts from the beginning of the batch, `stride` apart. Not of a column
  // that needs texts.
  void Fill(int64_t begin, int64_t rows, size_t stride, Cell* to) const {
    const int64_t first = array_->offset + offset_ + begin;
    if (type_->kind != ArrowKind::kDictionary) {
      WithLoad(*type_, *array_, number_, [&](const auto& load) { Write(*array_, first, rows, stride, load, to); });
    } else if (!values_.empty()) {
      const auto load = [&](int64_t row) { return values_[static_cast<size_t>(DictionaryCode(*type_, *array_, row))]; };
      Write(*array_, first, rows, stride, load, to);
    } else {
      const ArrowArray& dictionary = *array_->dictionary;
      WithLoad(*type_->values, dictionary, number_, [&](const auto& load_value) {
        const auto load = [&](int64_t row) {
          const int64_t value = dictionary.offset + DictionaryCode(*type_, *array_, row);
          return IsValid(dictionary, value) ? load_value(value) : Cell();
        };
        Write(*array_, first, rows, stride, load, to);
      });
    }
  }

 private:
  template <typename LoadCell>
  static void Write(const ArrowArray& array, int64_t first, int64_t rows, size_t stride, const LoadCell& load,
                    Cell* to) {
    for (int64_t row = first; row < first + rows; ++row, to += stride) *to = IsValid(array, row) ? load(row) : Cell();
  }

  const ArrowType* type_;
  const ArrowArray* array_;
  int64_t offset_;                     // of the batch
  bool number_;                        // wanted as a number
  std::vector<Cell> values_;           // of the dictionary; none: as they are needed
  std::unique_ptr<ArrowTexts> texts_;  // of the dictionary, where they are not in place
};

// The rows of a part of a batch, one after the other. Columns are read some rows at a time: the 39 columns of
// Census-Income take about 0.2 us a row so, beside 2 us to encode and score it, and took 0.8 us row by row.
class SliceCells {
 public:
  SliceCells(std::span<const ColumnCells> columns, int64_t begin, int64_t rows)
      : columns_(columns), begin_(begin), rows_(rows), block_(columns.size() * kBlockRows) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].needs_texts()) continue;
      texts_.emplace_back(i, std::make_unique<ArrowTexts>());
      columns[i].MakeTexts(begin, rows, texts_.back().second.get());
    }
  }
  // row: 0, 1, 2, ...
  void operator()(int64_t row, std::span<Cell> cells) {
    if (row % kBlockRows == 0) FillBlock(row);
    std::copy_n(block_.begin() + row % kBlockRows * static_cast<int64_t>(cells.size()), cells.size(), cells.begin());
  }

 private:
  static constexpr int64_t kBlockRows = 32;

  void FillBlock(int64_t first) {
    const int64_t rows = std::min(kBlockRows, rows_ - first);
    for (size_t i = 0; i < columns_.size(); ++i)
      if (!columns_[i].needs_texts()) columns_[i].Fill(begin_ + first, rows, columns_.size(), &block_[i]);
    for (const auto& [column, texts] : texts_)
      for (int64_t row = 0; row < rows; ++row)
        block_[static_cast<size_t>(row) * columns_.size() + column] = texts->views()[static_cast<size_t>(first + row)];
  }

  const std::span<const ColumnCells> columns_;
  const int64_t begin_, rows_;
  std::vector<Cell> block_;  // [kBlockRows, columns]
  std::vector<std::pair<size_t, std::unique_ptr<ArrowTexts>>> texts_;
};

// What is wrong with the first rows of the slices that are marked. Each is encoded once more by itself: its message
// then begins with one known place, which its place among all rows replaces.
Status WrongRows(const Predictor& predictor, std::span<const ColumnCells> columns, std::span<const uint8_t> wrong,
                 int64_t rows, int64_t first_row) {
  constexpr std::string_view kPlace = "row 0: ";
  std::vector<Cell> cells(columns.size());
  std::vector<int32_t> ids(static_cast<size_t>(predictor.num_id_slots()));
  std::vector<float> numbers(static_cast<size_t>(predictor.number_width()));
  std::string problems;
  int count = 0;
  for (size_t slice = 0; slice < wrong.size() && count < Predictor::kMostProblems; ++slice) {
    if (wrong[slice] == 0) continue;
    const int64_t begin = static_cast<int64_t>(slice) * kSliceRows, end = std::min(begin + kSliceRows, rows);
    SliceCells fill(columns, begin, end - begin);
    for (int64_t row = begin; row < end && count < Predictor::kMostProblems; ++row) {
      fill(row - begin, cells);
      const Status status = predictor.Encode(cells, 1, ids.data(), numbers.data());
      if (status.ok()) continue;
      MG_CHECK(status.message().starts_with(kPlace), "{}", status.message());
      problems += fmt::format("{}row {}: {}", count++ == 0 ? "" : "\n", first_row + row,
                              status.message().substr(kPlace.size()));
    }
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace

StatusOr<ArrowRows> ArrowRows::Make(const Predictor& predictor, const ArrowSchema& schema) {
  if (schema.format == nullptr || std::string_view(schema.format) != "+s") {
    return InvalidInput(fmt::format("found {}, expected rows (Arrow type struct), a column in each child",
                                    ParseArrowType(schema).name));
  }
  ArrowRows rows(predictor);
  rows.num_columns_ = schema.n_children;
  std::string problems;
  const auto add = [&problems](std::string_view name, std::string_view text) {
    problems += fmt::format("{}column \"{}\" {}", problems.empty() ? "" : "\n", name, text);
  };
  for (const PredictorInput& input : predictor.inputs()) {
    const int child = FindArrowColumn(schema, input.name);
    if (child == -1) {
      add(input.name, fmt::format("is not there, which the model needs. {}",
                                  Suggestion(input.name, ArrowColumnNames(schema), "Columns")));
    } else if (child == -2) {
      add(input.name, "is there twice; give each column a name of its own");
    } else {
      ArrowType type = ParseArrowType(*schema.children[child]);
      const Status readable = CheckReadable(type, input.number ? ColumnKind::kNumber : ColumnKind::kCategory);
      if (!readable.ok()) add(input.name, readable.message());
      rows.inputs_.push_back({child, input.number, std::move(type)});
    }
  }
  if (!problems.empty()) return InvalidInput(std::move(problems));
  return rows;
}

Status ArrowRows::Predict(const ArrowArray& batch, int64_t first_row, ThreadPool& pool,
                          std::span<float* const> outputs) const {
  MG_RETURN_IF_ERROR(CheckBatch(num_columns_, batch));
  std::vector<ColumnCells> columns;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    const ArrowArray& column = *batch.children[input.child];
    if (!IsSound(input.type, column, batch.offset + batch.length))
      return InvalidInput(fmt::format("column \"{}\": a batch of rows is damaged", predictor_->inputs()[i].name));
    columns.emplace_back(input.type, column, batch, input.number);
  }
  const int64_t slices = (batch.length + kSliceRows - 1) / kSliceRows;
  std::vector<uint8_t> wrong(static_cast<size_t>(slices), 0);
  pool.ParallelFor(slices, [&](int64_t slice, int) {
    const int64_t begin = slice * kSliceRows, rows = std::min(kSliceRows, batch.length - begin);
    std::vector<float*> to(outputs.begin(), outputs.end());
    for (size_t i = 0; i < to.size(); ++i)
      if (to[i] != nullptr) to[i] += begin * predictor_->outputs()[i].width;
    SliceCells cells(columns, begin, rows);
    wrong[static_cast<size_t>(slice)] = !predictor_->Predict(rows, std::ref(cells), to).ok();
  });
  return WrongRows(*predictor_, columns, wrong, batch.length, first_row);
}

}  // namespace manygate
