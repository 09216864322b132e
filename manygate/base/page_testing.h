// SPDX-License-Identifier: Apache-2.0
// For tests that run the examples of a page of docs/.
#ifndef MANYGATE_BASE_PAGE_TESTING_H_
#define MANYGATE_BASE_PAGE_TESTING_H_

#include <string>
#include <vector>

#include "manygate/base/text.h"

namespace manygate {

// The cells of a line of a table, between "|" and without blanks around them, where "\|" is a "|" of the text.
inline std::vector<std::string> CellsOfLine(const std::string& line) {
  std::vector<std::string> cells = {""};
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
      cells.back() += line[++i];
    } else if (line[i] == '|') {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  cells.pop_back();
  for (std::string& cell : cells) cell = std::string(Trim(cell));
  return cells;
}

}  // namespace manygate

#endif  // MANYGATE_BASE_PAGE_TESTING_H_
