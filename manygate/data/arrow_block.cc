// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/arrow_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/data/arrow_layout.h"
#include "manygate/data/blanks.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

// Texts of a dictionary, one after the other as rows need them: of one whose values are texts, the others are never
// touched, since a dictionary may be much larger than a batch.
class DictionaryTexts {
 public:
  DictionaryTexts(const ArrowType& type, const ArrowArray& dictionary) : type_(type), dictionary_(dictionary) {
    if (!in_place()) texts_.Read(type, dictionary, 0, dictionary.length);
  }
  std::string_view At(size_t code) const {
    if (!in_place()) return texts_.views()[code];
    const int64_t row = dictionary_.offset + static_cast<int64_t>(code);
    return IsValid(dictionary_, row) ? LoadText(type_, dictionary_, row) : std::string_view();
  }

 private:
  bool in_place() const { return type_.kind == ArrowKind::kText || type_.kind == ArrowKind::kTextView; }

  const ArrowType& type_;
  const ArrowArray& dictionary_;
  ArrowTexts texts_;
};

// Codes of a column whose texts come with a dictionary: each text is looked up once, where it first appears.
void FillFromDictionary(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows, bool trim_blanks,
                        RowBlock::Column* column) {
  constexpr uint32_t kNone = UINT32_MAX;
  const DictionaryTexts texts(*type.values, *array.dictionary);
  std::vector<uint32_t> order_of_code(static_cast<size_t>(array.dictionary->length), kNone);
  std::vector<std::string_view> in_order;  // by first appearance
  std::vector<uint32_t> order_of_row(static_cast<size_t>(rows), kNone);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t row = array.offset + begin + i;
    if (!IsValid(array, row)) continue;
    const auto code = static_cast<size_t>(DictionaryCode(type, array, row));
    if (order_of_code[code] == kNone) {
      order_of_code[code] = static_cast<uint32_t>(in_order.size());
      in_order.push_back(trim_blanks ? TrimBlanks(texts.At(code)) : texts.At(code));
    }
    order_of_row[static_cast<size_t>(i)] = order_of_code[code];
  }
  // Two entries of a dictionary may hold the same text.
  column->SetTexts(in_order);
  const std::vector<uint32_t> codes = std::move(column->codes);
  column->codes.resize(static_cast<size_t>(rows));
  for (size_t i = 0; i < column->codes.size(); ++i)
    column->codes[i] = order_of_row[i] == kNone ? 0 : codes[order_of_row[i]];
}

void FillCategory(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows, bool trim_blanks,
                  RowBlock::Column* column) {
  if (type.kind == ArrowKind::kDictionary) return FillFromDictionary(type, array, begin, rows, trim_blanks, column);
  ArrowTexts texts;
  texts.Read(type, array, begin, rows);
  if (trim_blanks) texts.Trim();
  column->SetTexts(texts.views());
}

void CheckUtf8(const RowBlock::Column& column, int64_t rows, std::vector<ArrowProblem>* problems) {
  for (uint32_t code = 1; code < column.dictionary.size() && problems->size() < kMaxProblems; ++code) {
    if (IsUtf8(column.dictionary.text(code))) continue;
    const auto row = std::find(column.codes.begin(), column.codes.begin() + rows, code) - column.codes.begin();
    problems->push_back({row, "the value is not UTF-8 text; write the column again as text"});
  }
}

}  // namespace

int64_t ArrowBatchRows(size_t columns) {
  constexpr int64_t kCells = int64_t{1} << 20;
  return std::clamp<int64_t>(kCells / static_cast<int64_t>(std::max<size_t>(columns, 1)), 8192, 65536);
}

StatusOr<ArrowBlockMaker> ArrowBlockMaker::Make(const ArrowSchema& schema, std::span<const ColumnRequest> requests,
                                                std::span<const std::string> missing_values, bool trim_blanks) {
  ArrowBlockMaker maker(missing_values, trim_blanks);
  std::string problems;
  const auto add = [&problems](std::string_view name, std::string_view text) {
    problems += fmt::format("{}column \"{}\" {}", problems.empty() ? "" : "\n", name, text);
  };
  for (const ColumnRequest& request : requests) {
    const int child = FindArrowColumn(schema, request.name);
    if (child == -1) {
      add(request.name, "is not there. " + Suggestion(request.name, ArrowColumnNames(schema), "Columns"));
    } else if (child == -2) {
      add(request.name, "is there twice; give each column a name of its own");
    } else {
      ArrowType type = ParseArrowType(*schema.children[child]);
      const Status readable = CheckReadable(type, request.kind);
      if (!readable.ok()) add(request.name, readable.message());
      maker.sources_.push_back({child, request.name, request.kind, std::move(type)});
    }
  }
  if (!problems.empty()) return InvalidInput(std::move(problems));
  return maker;
}

Status ArrowBlockMaker::Fill(const ArrowArray& batch, RowBlock* block, std::vector<ArrowBlockProblem>* problems) const {
  for (const Source& source : sources_) {
    // The batch as a whole may be a slice: its offset counts in every child.
    if (source.child >= batch.n_children ||
        !IsSound(source.type, *batch.children[source.child], batch.offset + batch.length)) {
      return InvalidInput(fmt::format("column \"{}\": a batch of rows is damaged", source.name));
    }
  }
  FillSound(batch, block, problems);
  return OkStatus();
}

void ArrowBlockMaker::FillSound(const ArrowArray& batch, RowBlock* block,
                                std::vector<ArrowBlockProblem>* problems) const {
  const int64_t begin = batch.offset, rows = batch.length;
  block->rows = rows;
  block->columns.resize(sources_.size());
  std::vector<ArrowProblem> found;
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    const ArrowArray& array = *batch.children[source.child];
    RowBlock::Column* column = &block->columns[i];
    found.clear();
    if (source.kind == ColumnKind::kNumber) {
      column->numbers.resize(static_cast<size_t>(rows));
      ReadArrowNumbers(source.type, array, begin, rows, missing_values_, column->numbers.data(), &found);
    } else {
      FillCategory(source.type, array, begin, rows, trim_blanks_, column);
      CheckUtf8(*column, rows, &found);
    }
    for (ArrowProblem& problem : found) problems->push_back({i, std::move(problem)});
  }
}

}  // namespace manygate
