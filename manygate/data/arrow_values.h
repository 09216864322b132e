// SPDX-License-Identifier: Apache-2.0
// The values of a column of Arrow, which IsSound (arrow_layout.h), as the texts and numbers that other formats have for
// them.
//
//   ArrowTexts texts;
//   texts.Read(type, array, /*begin=*/0, rows);
//   use(texts.views()[row]);                          // no text (data() == nullptr): null
//
// Texts: integers in decimal, floats by NumberText, booleans as 1 and 0, decimals with all digits of their scale,
// dates as 2024-01-31, timestamps as 2024-01-31 12:33:00 with a fraction if there is one (beyond the years 0 to 9999 the
// number itself), lists as their values that are not null with kValueSeparator between them.
#ifndef MANYGATE_DATA_ARROW_VALUES_H_
#define MANYGATE_DATA_ARROW_VALUES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/arrow_abi.h"
#include "manygate/data/arrow_type.h"

namespace manygate {

class ArrowTexts {
 public:
  // Of `rows` values from `begin` on, which counts from the array's offset.
  void Read(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows);
  // TrimBlanks of every text.
  void Trim();
  // Into the array or into this object.
  std::span<const std::string_view> views() const { return views_; }

 private:
  void ReadText(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows);
  void ReadDictionary(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows);
  void ReadLists(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows);
  void ReadFormatted(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows);

  std::vector<std::string_view> views_;
  std::unique_ptr<char[]> memory_;      // of texts that do not stand in the array
  std::unique_ptr<ArrowTexts> values_;  // of a dictionary, or of all lists
};

// What is no number, and why; `row` counts from `begin`.
struct ArrowProblem {
  int64_t row;
  std::string text;
};

// Numbers of `rows` values from `begin` on; null, NaN, empty texts and what `missing_values` names become NaN. Stops
// adding problems when there are kMaxProblems.
void ReadArrowNumbers(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows,
                      std::span<const std::string> missing_values, float* numbers, std::vector<ArrowProblem>* problems);

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_VALUES_H_
