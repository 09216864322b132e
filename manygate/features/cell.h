// SPDX-License-Identifier: Apache-2.0
// One value of a raw row, as whoever has it has it.
//
//   const std::vector<Cell> row = {Cell("Private"), Cell(int64_t{39}), Cell(12.5f), Cell()};
#ifndef MANYGATE_FEATURES_CELL_H_
#define MANYGATE_FEATURES_CELL_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace manygate::features {

class Cell {
 public:
  Cell() = default;  // missing
  // "" = missing. The text must outlive the cell.
  Cell(std::string_view text) : text_(text) {}
  explicit Cell(int64_t value) : kind_(Kind::kInteger), integer_(value) {}
  // NaN = missing.
  explicit Cell(float value) : kind_(Kind::kFloat), float_(value) {}
  explicit Cell(double value) : kind_(Kind::kDouble), double_(value) {}

  bool is_text() const { return kind_ == Kind::kText; }
  std::string_view text() const { return text_; }  // where is_text()
  // As a typed file's value stands among texts (data/number_text.h). The result lives as long as the cell and `buffer`.
  std::string_view AsText(std::string* buffer) const;
  // The nearest float; NaN = missing. False, and why as a clause behind the value: `"old" is no number`.
  bool AsNumber(float* number, std::string* problem) const;

 private:
  enum class Kind : uint8_t { kText, kInteger, kFloat, kDouble };
  Kind kind_ = Kind::kText;
  union {
    std::string_view text_ = {};
    int64_t integer_;
    float float_;
    double double_;
  };
};

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_CELL_H_
