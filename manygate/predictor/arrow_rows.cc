// SPDX-License-Identifier: Apache-2.0
#include "manygate/predictor/arrow_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
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

// row: from the beginning of the buffers, of a value that is there.
Cell LoadCell(const ArrowType& type, const ArrowArray& array, int64_t row, bool number) {
  switch (type.kind) {
    case ArrowKind::kBool: return Cell(int64_t{LoadBool(array, row)});
    case ArrowKind::kText:
    case ArrowKind::kTextView: return Cell(LoadText(type, array, row));
    case ArrowKind::kInteger:
      return Cell(type.is_signed ? LoadSigned(array, type.bytes, row)
                                 : static_cast<int64_t>(LoadUnsigned(array, type.bytes, row)));
    case ArrowKind::kFloat:
      if (type.bytes == 4) return FloatCell(Load<float>(array, 1, row), number);
      return FloatCell(Load<double>(array, 1, row), number);
    default: return Cell();
  }
}

// Cells of one column.
class ColumnCells {
 public:
  // array: of a batch of that offset.
  ColumnCells(const ArrowType& type, const ArrowArray& array, int64_t offset, bool number)
      : type_(&type), array_(&array), offset_(offset), number_(number) {
    if (type.kind != ArrowKind::kDictionary) return;
    values_ = &*type.values;
    if (IsInPlace(*values_)) return;
    dictionary_ = std::make_shared<ArrowTexts>();
    dictionary_->Read(*values_, *array.dictionary, 0, array.dictionary->length);
  }
  bool needs_texts() const { return values_ == nullptr && !IsInPlace(*type_); }

  // row: of the batch, as everywhere here.
  Cell At(int64_t row) const {
    row += array_->offset + offset_;
    if (!IsValid(*array_, row)) return Cell();
    if (values_ == nullptr) return LoadCell(*type_, *array_, row, number_);
    const int64_t code = DictionaryCode(*type_, *array_, row);
    if (dictionary_ != nullptr) return Cell(dictionary_->views()[static_cast<size_t>(code)]);
    const ArrowArray& dictionary = *array_->dictionary;
    if (!IsValid(dictionary, dictionary.offset + code)) return Cell();
    return LoadCell(*values_, dictionary, dictionary.offset + code, number_);
  }
  void MakeTexts(int64_t row, int64_t rows, ArrowTexts* texts) const {
    texts->Read(*type_, *array_, offset_ + row, rows);
  }

 private:
  const ArrowType* type_;
  const ArrowArray* array_;
  int64_t offset_;                          // of the batch
  bool number_;                             // wanted as a number
  const ArrowType* values_ = nullptr;       // with a dictionary: what it holds
  std::shared_ptr<ArrowTexts> dictionary_;  // where its values are not in place
};

// The cells of some rows of a batch, column after column.
class SliceCells {
 public:
  SliceCells(std::span<const ColumnCells> columns, int64_t begin, int64_t rows) : columns_(columns), begin_(begin) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].needs_texts()) continue;
      texts_.emplace_back(i, std::make_unique<ArrowTexts>());
      columns[i].MakeTexts(begin, rows, texts_.back().second.get());
    }
  }
  void operator()(int64_t row, std::span<Cell> cells) const {
    for (size_t i = 0; i < columns_.size(); ++i)
      if (!columns_[i].needs_texts()) cells[i] = columns_[i].At(begin_ + row);
    for (const auto& [column, texts] : texts_) cells[column] = Cell(texts->views()[static_cast<size_t>(row)]);
  }

 private:
  const std::span<const ColumnCells> columns_;
  const int64_t begin_;
  std::vector<std::pair<size_t, std::unique_ptr<ArrowTexts>>> texts_;
};

// What is wrong with the first rows of the slices that are marked. Each is encoded once more by itself: its message then
// begins with one known place, which its place among all rows replaces.
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
    const SliceCells fill(columns, begin, end - begin);
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
    columns.emplace_back(input.type, column, batch.offset, input.number);
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
