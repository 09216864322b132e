// SPDX-License-Identifier: Apache-2.0
// Cuts lists of fields (field_list.h) into rows, and rows into leading values and items "field:id".
//
//   FieldListRows rows(options);
//   rows.Start(block);
//   while (rows.Next()) {
//     ItemProblem problem = rows.CheckLeading(names);
//     if (problem.text.empty()) problem = rows.ForEachField(names.size(), [&](const FieldItem& item) { return use(item); });
//   }
#ifndef MANYGATE_DATA_FIELD_LIST_ROWS_H_
#define MANYGATE_DATA_FIELD_LIST_ROWS_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/csv_file.h"
#include "manygate/data/csv_rows.h"
#include "manygate/data/source_options.h"

namespace manygate {

struct FieldItem {
  const char* data;  // with kTextPadding readable bytes behind
  uint32_t size;
  uint32_t position;  // in the row, from 1
  uint32_t colon;     // offset of the first one; size: none

  bool has_colon() const { return colon < size; }
  std::string_view text() const { return {data, size}; }
  std::string_view field() const { return {data, colon}; }
  std::string_view id() const { return {data + colon + 1, size - colon - 1}; }  // has_colon() only
};

// What is wrong with a row; text "": nothing.
struct ItemProblem {
  uint32_t position = 0;  // of the item; 0: the row as a whole
  std::string text = {};
};

class FieldListRows {
 public:
  explicit FieldListRows(const SourceOptions& options);

  // The options by which a file of such rows is opened: no quotes, nothing assumed of the first row.
  static SourceOptions FileOptions(const SourceOptions& options);

  void Start(const TextBlock& block);
  // False at the end of the block. Comments are passed over, empty lines are not.
  bool Next();

  bool is_empty_line() const { return items_.empty() || (items_.size() == 1 && items_[0].size == 0); }
  uint64_t line() const { return rows_.row_line(); }  // physical, from 0
  uint64_t lines() const { return rows_.lines(); }    // physical lines consumed
  bool has_nul() const { return rows_.has_nul(); }
  std::span<const FieldItem> items() const { return items_; }
  size_t NumLeading() const;  // items before the first with a colon

  ItemProblem CheckLeading(std::span<const std::string> names) const;

  // Calls use(item), which returns an ItemProblem, for every item behind the leading ones, up to the first problem.
  template <typename Use>
  ItemProblem ForEachField(size_t num_leading, Use use) const {
    for (size_t i = num_leading; i < items_.size(); ++i) {
      const FieldItem& item = items_[i];
      if (item.size == 0) continue;
      const bool whole =
          item.has_colon() && item.colon > 0 && memchr(item.id().data(), ':', item.id().size()) == nullptr;
      ItemProblem problem = whole ? use(item) : NotAField(item, num_leading);
      if (!problem.text.empty()) [[unlikely]]
        return problem;
    }
    return {};
  }

  static ItemProblem NameOfLeading(const FieldItem& item);

 private:
  static ItemProblem NotAField(const FieldItem& item, size_t num_leading);

  RowSplitter rows_;
  const bool skip_empty_;  // several blanks count as one
  std::vector<FieldItem> items_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_FIELD_LIST_ROWS_H_
