// SPDX-License-Identifier: Apache-2.0
// Whether a text that nobody has described is lists of fields (field_list.h).
//
//   if (const std::optional<FieldListForm> form = GuessFieldList(head)) options.delimiter = form->delimiter;
#ifndef MANYGATE_DATA_FIELD_LIST_GUESS_H_
#define MANYGATE_DATA_FIELD_LIST_GUESS_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace manygate {

struct FieldListForm {
  char delimiter = ',';
  size_t num_leading = 0;  // values before the fields
};

// head: the beginning of a file; a last row without line end is left out unless it is the only one. Looks at the first
// 100 rows. They are lists of fields when the first row and nine tenths of all have the same number of values without a
// colon in front, then two or more "field:id" of letters, digits, "_", "-" and ".", and nothing else, and either
//   the rows differ in the number of fields, or
//   each place holds the same field in all rows, and there are two fields or more;
// and not all of those are times of a day such as 12:30. What a CSV with a line of names, of any shape, never is; and one
// without only if all its last columns hold such pairs and its rows differ in length, or the pairs name their columns.
std::optional<FieldListForm> GuessFieldList(std::string_view head);

}  // namespace manygate

#endif  // MANYGATE_DATA_FIELD_LIST_GUESS_H_
