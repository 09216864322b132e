// SPDX-License-Identifier: Apache-2.0
// Some rows of a file, column by column: what every format's reader hands over, in the order of the rows.
//
//   block.rows = 2;
//   block.columns.resize(2);                       // [requested columns]
//   block.columns[0].SetTexts({"Private", ""});    // kCategory; "" = missing
//   block.columns[1].numbers = {35, NAN};          // kNumber; NaN = missing
#ifndef MANYGATE_DATA_ROW_BLOCK_H_
#define MANYGATE_DATA_ROW_BLOCK_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/csv_dictionary.h"

namespace manygate {

struct RowBlock {
  struct Column {
    BlockDictionary dictionary;  // kCategory: points into the block's text or into `text`; in order of first appearance
    std::vector<uint32_t> codes;  // kCategory: [>= rows], codes of `dictionary`
    std::vector<float> numbers;   // kNumber: [>= rows], NaN = missing
    std::vector<char> text;       // what SetTexts copied

    // Makes dictionary and codes of one text per row, which are copied.
    void SetTexts(std::span<const std::string_view> texts);
  };

  int64_t rows = 0;
  std::vector<Column> columns;  // [requested columns]
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ROW_BLOCK_H_
